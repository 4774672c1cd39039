import type { Artefact } from '../../artefacts.ts';
import type { Digest } from '../../digest.ts';
import type { RunRecord, StepRecord } from '../record.ts';
import { ahead, type MadeRows } from './ahead.ts';
import { type FollowedIds, goneReason, shortList } from './followed.ts';
import { type LineageTables, tablesOf } from './tables.ts';

/** A later step of the same run that read it, directly or through others. */
export interface DownstreamStep {
  step: string;
  use: string;
  direct: boolean;
  outputs: { output: string; kind: Artefact['kind']; digest: Digest; ids: FollowedIds | null }[];
  /** Why rows cannot be followed to here. */
  lost: string | null;
}

/**
 * The later steps of a run that read an output, directly or through others, and what they made from these rows of it.
 *
 * @param ids rows to follow; null for none
 */
export async function downstreamOf(
  record: RunRecord,
  start: StepRecord,
  output: string,
  ids: ReadonlySet<string> | null,
  tables: LineageTables,
): Promise<DownstreamStep[]> {
  const begin = ids && (await beginning(start, output, ids, tables));
  const made = new Map<string, MadeRows | null>([[`${start.id}.${output}`, begin]]);
  const found: DownstreamStep[] = [];
  for (const step of record.steps) {
    const read = Object.values(step.inputs)
      .flat()
      .filter((part) => part.run === null && made.has(`${part.step}.${part.output}`));
    if (read.length === 0) continue;
    const inputs = read.flatMap((part) => {
      const rows = made.get(`${part.step}.${part.output}`);
      const from = record.steps.find(({ id }) => id === part.step)!.outputs[part.output];
      return rows && from ? [{ artefact: from, made: rows }] : [];
    });
    let rows: Map<string, MadeRows | null> | null = null;
    let lost: string | null = null;
    if (ids) {
      try {
        rows = inputs.length === 0 ? null : await ahead(step, inputs, tables);
        if (rows === null) lost = 'it was made from files, which have no rows';
      } catch (error) {
        lost = goneReason(error);
      }
    }
    const outputs = Object.entries(step.outputs).map(([name, one]) => {
      const of = rows?.get(name) ?? null;
      made.set(`${step.id}.${name}`, of);
      return {
        output: name,
        kind: one.kind,
        digest: one.digest,
        ids: of && shortList(new Set([...of.ids, ...of.groups])),
      };
    });
    const direct = read.some((part) => part.step === start.id && part.output === output);
    found.push({ step: step.id, use: step.use, direct, outputs, lost });
  }
  return found;
}

/** Groups are followed by other rules than rows of data. A table that is gone is found out where it is read again. */
async function beginning(
  start: StepRecord,
  output: string,
  ids: ReadonlySet<string>,
  tables: LineageTables,
): Promise<MadeRows> {
  const artefact = start.outputs[output]!;
  const own =
    artefact.kind === 'matrix'
      ? tablesOf(start.outputs).find(([, table]) => table.ids === artefact.ids)?.[1]
      : artefact;
  try {
    if (own?.kind === 'table' && (await tables.isOfGroups(own)))
      return { ids: new Set(), groups: new Set(ids) };
  } catch (error) {
    goneReason(error);
  }
  return { ids: new Set(ids), groups: new Set() };
}
