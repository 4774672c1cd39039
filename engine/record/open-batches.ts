import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { StepBatch } from '../events.ts';
import { readEvents } from './event-log.ts';

/**
 * Batches of requests of a run that had not ended when it was last heard of them, in the order of their submission. Of a
 * run that was killed, they go on at their provider.
 *
 * @param runFolder absolute path of `runs/<id>`
 */
export function openBatches(runFolder: string): Pick<StepBatch, 'step' | 'batch'>[] {
  const batches = new Map<string, Pick<StepBatch, 'step' | 'batch'>>();
  const path = join(runFolder, 'events.ndjson');
  if (!existsSync(path)) return [];
  for (const event of readEvents(path, ['step-batch'])) {
    if (event.type !== 'step-batch') continue;
    const { step, batch } = event;
    const name = `${step} ${batch.id}`;
    if (batch.state === 'ended') batches.delete(name);
    else batches.set(name, { step, batch });
  }
  return [...batches.values()];
}
