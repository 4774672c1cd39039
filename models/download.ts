import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface DownloadOptions {
  url: string;
  /** Absolute path that the file gets when it is whole. Until then its bytes are in `<file>.part`. */
  file: string;
  /** What the bytes must come to, in hex; anything if not given. */
  sha256?: string | undefined;
  signal: AbortSignal;
  /** Bytes so far, and altogether (null if the server does not say). */
  onProgress?(done: number, total: number | null): void;
  /** Milliseconds before a try after one that brought nothing; twice as many before the next. */
  pauseMs?: number;
  /** Milliseconds without a byte after which a connection is given up. */
  stalledMs?: number;
}

/** Why a file was not downloaded; what there is of it is kept unless it is wrong. */
export class DownloadError extends Error {
  override name = 'DownloadError';
}

/** Tries in a row that bring no byte. */
const mostTries = 4;

/** What a part is of: another address, or another version of the file, starts anew. */
interface PartOf {
  url: string;
  /** The server's strong ETag, or the time of the last change. */
  version: string;
}

/**
 * Downloads a file: goes on where an earlier try or an earlier process ended, if the server still has the same version; puts
 * it in its place in one step, when it is whole and has its digest. One at a time for a file: see to it with a lease. Gives
 * its size and digest. Rejects with a DownloadError, or with the reason of the aborted signal.
 */
export async function download(options: DownloadOptions): Promise<{ bytes: number; sha256: string }> {
  const { file, sha256, signal, pauseMs = 1000 } = options;
  const part = `${file}.part`;
  await mkdir(dirname(file), { recursive: true });
  let pause = pauseMs;
  for (let failures = 0; ; ) {
    signal.throwIfAborted();
    const before = await sizeOf(part);
    let failure: unknown;
    try {
      if (await fetchRest(options, part)) break;
      failure = new DownloadError('the connection ended before the file did');
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof DownloadError) throw error;
      failure = error;
    }
    const moved = (await sizeOf(part)) > before;
    if (moved) pause = pauseMs;
    failures = moved ? 0 : failures + 1;
    if (failures >= mostTries) throw new DownloadError(`${options.url}: ${causeOf(failure)}`);
    if (!moved) {
      await delay(pause, undefined, { signal });
      pause *= 2;
    }
  }
  const found = await digestOf(part);
  if (sha256 !== undefined && found !== sha256.toLowerCase()) {
    await forget(part);
    throw new DownloadError(`${options.url} has sha256 ${found}, and ${sha256.toLowerCase()} is wanted`);
  }
  const bytes = await sizeOf(part);
  await rename(part, file);
  await forget(part);
  return { bytes, sha256: found };
}

/** The sha256 of a file, in hex. */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
  return hash.digest('hex');
}

/** Appends what is missing. True if the file is whole then. */
async function fetchRest(
  { url, signal, onProgress, stalledMs = 60_000 }: DownloadOptions,
  part: string,
): Promise<boolean> {
  const known = await readPartOf(part);
  let have = known?.url === url ? await sizeOf(part) : 0;
  const stalled = new AbortController();
  const watch = setTimeout(
    () => stalled.abort(new Error(`nothing came for ${stalledMs / 1000} s`)),
    stalledMs,
  );
  let handle: FileHandle | undefined;
  try {
    const response = await fetch(url, {
      signal: AbortSignal.any([signal, stalled.signal]),
      headers: {
        'accept-encoding': 'identity',
        ...(have > 0 && known !== null && { range: `bytes=${have}-`, 'if-range': known.version }),
      },
    });
    const { status, headers } = response;
    if (status === 416) {
      // There is nothing after what is there: it is whole, or of another version.
      const total = Number(/\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1]);
      if (total === have) return true;
      await forget(part);
      return false;
    }
    if (status >= 500 || status === 429)
      throw new Error(`it answered ${status} ${response.statusText}`.trim());
    if (!response.ok || response.body === null)
      throw new DownloadError(`${url}: it answered ${status} ${response.statusText}`.trim());
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
    const goesOn = status === 206 && Number(range?.[1]) === have;
    if (!goesOn) have = 0;
    const length = headers.get('content-length');
    const total = length === null ? null : have + Number(length);
    handle = await open(part, goesOn ? 'a' : 'w');
    // Only now is nothing of another version left.
    if (!goesOn) await notePart(part, { url, version: versionOf(headers) });
    onProgress?.(have, total);
    for await (const piece of response.body) {
      watch.refresh();
      await handle.writeFile(piece);
      have += piece.byteLength;
      onProgress?.(have, total);
    }
    await handle.sync();
    return total === null || have === total;
  } finally {
    clearTimeout(watch);
    await handle?.close();
  }
}

/** A weak tag does not say that the bytes are the same. */
function versionOf(headers: Headers): string {
  const tag = headers.get('etag');
  return tag !== null && !tag.startsWith('W/') ? tag : (headers.get('last-modified') ?? '');
}

async function readPartOf(part: string): Promise<PartOf | null> {
  try {
    const { url, version } = JSON.parse(await readFile(`${part}.json`, 'utf8')) as Partial<PartOf>;
    return typeof url === 'string' && typeof version === 'string' && version !== '' ? { url, version } : null;
  } catch {
    return null;
  }
}

async function notePart(part: string, of: PartOf): Promise<void> {
  await writeFile(`${part}.json`, JSON.stringify(of));
}

async function forget(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(`${part}.json`, { force: true });
}

async function sizeOf(file: string): Promise<number> {
  return existsSync(file) ? (await stat(file)).size : 0;
}

function causeOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `it cannot be reached: ${cause.message || cause.name}` : message;
}
