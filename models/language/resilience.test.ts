import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { uniform } from '../../numerics/random.ts';
import { Gate } from './gate.ts';
import { type Provider, type ProviderAnswer, ProviderError, type ProviderFault } from './provider.ts';
import { OutOfOrder, Resilience } from './resilience.ts';
import type { Limits } from './settings.ts';

const limits: Limits = {
  concurrency: 1,
  requests_per_minute: undefined,
  tokens_per_minute: undefined,
  timeoutMs: 5000,
  retries: 4,
};
const answer: ProviderAnswer = {
  text: 'yes',
  finish: 'stop',
  usage: null,
  served: null,
  billed: null,
  limits: null,
  logprobs: null,
};
const request = { model: 'm', messages: [], sampling: {}, schema: null, sample: 0 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A provider that fails as it is told, and the times at which it was asked. */
function line(fail: (attempt: number) => ProviderError | null, more: Partial<Limits> = {}, random = 1) {
  const at: number[] = [];
  const started = performance.now();
  const provider = {
    async ask() {
      at.push(performance.now() - started);
      const error = fail(at.length - 1);
      if (error !== null) throw error;
      return answer;
    },
  };
  const given = { ...limits, ...more };
  const resilience = new Resilience(provider, new Gate(given), given, () => random);
  const ask = async () => {
    const asked = resilience.ask(request, 1, new AbortController().signal).then(
      ({ text }) => text,
      (error: Error) => error,
    );
    await vi.runAllTimersAsync();
    return asked;
  };
  return { at, ask };
}

const broken = (fault: ProviderFault, retryAfterMs: number | null = null) =>
  new ProviderError(fault, 'broke', { retryAfterMs });
const pauses = (at: readonly number[]) => at.slice(1).map((time, index) => Math.round(time - at[index]!));

describe('tries', () => {
  it('come after pauses that double, drawn from nothing to their whole length', async () => {
    const full = line(() => broken('unavailable'));
    expect(await full.ask()).toMatchObject({ fault: 'unavailable', tries: 5 });
    const whole = pauses(full.at);
    whole.forEach((pause, index) => {
      expect(pause).toBeGreaterThanOrEqual(250 * 2 ** index);
      expect(pause).toBeLessThanOrEqual(250 * 2 ** (index + 1));
    });
    const half = line(() => broken('overloaded'), {}, 0.5);
    await half.ask();
    expect(pauses(half.at)).toEqual(whole.map((pause) => pause / 2));
    const none = line(() => broken('overloaded'), {}, 0);
    await none.ask();
    expect(pauses(none.at)).toEqual([0, 0, 0, 0]);
  });

  it('wait for as long as the server asks, and a little longer', async () => {
    for (const random of [0, 1]) {
      const { at, ask } = line((attempt) => (attempt === 0 ? broken('overloaded', 7000) : null), {}, random);
      expect(await ask()).toBe('yes');
      expect(pauses(at)).toEqual([7000 + random * 1000]);
    }
    // Five minutes at most.
    const long = line(() => broken('overloaded', 301_000));
    expect(await long.ask()).toMatchObject({ tries: 1 });
    expect(long.at).toHaveLength(1);
  });

  it.each<ProviderFault>(['denied', 'rejected', 'unknown-model', 'setup'])(
    'are not made after %s',
    async (fault) => {
      const { at, ask } = line(() => broken(fault));
      expect(await ask()).toMatchObject({ fault, tries: 1 });
      expect(at).toHaveLength(1);
    },
  );
});

describe('many requests through faults in one of five', () => {
  const given = { ...limits, concurrency: 32, timeoutMs: 2000, retries: 8 };

  /** A server that takes 20 ms for an answer, and never comes back from one of a hundred requests. */
  function faulty(random: () => number) {
    const seen = { requests: 0, hung: 0, underway: 0, most: 0, answers: new Map<string, number>() };
    const provider: Provider = {
      async ask({ model: row }, signal) {
        seen.requests++;
        seen.most = Math.max(seen.most, ++seen.underway);
        try {
          const drawn = random();
          if (drawn < 0.02) {
            seen.hung++;
            await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
          }
          await new Promise((resolve) => setTimeout(resolve, 20));
          if (drawn < 0.04) throw broken('overloaded', 20);
          if (drawn < 0.16) throw broken(drawn < 0.06 ? 'overloaded' : 'unavailable');
          seen.answers.set(row, (seen.answers.get(row) ?? 0) + 1);
          return answer;
        } finally {
          seen.underway--;
        }
      },
    };
    return { seen, resilience: new Resilience(provider, new Gate(given), given, random) };
  }

  /** How long many rows took, 128 at once as in a step, and how long it had to be with all places taken all the time. */
  async function timed(count: number, seed: number) {
    const { seen, resilience } = faulty(uniform(seed));
    const rows = Array.from({ length: count }, (_, index) => `row ${index}`);
    const started = performance.now();
    const ask = async () => {
      for (let row = rows.pop(); row !== undefined; row = rows.pop())
        await resilience.ask({ ...request, model: row }, 1, new AbortController().signal);
    };
    const took = Promise.all(Array.from({ length: 128 }, ask)).then(() => performance.now() - started);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(seen.most).toBe(32);
    expect(seen.answers.size).toBe(count);
    expect([...seen.answers.values()].every((times) => times === 1)).toBe(true);
    const ideal = ((seen.requests - seen.hung) * 20 + seen.hung * given.timeoutMs) / given.concurrency;
    return { took: await took, ideal };
  }

  it('takes its places all the time, and has few tries left at the end', async () => {
    // Of 10,000 rows: the time of a server that is simulated, not of this machine.
    const whole = await timed(10_000, 7);
    expect(whole.took / whole.ideal).toBeLessThan(1.2);
    // By chance one of the last requests never comes back, or two do: the mean of several.
    let over = 0;
    for (let seed = 1; seed <= 8; seed++) {
      const { took, ideal } = await timed(1000, seed);
      over += (took - ideal) / 8;
    }
    expect(over).toBeLessThan(2200);
  });
});

describe('the circuit', () => {
  it('opens after five requests that were given up, lets a probe through after 20 s, and closes when it passes', async () => {
    let up = false;
    const { at, ask } = line(() => (up ? null : broken('unavailable')), { retries: 0 });
    for (let index = 0; index < 5; index++) expect(await ask()).toBeInstanceOf(ProviderError);
    expect(await ask()).toBeInstanceOf(OutOfOrder);
    await vi.advanceTimersByTimeAsync(19_000);
    expect(await ask()).toBeInstanceOf(OutOfOrder);
    expect(at).toHaveLength(5);
    // A probe that fails opens it for as long again.
    await vi.advanceTimersByTimeAsync(1100);
    expect(await ask()).toBeInstanceOf(ProviderError);
    expect(await ask()).toBeInstanceOf(OutOfOrder);
    expect(at).toHaveLength(6);
    up = true;
    await vi.advanceTimersByTimeAsync(20_100);
    expect(await ask()).toBe('yes');
    expect(await ask()).toBe('yes');
    expect(at).toHaveLength(8);
  });

  it('stays closed for what is wrong with requests, and for failures that pass', async () => {
    const wrong = line(() => broken('rejected'), { retries: 0 });
    for (let index = 0; index < 8; index++) expect(await wrong.ask()).toMatchObject({ fault: 'rejected' });
    expect(wrong.at).toHaveLength(8);
    const now = line((attempt) => (attempt % 2 === 0 ? broken('unavailable') : null), { retries: 1 });
    for (let index = 0; index < 8; index++) expect(await now.ask()).toBe('yes');
  });
});
