import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { download } from './download.ts';

const folder = mkdtempSync(join(tmpdir(), 'reprise-download-'));
afterAll(() => rmSync(folder, { recursive: true }));
const bytes = (seed: number) =>
  Buffer.from(Uint8Array.from({ length: 300_000 }, (_, at) => (at * seed) % 251));
const digest = (data: Buffer) => createHash('sha256').update(data).digest('hex');

/** Serves a file with ranges; connections end when `breaks` bytes of them have been heard of, as long as there are such. */
async function serving(options: { data: Buffer; tag?: string; breaks?: number[]; status?: number }) {
  const ranges: (string | undefined)[] = [];
  let cut: { at: number; now(): void } | null = null;
  const server = createServer((request, response) => {
    const { data, tag = '"a"', breaks = [], status } = options;
    ranges.push(request.headers.range);
    if (status !== undefined) return void response.writeHead(status).end();
    const asked = /bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1];
    const from = asked !== undefined && request.headers['if-range'] === tag ? Number(asked) : 0;
    if (from >= data.length)
      return void response.writeHead(416, { 'content-range': `bytes */${data.length}` }).end();
    const rest = data.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      etag: tag,
      'content-length': rest.length,
      ...(from > 0 && { 'content-range': `bytes ${from}-${data.length - 1}/${data.length}` }),
    });
    const end = breaks.shift();
    if (end === undefined) response.end(rest);
    else {
      response.write(rest.subarray(0, end));
      cut = { at: from + end, now: () => request.socket.destroy() };
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ranges,
    heard(done: number) {
      if (cut === null || done < cut.at) return;
      cut.now();
      cut = null;
    },
    url: `http://127.0.0.1:${port}/model.gguf`,
    [Symbol.dispose]: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

const signal = new AbortController().signal;
const given = { signal, pauseMs: 1 };

it('goes on where the connection broke, and puts the file in its place when it is whole', async () => {
  const data = bytes(7);
  using server = await serving({ data, breaks: [100_000, 50_000] });
  const file = join(folder, 'deep/a.gguf');
  let last: [number, number | null] = [0, null];
  const onProgress = (done: number, total: number | null) => {
    last = [done, total];
    server.heard(done);
    expect(existsSync(file)).toBe(false);
  };
  const { url } = server;
  expect(await download({ ...given, url, file, sha256: digest(data).toUpperCase(), onProgress })).toEqual({
    bytes: data.length,
    sha256: digest(data),
  });
  expect(last).toEqual([data.length, data.length]);
  expect(readFileSync(file).equals(data)).toBe(true);
  expect([existsSync(`${file}.part`), existsSync(`${file}.part.json`)]).toEqual([false, false]);
  const [first, ...others] = server.ranges;
  expect(first).toBeUndefined();
  // Bytes that came are not asked for again.
  expect(others).toEqual(['bytes=100000-', 'bytes=150000-']);
});

it('goes on with what an earlier process left, but not with that of another version', async () => {
  const data = bytes(11);
  using server = await serving({ data });
  const { url } = server;
  const file = join(folder, 'b.gguf');
  const left = (version: string, content: Buffer) => {
    writeFileSync(`${file}.part`, content);
    writeFileSync(`${file}.part.json`, JSON.stringify({ url, version }));
  };
  left('"a"', data.subarray(0, 200_000));
  await download({ ...given, url, file });
  expect(server.ranges).toEqual(['bytes=200000-']);
  expect(digest(readFileSync(file))).toBe(digest(data));
  // Whole, but for its name.
  left('"a"', data);
  await download({ ...given, url, file });
  expect(digest(readFileSync(file))).toBe(digest(data));
  left('"old"', bytes(13).subarray(0, 200_000));
  await download({ ...given, url, file });
  expect(digest(readFileSync(file))).toBe(digest(data));
});

it('notes a new version only once nothing of the old one is left, whenever it ends', async () => {
  using server = await serving({ data: bytes(11) });
  const { url } = server;
  const file = join(folder, 'unemptied.gguf');
  const old = JSON.stringify({ url, version: '"old"' });
  mkdirSync(`${file}.part`);
  writeFileSync(`${file}.part.json`, old);
  await expect(download({ ...given, url, file })).rejects.toThrow('EISDIR');
  expect(readFileSync(`${file}.part.json`, 'utf8')).toBe(old);
});

it('leaves nothing that has another digest, and says what the server answers', async () => {
  const data = bytes(17);
  using server = await serving({ data });
  const file = join(folder, 'c.gguf');
  const wanted = 'ab'.repeat(32);
  await expect(download({ ...given, url: server.url, file, sha256: wanted })).rejects.toThrow(
    `has sha256 ${digest(data)}, and ${wanted} is wanted`,
  );
  expect([existsSync(file), existsSync(`${file}.part`)]).toEqual([false, false]);
  using none = await serving({ data, status: 404 });
  await expect(download({ ...given, url: none.url, file })).rejects.toThrow('it answered 404 Not Found');
  expect(none.ranges).toHaveLength(1);
  using busy = await serving({ data, status: 503 });
  await expect(download({ ...given, url: busy.url, file })).rejects.toThrow('it answered 503');
  expect(busy.ranges).toHaveLength(4);
});
