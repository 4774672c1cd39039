import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';

const mostBytes = 20e9;
const shareOfDisk = 0.1;

/**
 * What a store may grow to where reprise.yaml does not say it: 20 GB or a tenth of the disk, whichever is less.
 *
 * @param folder the store's folder; it need not be there yet
 */
export function defaultCacheBytes(folder: string): number {
  for (let path = folder; ; path = dirname(path)) {
    try {
      const { blocks, bsize } = statfsSync(path);
      return Math.min(mostBytes, Math.floor(blocks * bsize * shareOfDisk) || mostBytes);
    } catch {
      if (dirname(path) === path) return mostBytes;
    }
  }
}
