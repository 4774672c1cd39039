import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasRedis, startRedisServer } from '../../test/redis-server.ts';
import { s3Credentials, startS3Server } from '../../test/s3-server.ts';
import { temporaryFolder } from '../../test/temporary.ts';
import { digestOf } from '../digest.ts';
import { folderStorage } from './folder.ts';
import { redisStorage } from './redis.ts';
import { s3Storage } from './s3.ts';
import type { RemoteStorage } from './storage.ts';

const never = new AbortController().signal;

async function* inPieces(bytes: Buffer): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
}

async function put(storage: RemoteStorage, name: string, bytes: Buffer): Promise<void> {
  await storage.put(name, { digest: digestOf(bytes), bytes: bytes.length, content: inPieces(bytes) }, never);
}

async function get(storage: RemoteStorage, name: string): Promise<Buffer | undefined> {
  const content = await storage.get(name, never);
  return content && Buffer.concat(await Array.fromAsync(content));
}

/** What every storage does. */
function contract(make: () => RemoteStorage): void {
  it('gives back the bytes that were put under a name, and nothing else', async () => {
    const storage = make();
    const large = Buffer.alloc(3_000_000, 'some bytes ');
    expect(await get(storage, 'v1/objects/ab/1')).toBeUndefined();
    expect(await storage.has('v1/objects/ab/1', never)).toBe(false);
    await put(storage, 'v1/objects/ab/1', large);
    await put(storage, 'v1/objects/ab/2', Buffer.from([0, 255, 10, 13]));
    await put(storage, 'v1/results/ab/1', Buffer.alloc(0));
    expect(await storage.has('v1/objects/ab/1', never)).toBe(true);
    expect((await get(storage, 'v1/objects/ab/1'))!.equals(large)).toBe(true);
    expect(await get(storage, 'v1/objects/ab/2')).toEqual(Buffer.from([0, 255, 10, 13]));
    expect(await get(storage, 'v1/results/ab/1')).toEqual(Buffer.alloc(0));
    await put(storage, 'v1/results/ab/1', Buffer.from('anew'));
    expect(String(await get(storage, 'v1/results/ab/1'))).toBe('anew');
    await storage.close();
  });

  it('passes on what goes wrong with the bytes to put, and keeps none of them', async () => {
    const storage = make();
    const fails = async function* (): AsyncIterable<Uint8Array> {
      yield Buffer.from('half');
      throw new Error('the disk is gone');
    };
    const blob = { digest: digestOf('half'), bytes: 8, content: fails() };
    await expect(storage.put('v1/objects/cd/1', blob, never)).rejects.toThrow('the disk is gone');
    expect(await get(storage, 'v1/objects/cd/1')).toBeUndefined();
    await storage.close();
  });
}

describe('a folder', () => {
  contract(() => folderStorage(join(temporaryFolder(), 'shared')));

  it('is not made where the folder above it is missing, as on a share that is not mounted', async () => {
    const above = temporaryFolder();
    const storage = folderStorage(join(above, 'share', 'cache'));
    await expect(put(storage, 'v1/objects/ab/1', Buffer.from('x'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(existsSync(join(above, 'share'))).toBe(false);
    rmSync(above, { recursive: true });
  });

  it('keeps no drafts', async () => {
    const folder = join(temporaryFolder(), 'shared');
    await put(folderStorage(folder), 'v1/objects/ab/1', Buffer.from('x'));
    expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
  });
});

describe('S3', () => {
  let server: Awaited<ReturnType<typeof startS3Server>>;
  beforeAll(async () => {
    server = await startS3Server();
  });
  afterAll(() => server.close());
  const env = () => ({ ...s3Credentials, AWS_ENDPOINT_URL_S3: server.url });

  contract(() => {
    server.objects.clear();
    return s3Storage('bucket', '/some/prefix/', env());
  });

  it('names objects by bucket and prefix', async () => {
    const storage = s3Storage('bucket', '/some/prefix/', env());
    await put(storage, 'v1/objects/ab/1', Buffer.from('x'));
    expect([...server.objects.keys()]).toContain('/bucket/some/prefix/v1/objects/ab/1');
  });

  it('fails with the status of an answer, and without credentials', async () => {
    const storage = s3Storage('bucket', '', { ...env(), AWS_SECRET_ACCESS_KEY: 'wrong' });
    await expect(storage.get('x', never)).rejects.toThrow('it answered 403 to GET');
    await expect(put(storage, 'x', Buffer.from('x'))).rejects.toThrow('it answered 403 to PUT');
    expect(() => s3Storage('bucket', '', {})).toThrow(/AWS_ACCESS_KEY_ID/);
    const away = s3Storage('bucket', '', { ...s3Credentials, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' });
    await expect(away.has('x', never)).rejects.toThrow(/ECONNREFUSED/);
    await expect(put(away, 'x', Buffer.alloc(1_000_000))).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe.skipIf(!hasRedis)('Redis', () => {
  let server: Awaited<ReturnType<typeof startRedisServer>>;
  beforeAll(async () => {
    server = await startRedisServer('secret');
  });
  afterAll(() => server.close());

  contract(() => redisStorage(server.url, { REDIS_PASSWORD: 'secret' }, 5000));

  it('fails where the password is wrong or nobody answers', async () => {
    const wrong = redisStorage(server.url, { REDIS_PASSWORD: 'wrong' }, 5000);
    await expect(get(wrong, 'x')).rejects.toThrow();
    await wrong.close().catch(() => {});
    const away = redisStorage('redis://127.0.0.1:1', {}, 5000);
    await expect(get(away, 'x')).rejects.toThrow();
    await away.close().catch(() => {});
  });
});

it.skipIf(hasRedis)('Redis is not tested: there is no redis-server on this machine', () => {});
