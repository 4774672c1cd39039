import {
  BrokenCircuitError,
  ConsecutiveBreaker,
  circuitBreaker,
  DelegateBackoff,
  handleType,
  handleWhen,
  type IRetryBackoffContext,
  retry,
} from 'cockatiel';
import { onAbort, orAborted } from './aborted.ts';
import type { Entry, Gate } from './gate.ts';
import {
  longestRetryAfterMs,
  type Provider,
  type ProviderAnswer,
  ProviderError,
  type ProviderRequest,
} from './provider.ts';
import type { Limits } from './settings.ts';

/** The first pause, at most. It doubles, unless most of the last tries of other requests as well were answered. */
const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** So many requests in a row that were given up, each after all its tries, open the circuit. */
const givenUp = 5;
const coolDownMs = 20_000;

/** Answers whose time is remembered, and tries whose outcome is. */
const remembered = 20;

/** The circuit is open: the request was not made. */
export class OutOfOrder extends Error {}

/** What hears of the tries of one call, and which calls they go before. */
export interface Tries {
  /** Those with a higher number go first; 0 if not given. */
  readonly priority?: number;
  onFailed?(error: ProviderError): void;
  beforeAgain?(): Promise<void>;
}

/**
 * Makes requests to one model: through the gate, with a time limit for each try and tries after failures that may pass.
 * When request after request is given up, the rest is refused at once, until a probe passes.
 */
export class Resilience {
  readonly #provider: Provider;
  readonly #gate: Gate;
  readonly #limits: Limits;
  readonly #policies: ReturnType<typeof policiesOf>;
  #lastError = '';
  readonly #latencies: number[] = [];
  /** Of the last tries of all requests that tell how the server is now, whether they were answered. */
  readonly #outcomes: boolean[] = [];
  /** When the latest of the tries began that were answered. */
  #answered = -Infinity;

  constructor(provider: Provider, gate: Gate, limits: Limits, random: () => number = Math.random) {
    this.#provider = provider;
    this.#gate = gate;
    this.#limits = limits;
    this.#policies = policiesOf(limits, random, () => this.#isWell);
  }

  /** Whether the server answers most requests: one that failed had bad luck, and a long pause is no relief to anybody. */
  get #isWell(): boolean {
    return 2 * this.#outcomes.filter(Boolean).length > remembered;
  }

  /** Milliseconds that the last answers took, at the median, pauses and other tries left out; null before the first. */
  get latencyMs(): number | null {
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? null;
  }

  /**
   * Rejects with a ProviderError, with OutOfOrder, or with the reason of an aborted signal.
   *
   * @param tries.onFailed hears of each try that failed: it may have cost something
   * @param tries.beforeAgain is waited for before each further try, which is not made if it rejects: so does the call then
   */
  async ask(
    request: ProviderRequest,
    tokens: number,
    signal: AbortSignal,
    { priority = 0, onFailed, beforeAgain }: Tries = {},
  ): Promise<ProviderAnswer> {
    const { breaker, again } = this.#policies;
    let tries = 0;
    const once = async (ended: AbortSignal) => {
      const wasTried = tries++ > 0;
      if (wasTried) await beforeAgain?.();
      try {
        return await this.#try(request, { tokens, priority, again: wasTried }, ended);
      } catch (error) {
        if (error instanceof ProviderError) onFailed?.(error);
        throw error;
      }
    };
    // A pause between tries does not end with the signal: it is left behind.
    const answered = breaker.execute(({ signal: ended }) => again.execute(() => once(ended), ended), signal);
    try {
      return await orAborted(answered, signal);
    } catch (error) {
      if (error instanceof BrokenCircuitError) throw new OutOfOrder(this.#lastError);
      if (error instanceof ProviderError) {
        error.tries = tries;
        if (error.mayPass) this.#lastError = error.message;
      }
      throw error;
    }
  }

  #try(request: ProviderRequest, entry: Entry, signal: AbortSignal): Promise<ProviderAnswer> {
    return this.#gate.through(entry, signal, async (learn) => {
      const started = performance.now();
      try {
        const answer = await withinMs(this.#limits.timeoutMs, signal, (ended) =>
          this.#provider.ask(request, ended),
        );
        remember(this.#latencies, performance.now() - started);
        remember(this.#outcomes, true);
        this.#answered = Math.max(this.#answered, started);
        learn('answered', answer.limits);
        return answer;
      } catch (error) {
        signal.throwIfAborted();
        const known = error instanceof ProviderError ? error : null;
        // A server that refuses a request as wrong is well; one that has answered what was sent later is well again.
        if (known?.mayPass === false) remember(this.#outcomes, true);
        else if (started >= this.#answered) remember(this.#outcomes, false);
        learn(known?.fault === 'overloaded' ? 'overloaded' : 'failed', known?.limits ?? null);
        throw error;
      }
    });
  }
}

function remember<T>(last: T[], one: T): void {
  last.push(one);
  if (last.length > remembered) last.shift();
}

function policiesOf({ retries }: Limits, random: () => number, isWell: () => boolean) {
  const pause = new DelegateBackoff<IRetryBackoffContext<unknown>>(({ attempt, result }) => {
    const error = 'error' in result ? result.error : null;
    const asked = error instanceof ProviderError ? error.retryAfterMs : null;
    // What waits for the same moment should not come back in the same one.
    if (asked !== null) return asked + random() * Math.min(1000, asked / 4);
    return random() * Math.min(longestPauseMs, firstPauseMs * (isWell() ? 1 : 2 ** (attempt - 1)));
  });
  const mayPass = (error: unknown) =>
    error instanceof ProviderError && error.mayPass && (error.retryAfterMs ?? 0) <= longestRetryAfterMs;
  return {
    again: retry(handleWhen(mayPass), { maxAttempts: retries, backoff: pause }),
    breaker: circuitBreaker(
      handleType(ProviderError, (error) => error.mayPass),
      { halfOpenAfter: coolDownMs, breaker: new ConsecutiveBreaker(givenUp) },
    ),
  };
}

/** Gives work a time, after which its signal is aborted. A policy of cockatiel would abort one after every success. */
async function withinMs<T>(
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new ProviderError('unavailable', `no answer within ${ms / 1000} s`)),
    ms,
  );
  const stay = onAbort(signal, () => late.abort(signal.reason));
  try {
    return await work(late.signal);
  } finally {
    clearTimeout(timer);
    stay();
  }
}
