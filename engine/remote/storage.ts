import type { Digest } from '../digest.ts';

/** Bytes that are put into a shared cache. */
export interface RemoteContent {
  /** Of the whole content. */
  digest: Digest;
  bytes: number;
  content: AsyncIterable<Uint8Array>;
}

/**
 * Where a shared cache keeps its bytes, by names like `v1/objects/ab12…`. Every call may fail, and ends with the signal;
 * nothing that comes back is believed before its digest was checked. An implementation is a file here and a line in open.ts.
 */
export interface RemoteStorage {
  /** The largest content that it takes. */
  readonly limitBytes: number;
  /** Undefined if nothing has the name. */
  get(name: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
  has(name: string, signal: AbortSignal): Promise<boolean>;
  /** Whole or not at all. */
  put(name: string, blob: RemoteContent, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
