import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Layout } from './layout.ts';
import type { LayoutCache } from './svg.ts';

/**
 * Layouts as JSON files in a folder, which is made when it is first written to. It only saves time: what cannot be
 * read is laid out again, and where nothing can be written nothing is kept.
 */
export function folderLayouts(folder: string): LayoutCache {
  const file = (key: string) => join(folder, `${key.replace(/^sha256:/, '')}.json`);
  return {
    async get(key) {
      try {
        const layout = JSON.parse(await readFile(file(key), 'utf8')) as Partial<Layout>;
        return Array.isArray(layout.boxes) && Array.isArray(layout.lines) ? (layout as Layout) : undefined;
      } catch {
        return undefined;
      }
    },
    async set(key, layout) {
      const temporary = `${file(key)}.${process.pid}`;
      try {
        await mkdir(folder, { recursive: true });
        await writeFile(temporary, JSON.stringify(layout));
        await rename(temporary, file(key));
      } catch {
        // A full disk or a read-only project: the next drawing is laid out anew.
      }
    },
  };
}
