import KeyvRedis, { createClient } from '@keyv/redis';
import Keyv from 'keyv';
import type { RemoteStorage } from './storage.ts';

/** A value is held in memory as a whole, here and there: larger blobs stay at home. */
const limitBytes = 64 * 2 ** 20;

/** Redis through Keyv's adapter. Values are base64, as Keyv stores texts. */
export function redisStorage(
  url: string,
  env: { REDIS_USERNAME?: string | undefined; REDIS_PASSWORD?: string | undefined },
  timeoutMs: number,
): RemoteStorage {
  const client = createClient({
    url,
    ...(env.REDIS_USERNAME && { username: env.REDIS_USERNAME }),
    ...(env.REDIS_PASSWORD && { password: env.REDIS_PASSWORD }),
    // A server that is away is not waited for: the run goes on without it.
    socket: { connectTimeout: timeoutMs, reconnectStrategy: false },
  });
  let failure: unknown;
  const note = (error: unknown): void => {
    failure ??= error;
  };
  client.on('error', note);
  const adapter = new KeyvRedis<string>(client as never, {
    throwOnConnectError: true,
    throwOnErrors: true,
    connectionTimeout: timeoutMs,
  });
  adapter.on('error', note);
  const keyv = new Keyv<string>({ store: adapter, namespace: 'reprise', throwOnErrors: true });
  keyv.on('error', note);

  /** Keyv answers some failures with `undefined`: they are thrown. */
  const checked = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
    const stopped = new Promise<never>((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    const value = await Promise.race([work, stopped]);
    if (failure !== undefined) throw failure;
    return value;
  };
  return {
    limitBytes,
    async get(name, signal) {
      const text = await checked(keyv.get<string>(name), signal);
      if (text === undefined) return undefined;
      if (typeof text !== 'string') throw new Error(`the value of ${name} is no text`);
      return once(Buffer.from(text, 'base64'));
    },
    has: (name, signal) => checked(keyv.has(name), signal),
    async put(name, { content }, signal) {
      const bytes = Buffer.concat(await Array.fromAsync(content));
      if ((await checked(keyv.set(name, bytes.toString('base64')), signal)) === false)
        throw new Error(`${name} was not stored`);
    },
    async close() {
      client.destroy();
    },
  };
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
