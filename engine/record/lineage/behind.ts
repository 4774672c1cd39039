import type { Artefact, MatrixArtefact, TableArtefact } from '../../artefacts.ts';
import { axesName } from '../../execute/io.ts';
import type { JsonObject } from '../../json.ts';
import type { StepRecord } from '../record.ts';
import { groupOf, type LineageTables, tablesOf, textOf } from './tables.ts';

/** Rows of an input that are behind rows of an output, or why they cannot be told. */
export type Followed =
  | { ids: ReadonlySet<string>; how: string[]; lost: null }
  | { ids: null; how: []; lost: string };

/** An artefact that a step read: `matrix` are the axes of the instance that made it. */
export interface ReadArtefact {
  /** `step.output` */
  name: string;
  artefact: Artefact;
  matrix: JsonObject | null;
}

/** What is known of the rows that are asked for. */
interface RowFacts {
  ids: ReadonlySet<string>;
  parents: Set<string>;
  groups: Set<string>;
  /** The rows stand for groups. */
  ofGroups: boolean;
  /** Ids of the rows of these groups, from another output of the step; null if there is none. */
  members: Set<string> | null;
  /** Rows that were removed for being the same as one of these. */
  merged: Set<string>;
}

/**
 * Follows rows of an output one step back, into each artefact that the step read. A step keeps ids; beyond that, rows
 * are followed by what is in them: `parent_id` (samples and chunks), `<id>@axis=value` (a gathered matrix), `dup_of` of
 * another output (rows that were removed as duplicates), and `cluster` between a table of groups and the rows in them.
 */
export async function behind(
  step: Pick<StepRecord, 'id' | 'outputs'>,
  output: string,
  ids: ReadonlySet<string>,
  read: readonly ReadArtefact[],
  tables: LineageTables,
): Promise<Followed[]> {
  const artefact = step.outputs[output]!;
  if (artefact.kind === 'files')
    return read.map(() => lost(`${step.id}.${output} is files: what is in them is not told row by row`));
  const facts = await factsOf(step, output, artefact, ids, tables);
  const found = new Map<string, Followed>();
  for (const source of read) {
    if (source.artefact.kind === 'table')
      found.set(source.artefact.ids, await inTable(facts, source, source.artefact, tables));
  }
  return Promise.all(
    read.map(async (source): Promise<Followed> => {
      const { name, artefact: from } = source;
      if (from.kind === 'files') return lost(`${name} is files: any row may have had a part in them`);
      if (from.kind === 'table') return inTable(facts, source, from, tables);
      // A matrix has the ids of a table, most often of one that the step read or wrote.
      const aligned = found.get(from.ids);
      if (aligned) return aligned;
      if (artefact.ids === from.ids) return { ids, how: ['same id'], lost: null };
      return lost(`nothing says which ids the rows of ${name} have`);
    }),
  );
}

function lost(reason: string): Followed {
  return { ids: null, how: [], lost: reason };
}

async function factsOf(
  step: Pick<StepRecord, 'outputs'>,
  output: string,
  artefact: TableArtefact | MatrixArtefact,
  ids: ReadonlySet<string>,
  tables: LineageTables,
): Promise<RowFacts> {
  const all = tablesOf(step.outputs);
  const own = artefact.kind === 'table' ? artefact : all.find(([, table]) => table.ids === artefact.ids)?.[1];
  const facts: RowFacts = {
    ids,
    parents: new Set(),
    groups: new Set(),
    ofGroups: own !== undefined && (await tables.isOfGroups(own)),
    members: null,
    merged: new Set(),
  };
  if (own)
    await tables.scan(own, (row) => {
      if (!ids.has(row.id)) return;
      const parent = textOf(row, 'parent_id');
      if (parent !== undefined) facts.parents.add(parent);
      const group = groupOf(row);
      if (group !== undefined) facts.groups.add(group);
    });
  for (const [name, table] of all) {
    if (name === output || table === own) continue;
    if (!facts.ofGroups && table.fields.includes('dup_of'))
      await tables.scan(table, (row) => {
        if (ids.has(textOf(row, 'dup_of') ?? '')) facts.merged.add(row.id);
      });
    if (facts.ofGroups && table.fields.includes('cluster') && !(await tables.isOfGroups(table))) {
      const members = new Set<string>();
      await tables.scan(table, (row) => {
        if (facts.groups.has(groupOf(row) ?? '')) members.add(row.id);
      });
      facts.members = members;
    }
  }
  return facts;
}

async function inTable(
  facts: RowFacts,
  { name, matrix }: ReadArtefact,
  table: TableArtefact,
  tables: LineageTables,
): Promise<Followed> {
  const ids = new Set<string>();
  const how = new Set<string>();
  const add = (id: string, by: string) => {
    ids.add(id);
    how.add(by);
  };
  const ofGroups = await tables.isOfGroups(table);
  if (facts.ofGroups && !ofGroups) {
    if (facts.members === null && !table.fields.includes('cluster'))
      return lost(`nothing says which rows of ${name} belong to a group`);
    await tables.scan(table, (row) => {
      if (facts.members ? facts.members.has(row.id) : facts.groups.has(groupOf(row) ?? ''))
        add(row.id, 'cluster');
    });
  } else if (!facts.ofGroups && ofGroups) {
    await tables.scan(table, ({ id }) => {
      if (facts.groups.has(id)) add(id, 'cluster');
    });
  } else {
    const gathered = withoutAxes(facts.ids, matrix);
    await tables.scan(table, ({ id }) => {
      if (facts.ids.has(id)) add(id, 'same id');
      else if (facts.parents.has(id)) add(id, 'parent_id');
      else if (gathered.has(id)) add(id, 'one of a matrix');
      else if (facts.merged.has(id)) add(id, 'dup_of');
    });
  }
  if (ids.size > 0) return { ids, how: [...how], lost: null };
  const [first] = facts.ids;
  const which = facts.ids.size === 1 ? `the id "${first}"` : 'one of these ids';
  return lost(`no row of ${name} has ${which}, and no parent_id, row_id, dup_of or cluster leads to one`);
}

/** Ids without the `@axis=value` that gathering a matrix put behind them, for those that this instance's axes made. */
function withoutAxes(ids: ReadonlySet<string>, matrix: JsonObject | null): Set<string> {
  const plain = new Set<string>();
  if (matrix === null) return plain;
  const suffixes = subsets(Object.entries(matrix)).map((axes) => `@${axesName(Object.fromEntries(axes))}`);
  for (const id of ids)
    for (const suffix of suffixes) if (id.endsWith(suffix)) plain.add(id.slice(0, -suffix.length));
  return plain;
}

/** What is left of some axes when an address selects the others: all of them first, none left out. */
function subsets<T>(items: readonly T[]): T[][] {
  const [first, ...rest] = items;
  if (first === undefined) return [];
  const others = subsets(rest);
  return [...others.map((other) => [first, ...other]), [first], ...others];
}
