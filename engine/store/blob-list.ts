import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Digest } from '../digest.ts';

export interface StoredBlob {
  digest: Digest;
  bytes: number;
  /** When it was stored, to the second. */
  mtimeMs: number;
}

/** The blobs in a folder that have their names, in the order of their names. */
export async function* listBlobs(folder: string): AsyncGenerator<StoredBlob, void> {
  for (const shard of namesIn(folder)) {
    if (!/^[0-9a-f]{2}$/.test(shard)) continue;
    await nextTurn();
    for (const rest of namesIn(join(folder, shard))) {
      if (!/^[0-9a-f]{62}$/.test(rest)) continue;
      const stat = statSync(join(folder, shard, rest), { throwIfNoEntry: false });
      if (!stat) continue;
      const digest: Digest = `sha256:${shard}${rest}`;
      yield { digest, bytes: stat.size, mtimeMs: Math.floor(stat.mtimeMs / 1000) * 1000 };
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A file where a folder should be: the blobs that belong there are missing.
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
