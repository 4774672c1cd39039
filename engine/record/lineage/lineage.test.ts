import { rmSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exampleFingerprint, exampleRecord, exampleStep } from '../../../test/run-record.ts';
import { temporaryFolder } from '../../../test/temporary.ts';
import type { Artefact, Row, TableArtefact } from '../../artefacts.ts';
import type { ProblemError } from '../../problems.ts';
import { Store } from '../../store/store.ts';
import type { RunRecord, StepRecord } from '../record.ts';
import { type LineageNode, lineageOf, stepsIn } from './lineage.ts';

/** A run of steps made by hand over a real store. */
class Run {
  readonly store = Store.open({ folder: temporaryFolder() });
  readonly steps: StepRecord[] = [];
  readonly others = new Map<string, RunRecord>();

  constructor() {
    onTestFinished(() => this.store.close());
  }

  async table(rows: readonly Row[]): Promise<TableArtefact> {
    const writer = this.store.writeTable();
    for (const row of rows) await writer.write(row);
    const artefact = await writer.finish();
    await this.store.sync();
    return artefact;
  }

  /** Adds a step; `from` are `name: [step.output, …]`, an earlier run's as `run/step.output`. */
  async step(
    id: string,
    outputs: Record<string, readonly Row[] | Artefact>,
    from: Record<string, string[]> = {},
    change: Partial<StepRecord> = {},
  ): Promise<void> {
    const made: Record<string, Artefact> = {};
    for (const [name, rows] of Object.entries(outputs))
      made[name] = 'kind' in rows ? rows : await this.table(rows as readonly Row[]);
    const inputs: StepRecord['inputs'] = {};
    for (const [name, addresses] of Object.entries(from))
      inputs[name] = addresses.map((address) => {
        const [, run = null, step, output] = /^(?:(.*)\/)?(.*)\.(\w+)$/.exec(address)!;
        const found = (run ? this.others.get(run)?.steps : this.steps)?.find((one) => one.id === step);
        const digest = found?.outputs[output!]?.digest ?? 'sha256:gone';
        return { run, step: step!, output: output!, digest };
      });
    const fingerprint = exampleFingerprint({ files: {}, models: {} });
    this.steps.push(exampleStep(id, { outputs: made, inputs, fingerprint, ...change }));
  }

  record(): RunRecord {
    return exampleRecord({ id: 'this', steps: this.steps });
  }

  async lineage(address: string, row: string | null = null) {
    const [step, output] = address.split(/\.(?=\w+$)/) as [string, string];
    const record = this.record();
    return lineageOf({
      record,
      step,
      output,
      row,
      store: this.store,
      recordOf: (run) => this.others.get(run),
    });
  }

  /** The rows behind a row, by output, with how they were found or why they were lost. */
  async behind(address: string, row: string): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    const visit = ({ step, output, ids, how, lost, inputs }: LineageNode) => {
      if (lost ?? ids) found[`${step}.${output}`] = lost ?? `${ids!.first.join(' ')} (${how.join(', ')})`;
      for (const { from } of inputs) for (const node of from) if (!('missing' in node)) visit(node);
    };
    visit((await this.lineage(address, row)).upstream);
    return found;
  }

  async ahead(address: string, row: string): Promise<Record<string, string>> {
    const { downstream } = await this.lineage(address, row);
    return Object.fromEntries(
      downstream.flatMap(({ step, outputs }) =>
        outputs.map(({ output, ids }) => [`${step}.${output}`, ids?.first.join(' ') ?? 'files']),
      ),
    );
  }
}

const plain = (...ids: string[]) => ids.map((id) => ({ id, text: `text of ${id}` }));

describe('rows are followed', () => {
  it('by their id and to the duplicates that went into them', async () => {
    const run = new Run();
    await run.step('rows', { rows: plain('a', 'b', 'c') });
    await run.step(
      'unique',
      { rows: plain('a', 'c'), duplicates: [{ id: 'b', dup_of: 'a' }] },
      { rows: ['rows.rows'] },
    );
    expect(await run.behind('unique.rows', 'a')).toEqual({
      'unique.rows': 'a ()',
      'rows.rows': 'a b (same id, dup_of)',
    });
    expect(await run.behind('unique.rows', 'c')).toMatchObject({ 'rows.rows': 'c (same id)' });
    expect(await run.behind('unique.duplicates', 'b')).toMatchObject({ 'rows.rows': 'b (same id)' });
    expect(await run.ahead('rows.rows', 'b')).toEqual({ 'unique.rows': '', 'unique.duplicates': 'b' });
  });

  it('by parent_id, through a matrix that was gathered, to the instance they come from', async () => {
    const run = new Run();
    await run.step('rows', { rows: plain('a', 'b') });
    await run.step(
      'chunks',
      {
        rows: [
          { id: 'a#0', parent_id: 'a' },
          { id: 'b#0', parent_id: 'b' },
        ],
      },
      { rows: ['rows.rows'] },
    );
    for (const m of ['x', 'y'])
      await run.step(
        `per[m=${m}]`,
        { rows: plain('a#0', 'b#0') },
        { rows: ['chunks.rows'] },
        { base: 'per', matrix: { m } },
      );
    await run.step(
      'all',
      { rows: ['x', 'y'].flatMap((m) => [{ id: `a#0@m=${m}`, row_id: 'a#0', m }]) },
      { rows: ['per[m=x].rows', 'per[m=y].rows'] },
    );
    expect(await run.behind('all.rows', 'a#0@m=y')).toEqual({
      'all.rows': 'a#0@m=y ()',
      'per[m=y].rows': 'a#0 (one of a matrix)',
      'chunks.rows': 'a#0 (same id)',
      'rows.rows': 'a (parent_id)',
    });
    expect(await run.ahead('rows.rows', 'a')).toEqual({
      'chunks.rows': 'a#0',
      'per[m=x].rows': 'a#0',
      'per[m=y].rows': 'a#0',
      'all.rows': 'a#0@m=x a#0@m=y',
    });
  });

  it('between groups and their rows, also when an id of the data is the number of a group', async () => {
    const run = new Run();
    await run.step('rows', { rows: plain('0', '1', '2') });
    const assigned = [
      { id: '0', cluster: 1 },
      { id: '1', cluster: 0 },
      { id: '2', cluster: 1 },
    ];
    const groups = [
      { id: '0', cluster: 0, size: 1 },
      { id: '1', cluster: 1, size: 2 },
    ];
    await run.step('topics', { rows: assigned, clusters: groups }, { rows: ['rows.rows'] });
    await run.step(
      'names',
      { rows: groups.map((group) => ({ ...group, name: 'x' })) },
      { rows: ['topics.rows'] },
    );
    await run.step(
      'upper',
      { rows: groups.map((group) => ({ ...group, name: 'X' })) },
      { rows: ['names.rows'] },
    );
    expect(await run.behind('upper.rows', '1')).toEqual({
      'upper.rows': '1 ()',
      'names.rows': '1 (same id)',
      'topics.rows': '0 2 (cluster)',
      'rows.rows': '0 2 (same id)',
    });
    expect(await run.behind('topics.clusters', '1')).toMatchObject({ 'rows.rows': '0 2 (cluster)' });
    expect(await run.ahead('rows.rows', '2')).toEqual({
      'topics.rows': '2',
      'topics.clusters': '1',
      'names.rows': '1',
      'upper.rows': '1',
    });
    expect(await run.ahead('names.rows', '0')).toEqual({ 'upper.rows': '0' });
  });

  it('into a matrix that has the ids of a table that was read, or of the output itself', async () => {
    const run = new Run();
    await run.step('rows', { rows: plain('a', 'b') });
    const values = { data: Float32Array.of(1, 2), rows: 2, columns: 1 };
    const { ids } = run.steps[0]!.outputs['rows'] as TableArtefact;
    const matrix = await run.store.writeMatrix(values, ids);
    await run.step('vectors', { vectors: matrix }, { rows: ['rows.rows'] });
    await run.step('scaled', { vectors: matrix }, { vectors: ['vectors.vectors'] });
    await run.step('near', { rows: plain('b') }, { rows: ['rows.rows'], vectors: ['scaled.vectors'] });
    await run.step('other', { rows: plain('b') }, { vectors: ['scaled.vectors'] });
    expect(await run.behind('near.rows', 'b')).toEqual({
      'near.rows': 'b ()',
      'rows.rows': 'b (same id)',
      'scaled.vectors': 'b (same id)',
      'vectors.vectors': 'b (same id)',
    });
    expect(await run.behind('other.rows', 'b')).toEqual({
      'other.rows': 'b ()',
      'scaled.vectors': 'nothing says which ids the rows of scaled.vectors have',
    });
    expect(await run.ahead('rows.rows', 'b')).toMatchObject({ 'scaled.vectors': 'b', 'near.rows': 'b' });
  });

  it('no further than they can be, which is said', async () => {
    const run = new Run();
    await run.step('rows', { rows: plain('a', 'b') });
    const files: Artefact = { kind: 'files', digest: 'sha256:f', bytes: 0, files: [] };
    await run.step('page', { page: files }, { rows: ['rows.rows'] });
    await run.step('made', { rows: plain('z') }, { rows: ['rows.rows'], page: ['page.page'] });
    expect(await run.behind('made.rows', 'z')).toEqual({
      'made.rows': 'z ()',
      'rows.rows':
        'no row of rows.rows has the id "z", and no parent_id, row_id, dup_of or cluster leads to one',
      'page.page': 'page.page is files: any row may have had a part in them',
    });
    expect(await run.ahead('rows.rows', 'a')).toMatchObject({ 'page.page': 'files', 'made.rows': '' });
    const refused = async (address: string, row: string) =>
      run.lineage(address, row).then(
        () => null,
        (error: ProblemError) => error.problems[0],
      );
    expect(await refused('made.rows', 'a')).toMatchObject({
      code: 'unknown-row',
      hint: 'its first rows are z',
    });
    expect(await refused('page.page', 'a')).toMatchObject({ message: 'page.page is files: it has no rows' });
  });

  it('not through a table that is gone, and the tree stands all the same', async () => {
    const run = new Run();
    await run.step('rows', { rows: plain('a') });
    await run.step('next', { rows: [{ id: 'a', more: 1 }] }, { rows: ['rows.rows'] });
    const { blob } = run.steps[0]!.outputs['rows'] as TableArtefact;
    rmSync(run.store.path(blob));
    expect(await run.behind('next.rows', 'a')).toMatchObject({
      'rows.rows': expect.stringMatching(/^its rows are not in the store any more \(sha256:/),
    });
  });
});

it('leads through earlier runs, names files and models, and says what is missing', async () => {
  const earlier = new Run();
  await earlier.step('rows', { rows: plain('a') }, {}, { fingerprint: exampleFingerprint() });
  const run = new Run();
  run.others.set('earlier', { ...earlier.record(), id: 'earlier' });
  await run.step('next', { rows: plain('a') }, { old: ['earlier/rows.rows'], gone: ['no-such/rows.rows'] });
  await run.step('last', { rows: plain('a') }, { rows: ['next.rows'], again: ['next.rows'] });
  const { upstream } = await run.lineage('last.rows');
  expect(upstream).toMatchObject({
    step: 'last',
    ids: null,
    inputs: [
      {
        name: 'rows',
        from: [
          {
            step: 'next',
            repeated: false,
            inputs: [
              {
                name: 'old',
                from: [
                  {
                    run: 'earlier',
                    step: 'rows',
                    files: [{ path: 'data/queries.jsonl', bytes: 1234 }],
                    models: [{ name: 'all-minilm-l6-v2' }],
                  },
                ],
              },
              { name: 'gone', from: [{ run: 'no-such', missing: 'run no-such is not there any more' }] },
            ],
          },
        ],
      },
      { name: 'again', from: [{ step: 'next', repeated: true, inputs: [] }] },
    ],
  });
  expect([...stepsIn(upstream, 'this')].sort()).toEqual(['last', 'next']);
});
