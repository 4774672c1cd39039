import type { Artefact } from '../../artefacts.ts';
import { type Digest, digestOfJson } from '../../digest.ts';
import { ProblemError } from '../../problems.ts';
import type { Store } from '../../store/store.ts';
import { idsOf } from '../compare/output-diff.ts';
import type { InputRecord, RunRecord, StepRecord } from '../record.ts';
import { behind, type Followed } from './behind.ts';
import { type DownstreamStep, downstreamOf } from './downstream.ts';
import { type FollowedIds, goneReason, shortList } from './followed.ts';
import { LineageTables } from './tables.ts';

/** An output of a run, and all that is behind it. */
export interface LineageNode {
  run: string;
  step: string;
  use: string;
  output: string;
  kind: Artefact['kind'];
  digest: Digest;
  /** Rows of the output; null for files. */
  rows: number | null;
  /** Files that the step read, by content; the size where the run recorded it. */
  files: { path: string; digest: string; bytes: number | null }[];
  models: { name: string; digest: string }[];
  /** The rows of this output that are followed; null if no row was asked for, or the trace is lost. */
  ids: FollowedIds | null;
  /** How they were found from the output in front: `same id`, `parent_id`, `one of a matrix`, `dup_of`, `cluster`. */
  how: string[];
  /** Why rows cannot be followed to here. */
  lost: string | null;
  /** The same output (and rows) stands in the tree already: its inputs stand there. */
  repeated: boolean;
  inputs: { name: string; from: (LineageNode | MissingNode)[] }[];
}

/** An input whose run is not there any more. */
export interface MissingNode {
  run: string;
  step: string;
  output: string;
  digest: Digest;
  missing: string;
}

export interface Lineage {
  upstream: LineageNode;
  downstream: DownstreamStep[];
}

export interface LineageOptions {
  record: RunRecord;
  step: string;
  output: string;
  /** Follow this row; null for the output as a whole. */
  row: string | null;
  store: Store;
  /** The record of another run; undefined if it is not there. */
  recordOf(run: string): RunRecord | undefined;
}

/**
 * What is behind an output of a run or one of its rows, through earlier runs too, and what later steps of the run made
 * from it. Ids of the rows that are followed are held in memory. ProblemError `unknown-row` if the output has no such row.
 */
export async function lineageOf(options: LineageOptions): Promise<Lineage> {
  const { record, store } = options;
  const step = stepOf(record, options.step)!;
  const ids = options.row === null ? null : new Set([options.row]);
  if (ids) await checkRow(options, step);
  const tree = new Tree(options, new LineageTables(store));
  const upstream = await tree.node(record, step, options.output, ids && { ids, how: [], lost: null });
  return {
    upstream,
    downstream: await downstreamOf(record, step, options.output, ids, new LineageTables(store)),
  };
}

/** Ids of the steps of a run that stand in a tree. */
export function stepsIn(node: LineageNode | MissingNode, run: string): Set<string> {
  const steps = new Set(node.run === run ? [node.step] : []);
  if ('inputs' in node)
    for (const { from } of node.inputs)
      for (const input of from) for (const step of stepsIn(input, run)) steps.add(step);
  return steps;
}

function stepOf(record: RunRecord, id: string): StepRecord | undefined {
  return record.steps.find((step) => step.id === id);
}

async function checkRow({ record, output, row, store }: LineageOptions, step: StepRecord): Promise<void> {
  const artefact = step.outputs[output]!;
  const name = `${step.id}.${output}`;
  if (artefact.kind === 'files')
    throw ProblemError.of('unknown-row', `${name} is files: it has no rows`, { hint: 'leave the row out' });
  const first: string[] = [];
  if (artefact.kind === 'matrix') {
    const ids = await idsOf(record, artefact, store);
    if (ids === null || ids.includes(row!)) return;
    first.push(...ids.slice(0, 5));
  } else {
    for await (const block of store.readTable(artefact).blocks()) {
      if (block.some(({ id }) => id === row)) return;
      if (first.length === 0) first.push(...block.slice(0, 5).map(({ id }) => id));
    }
  }
  throw ProblemError.of('unknown-row', `${name} has no row "${row}"`, {
    hint: first.length === 0 ? 'it has no rows' : `its first rows are ${first.join(', ')}`,
  });
}

class Tree {
  readonly #options: LineageOptions;
  readonly #tables: LineageTables;
  readonly #seen = new Set<string>();

  constructor(options: LineageOptions, tables: LineageTables) {
    this.#options = options;
    this.#tables = tables;
  }

  /** @param rows the rows of this output that are followed; null if none are */
  async node(
    record: RunRecord,
    step: StepRecord,
    output: string,
    rows: Followed | null,
  ): Promise<LineageNode> {
    const artefact = step.outputs[output]!;
    const ids = rows?.ids ?? null;
    const key = digestOfJson([record.id, step.id, output, ids && [...ids].sort()]);
    const repeated = this.#seen.has(key);
    this.#seen.add(key);
    const sizes = new Map(record.files.map(({ path, bytes }) => [path, bytes]));
    const { files = {}, models = {} } = step.fingerprint ?? {};
    return {
      run: record.id,
      step: step.id,
      use: step.use,
      output,
      kind: artefact.kind,
      digest: artefact.digest,
      rows: artefact.kind === 'files' ? null : artefact.rows,
      files: Object.entries(files).map(([path, digest]) => ({
        path,
        digest,
        bytes: sizes.get(path) ?? null,
      })),
      models: Object.entries(models).map(([name, digest]) => ({ name, digest })),
      ids: ids && shortList(ids),
      how: rows?.how ?? [],
      lost: rows?.lost ?? null,
      repeated,
      inputs: repeated ? [] : await this.#inputs(record, step, output, ids),
    };
  }

  async #inputs(
    record: RunRecord,
    step: StepRecord,
    output: string,
    ids: ReadonlySet<string> | null,
  ): Promise<LineageNode['inputs']> {
    const sources = Object.entries(step.inputs).flatMap(([name, parts]) =>
      parts.map((part) => ({ name, part, ...this.#find(record, part) })),
    );
    const present = sources.flatMap((source) => (source.artefact ? [source] : []));
    const followed = ids && (await this.#follow(step, output, ids, present));
    const inputs: LineageNode['inputs'] = [];
    for (const { name, part, from, made, artefact } of sources) {
      const known = inputs.find((input) => input.name === name);
      const input = known ?? { name, from: [] };
      if (!known) inputs.push(input);
      if (!made || !artefact) {
        const { run, ...rest } = part;
        const missing = `run ${run} is not there any more`;
        input.from.push({ run: run ?? record.id, ...rest, missing });
        continue;
      }
      const rows = followed?.get(part) ?? null;
      // Of a gathered matrix, only the instances that the rows come from.
      if (rows?.lost && present.some((other) => other.name === name && followed?.get(other.part)?.ids))
        continue;
      input.from.push(await this.node(from!, made, part.output, rows));
    }
    return inputs;
  }

  #find(record: RunRecord, part: InputRecord) {
    const from = part.run === null ? record : this.#options.recordOf(part.run);
    const made = from && stepOf(from, part.step);
    return { from, made, artefact: made?.outputs[part.output] };
  }

  async #follow(
    step: StepRecord,
    output: string,
    ids: ReadonlySet<string>,
    sources: readonly { part: InputRecord; made?: StepRecord | undefined; artefact?: Artefact | undefined }[],
  ): Promise<Map<InputRecord, Followed>> {
    const read = sources.map(({ part, made, artefact }) => ({
      name: `${part.step}.${part.output}`,
      artefact: artefact!,
      matrix: made!.matrix,
    }));
    try {
      const followed = await behind(step, output, ids, read, this.#tables);
      return new Map(sources.map(({ part }, index) => [part, followed[index]!]));
    } catch (error) {
      const reason = goneReason(error);
      return new Map(sources.map(({ part }) => [part, { ids: null, how: [], lost: reason }]));
    }
  }
}
