import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RemoteStorage } from './storage.ts';

/** A folder that several machines or projects see. It is made by the first `put`; the folder above must be there. */
export function folderStorage(folder: string): RemoteStorage {
  let made: Promise<unknown> | undefined;
  const makeRoot = async (): Promise<void> => {
    await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
      // Not recursively: a share that is not mounted must not become a folder of this machine.
      if (error.code !== 'EEXIST') throw error;
    });
    await mkdir(join(folder, 'tmp'), { recursive: true });
  };
  return {
    limitBytes: Number.POSITIVE_INFINITY,
    async get(name, signal) {
      const path = join(folder, name);
      if (!(await isThere(path))) return undefined;
      return createReadStream(path, { signal, highWaterMark: 2 ** 20 });
    },
    has: (name) => isThere(join(folder, name)),
    async put(name, { content }, signal) {
      made ??= makeRoot();
      await made;
      const draft = join(folder, 'tmp', randomUUID());
      const path = join(folder, name);
      try {
        const file = await open(draft, 'wx');
        try {
          for await (const piece of content) {
            signal.throwIfAborted();
            await file.write(piece);
          }
        } finally {
          await file.close();
        }
        await mkdir(dirname(path), { recursive: true });
        await rename(draft, path);
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
    },
    async close() {},
  };
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return false;
    throw error;
  }
}
