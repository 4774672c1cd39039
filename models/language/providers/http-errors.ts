import { ProviderError, type RateLimits } from '../provider.ts';

/** The part that the errors of both SDKs have in common. */
interface SdkError {
  name: string;
  message: string;
  status?: number | undefined;
  headers?: Headers | undefined;
  error?: unknown;
}

/** What an SDK threw, as our own error: by status where there is one, else a connection that failed. */
export function fromSdk(error: unknown, keyName: string | null): ProviderError {
  if (error instanceof ProviderError) return error;
  const { status, headers, message } = error as SdkError;
  const said = spoken(error as SdkError);
  const retryAfterMs = headers ? retryAfter(headers) : null;
  if (status === undefined) return new ProviderError('unavailable', connection(error as SdkError));
  if (status === 429 && /insufficient_quota|billing/i.test(`${said}`))
    return new ProviderError('denied', `the account has no credit left: ${said}`);
  if (status === 429 || status === 529 || status === 503)
    return new ProviderError('overloaded', `${status} ${said}`, {
      retryAfterMs,
      limits: headers ? rateLimits(headers) : null,
    });
  if (status === 401 || status === 403)
    return new ProviderError('denied', `${status} ${said}`, {
      hint:
        keyName === null
          ? 'it was asked without a key: api_key_env names the variable with the key for this server'
          : `is ${keyName} set, in the environment or in .env, and right?`,
    });
  if (status === 404) return new ProviderError('unknown-model', `${status} ${said}`);
  if (status === 408 || status === 409 || status >= 500)
    return new ProviderError('unavailable', `${status} ${said}`, { retryAfterMs });
  return new ProviderError('rejected', `${status} ${said || message}`);
}

function spoken({ error, message, status }: SdkError): string {
  const body = error as { message?: unknown; error?: { message?: unknown }; type?: unknown } | undefined;
  const text = body?.error?.message ?? body?.message;
  const words = typeof text === 'string' ? text : message.replace(new RegExp(`^${status} `), '');
  const code = (body as { code?: unknown } | undefined)?.code;
  return `${words}${typeof code === 'string' ? ` (${code})` : ''}`.slice(0, 500);
}

function connection(error: SdkError): string {
  const { cause } = error as { cause?: Cause };
  // An SDK that takes apart what is no object at all; a connection that breaks has a cause.
  if (error instanceof TypeError && cause === undefined) return 'the answer is none of this API';
  if (error instanceof SyntaxError) return `the answer is no JSON: ${error.message}`;
  const inner = cause?.cause ?? cause;
  // Of a name with several addresses each was tried; the message of them all is empty.
  const said = inner?.message || inner?.errors?.[0]?.message;
  if (inner?.code === undefined) return error.message;
  if (unreachable.includes(inner.code)) return `no server can be reached: ${said ?? inner.code}`;
  return `${error.message} (${said?.includes(inner.code) ? said : inner.code})`;
}

interface Cause {
  code?: string;
  message?: string;
  cause?: Cause;
  errors?: Cause[];
}

/** Nobody listens at the address, or there is none of that name. */
const unreachable = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'];

/** Milliseconds that `retry-after-ms` or `retry-after` (seconds, or a date) asks to wait. */
export function retryAfter(headers: Headers): number | null {
  const exact = Number.parseFloat(headers.get('retry-after-ms') ?? '');
  if (Number.isFinite(exact)) return Math.max(0, exact);
  const text = headers.get('retry-after');
  if (text === null) return null;
  const seconds = Number(text);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}

/** `x-ratelimit-remaining-requests: 3`, `x-ratelimit-reset-requests: 1m2.5s` and `x-ratelimit-limit-requests: 60`, or Anthropic's names and dates. */
export function rateLimits(headers: Headers): RateLimits | null {
  const left = (what: 'requests' | 'tokens') => {
    const remaining =
      headers.get(`x-ratelimit-remaining-${what}`) ?? headers.get(`anthropic-ratelimit-${what}-remaining`);
    const reset =
      headers.get(`x-ratelimit-reset-${what}`) ?? headers.get(`anthropic-ratelimit-${what}-reset`);
    if (remaining === null || reset === null) return null;
    const resetMs = durationMs(reset);
    if (!Number.isFinite(Number(remaining)) || resetMs === null) return null;
    const full =
      headers.get(`x-ratelimit-limit-${what}`) ?? headers.get(`anthropic-ratelimit-${what}-limit`) ?? '';
    const limit = Number.parseFloat(full);
    return { remaining: Number(remaining), resetMs, limit: limit > 0 ? limit : null };
  };
  const [requests, tokens] = [left('requests'), left('tokens')];
  return requests === null && tokens === null ? null : { requests, tokens };
}

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function durationMs(text: string): number | null {
  const parts = [...text.matchAll(/([\d.]+)(ms|s|m|h)/g)];
  if (parts.length > 0 && parts.map(([part]) => part).join('') === text)
    return parts.reduce((sum, [, n, unit]) => sum + Number(n) * units[unit as keyof typeof units], 0);
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}

/** An amount of US dollars that can be one: a negative one would fill up a budget. */
export function dollars(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}

/** A number of tokens that can be one. */
export function tokens(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
