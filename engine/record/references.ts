import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../digest.ts';
import type { RunReferences } from '../store/inventory.ts';
import { pinnedRunBlobs } from './pins.ts';
import { listRuns, pinnedBlobs } from './runs.ts';

/** What the runs under `runs/` say of the store. Each question reads them anew. */
export function runReferences(runsFolder: string): RunReferences {
  return {
    pinned() {
      const pins = pinnedBlobs(runsFolder);
      for (const digest of pinnedRunBlobs(runsFolder)) pins.add(digest);
      return pins;
    },
    workflowUses() {
      const uses = new Map<string, number>();
      // The latest first.
      for (const { summary, started } of listRuns(runsFolder).runs)
        if (!uses.has(summary.path)) uses.set(summary.path, Date.parse(started));
      return uses;
    },
    namedBy(blobs) {
      const found = new Map<Digest, { run: string; usedMs: number }>();
      for (const { id, started } of listRuns(runsFolder).runs) {
        if (found.size === blobs.size) break;
        let text: string;
        try {
          text = readFileSync(join(runsFolder, id, 'run.json'), 'utf8');
        } catch {
          continue;
        }
        for (const [name] of text.matchAll(/sha256:[0-9a-f]{64}/g)) {
          const digest = name as Digest;
          if (blobs.has(digest) && !found.has(digest))
            found.set(digest, { run: id, usedMs: Date.parse(started) });
        }
      }
      return found;
    },
  };
}
