import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Asked, addAsked, addCost } from '../asked.ts';
import { readEvents } from './event-log.ts';
import type { Cost, RunHead, RunRecord } from './record.ts';

/**
 * What the steps of a run asked of language models, of a run that has not ended as well: one that goes on, or whose process
 * was killed. By its events; what was spent in the last tenth of a second before a SIGKILL is not in them.
 *
 * @param runFolder absolute path of `runs/<id>`
 */
export function askedSoFar(runFolder: string): Map<string, Asked> {
  const asked = new Map<string, Asked>();
  const path = join(runFolder, 'events.ndjson');
  if (!existsSync(path)) return asked;
  const note = (step: string, one: Asked | undefined) => {
    // The file may have been edited.
    if (typeof one?.cost?.usd === 'number' && Array.isArray(one.models)) asked.set(step, one);
  };
  for (const event of readEvents(path, ['step-asked', 'step-finished'])) {
    if (event.type === 'step-asked') note(event.step, event.asked);
    else if (event.type === 'step-finished') note(event.step, event.outcome?.asked);
  }
  return asked;
}

/** A run as its record says, with the cost that is known of it if it has not ended: its record was written when it began. */
export function withCostSoFar<R extends RunHead>(run: R, runFolder: string): R {
  if (run.finished !== null) return run;
  const { cost } = addAsked([...askedSoFar(runFolder).values()]);
  return { ...run, summary: { ...run.summary, cost } };
}

/** Runs that one goes on from, and what they cost together with it. */
export interface Resumed {
  runs: string[];
  cost: Cost;
}

/**
 * The runs of the same workflow right before one, back to the last that succeeded: it goes on from what they left. Null if there
 * is none that cost anything.
 *
 * @param before all runs, the newest first
 * @param folderOf absolute path of a run's folder
 */
export function resumedRuns(
  { id, summary }: Pick<RunRecord, 'id' | 'summary'>,
  before: readonly RunHead[],
  folderOf: (id: string) => string,
): Resumed | null {
  const place = before.findIndex((run) => run.id === id);
  const runs: string[] = [];
  let cost = summary.cost;
  for (const run of before.slice(place + 1)) {
    if (run.summary.path !== summary.path || run.status === 'running') continue;
    if (run.status === 'succeeded') break;
    const own = withCostSoFar(run, folderOf(run.id)).summary.cost;
    if (own.usd === 0 && own.input_tokens === 0) continue;
    runs.push(run.id);
    cost = addCost(cost, { ...own, saved_usd: 0 });
  }
  return runs.length === 0 ? null : { runs, cost };
}
