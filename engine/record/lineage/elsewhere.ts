import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../digest.ts';
import { parseRecord, type RunRecord } from '../record.ts';

/** Another run in which the same content occurs. */
export interface OtherUse {
  run: string;
  /** `step.output` that came out the same. */
  made: string[];
  /** Steps that read it, from that run or from an earlier one. */
  read: string[];
}

/**
 * Runs, the latest first, in which an artefact with this digest was made or read. Each run.json is read as text, and
 * parsed if the digest stands in it: 10,000 runs take about a second.
 */
export function otherUses(runsFolder: string, run: string, digest: Digest): OtherUse[] {
  const uses: OtherUse[] = [];
  for (const id of readdirSync(runsFolder).sort().reverse()) {
    if (id === run) continue;
    const record = recordWith(join(runsFolder, id, 'run.json'), digest);
    if (record === undefined) continue;
    const made = record.steps.flatMap((step) =>
      Object.entries(step.outputs).flatMap(([output, artefact]) =>
        artefact.digest === digest ? [`${step.id}.${output}`] : [],
      ),
    );
    const read = record.steps.flatMap((step) =>
      Object.values(step.inputs).some((parts) => parts.some((part) => part.digest === digest))
        ? [step.id]
        : [],
    );
    if (made.length + read.length > 0) uses.push({ run: id, made, read });
  }
  return uses;
}

function recordWith(path: string, digest: Digest): RunRecord | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    // Not a run.
    return undefined;
  }
  // One whose record is damaged is passed over: `runs show` says what is wrong with it.
  const parsed = text.includes(digest) ? parseRecord(text) : undefined;
  return parsed && 'record' in parsed ? parsed.record : undefined;
}
