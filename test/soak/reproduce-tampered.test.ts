import { chmodSync, cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../engine/digest.ts';
import type { RunRecord } from '../../engine/record/record.ts';
import type { Reproduction } from '../../engine/reproduce/reproduce.ts';
import { commitAll, git, snapshot } from '../git-project.ts';
import { jsonl, numberedTexts, summaryOf, TestProject } from '../project.ts';
import { temporaryFolder } from '../temporary.ts';

const stepFile = (value: string, more = '') => `import { defineStep } from 'reprise';
export default defineStep({
  type: 'mark',
  summary: 'Marks rows',
  ${more}
  parameters: { type: 'object', additionalProperties: false, properties: { by: { type: 'number', default: 1, description: 'x' } } },
  inputs: { rows: { kind: 'table', description: 'Rows.' } },
  outputs: { rows: { kind: 'table', description: 'Rows.' } },
  example: 'mark: { use: ./mark.ts, from: texts }',
  async run({ inputs, outputs, parameters, context }) {
    for await (const row of inputs.rows.read()) await outputs.rows.write({ ...row, mark: ${value} });
  },
});
`;

const files = {
  'data.jsonl': jsonl(numberedTexts(12)),
  '.gitignore': '.reprise/\nruns/\n',
  'mark.ts': stepFile('parameters.by'),
  'w.yaml': `name: tampered
params:
  by: { type: number, default: 2 }
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  mark: { use: ./mark.ts, from: rows, with: { by: "\${{ params.by }}" } }
  behind: { use: filter, from: mark, with: { where: "row.id != 'r1'" } }
`,
};

/** A project outside git: what is not in the record is nowhere. */
class Tampered extends TestProject {
  run_ = '';

  async make(...args: string[]): Promise<this> {
    const { run, status, err } = await this.run('w.yaml', ...args);
    if (status !== 'succeeded') throw new Error(err);
    this.run_ = run;
    return this;
  }

  get record(): RunRecord {
    return JSON.parse(this.read(`runs/${this.run_}/run.json`)) as RunRecord;
  }

  /** Changes the record by hand. */
  change(work: (record: RunRecord) => void): void {
    const { record } = this;
    work(record);
    this.write({ [`runs/${this.run_}/run.json`]: JSON.stringify(record) });
  }

  /** Changes a text in the record so that its digest is right again. */
  changeText(path: string, change: (text: string) => string): void {
    this.change(({ workflow }) => {
      const source = workflow.sources.find((candidate) => candidate.path === path)!;
      source.text = change(source.text);
      source.digest = digestOf(source.text);
      workflow.digest = workflow.sources[0]!.digest;
    });
  }

  blob(digest: string): string {
    return this.path(`.reprise/objects/${digest.slice(7, 9)}/${digest.slice(9)}`);
  }

  /** Writes other bytes of the same size under a blob's name. */
  spoil(digest: string, bytes: number): void {
    chmodSync(this.blob(digest), 0o644);
    writeFileSync(this.blob(digest), Buffer.alloc(bytes, 120));
  }

  async reproduce(env: Record<string, string> = {}, ...flags: string[]) {
    const { code, out, err } = await this.start(['reproduce', this.run_, '--json', ...flags], env).ended;
    if (!out.startsWith('{')) throw new Error(err);
    return {
      code,
      err,
      ...(JSON.parse(out) as Reproduction & { problems?: { code: string; message: string }[] }),
    };
  }
}

describe('what was tampered with is found: the step and the cause', () => {
  it('data: the bytes in the store, while the file is as it was', async () => {
    using p = await new Tampered(files).make();
    const [file] = p.record.files;
    p.spoil(file!.digest, file!.bytes);
    expect(await p.reproduce()).toMatchObject({ code: 0, verdict: 'identical' });
  });

  it('data: the bytes in the store, and the file', async () => {
    using p = await new Tampered(files).make();
    const [file] = p.record.files;
    p.spoil(file!.digest, file!.bytes);
    p.write({ 'data.jsonl': '' });
    const { code, problems } = await p.reproduce();
    expect(code).toBe(2);
    expect(problems).toEqual([
      expect.objectContaining({
        code: 'cannot-be-restored',
        message: `${p.run_} cannot be done again without data.jsonl: its bytes in the store were changed, and the file in the project is another by now (needed by rows)`,
      }),
    ]);
  });

  it('data that is gone, and a text of the record that is not what its digest says: all at once', async () => {
    using p = await new Tampered(files).make();
    rmSync(p.blob(p.record.files[0]!.digest));
    rmSync(p.path('data.jsonl'));
    rmSync(p.path('mark.ts'));
    p.change(({ workflow }) => {
      workflow.sources.find(({ path }) => path === 'mark.ts')!.text += '\n';
    });
    const { code, problems } = await p.reproduce();
    expect(code).toBe(2);
    expect(problems!.map(({ message }) => message.replace(p.run_, '…'))).toEqual([
      '… cannot be done again without mark.ts: its text in the record is not what its digest says: the record was changed (needed by mark)',
      '… cannot be done again without data.jsonl: its bytes are not in the store any more, and the file is gone (needed by rows)',
    ]);
  });

  it('a stored output: digests are compared', async () => {
    using p = await new Tampered(files).make();
    const output = p.record.steps.find(({ id }) => id === 'mark')!.outputs['rows']!;
    if (output.kind !== 'table') throw new Error('no table');
    p.spoil(output.blob, output.bytes);
    expect(await p.reproduce()).toMatchObject({ code: 0, verdict: 'identical' });
  });

  it('a seed in the record', async () => {
    using p = new Tampered({ ...files, 'mark.ts': stepFile("context.random('x').next()", 'seeded: true,') });
    await p.make();
    p.change((record) => {
      record.seed = 43;
    });
    const verdict = await p.reproduce();
    expect(verdict).toMatchObject({
      code: 3,
      verdict: 'different',
      first_difference: { step: 'mark', causes: ['seed 42 → 43'] },
      score: { steps: { same: 1, of: 3 } },
    });
    expect(verdict.score.lowered[1]).toEqual({
      step: 'behind',
      why: 'input rows (from mark) came out otherwise',
    });
    expect(verdict.steps[1]!.outputs[0]).toMatchObject({ rows: { of: 12, same: 0, within: 0 } });
  });

  it('a seed in the text of the workflow', async () => {
    using p = new Tampered({ ...files, 'mark.ts': stepFile("context.random('x').next()", 'seeded: true,') });
    await p.make();
    p.changeText('w.yaml', (text) => text.replace('steps:', 'seed: 7\nsteps:'));
    p.change((record) => {
      record.seed = 7;
    });
    expect(await p.reproduce()).toMatchObject({
      code: 3,
      first_difference: { step: 'mark', causes: ['seed 42 → 7'] },
    });
  });

  it('the text of a step file', async () => {
    using p = await new Tampered(files).make();
    p.changeText('mark.ts', (text) => text.replace('parameters.by }', 'parameters.by + 1 }'));
    const verdict = await p.reproduce();
    expect(verdict).toMatchObject({ code: 3, first_difference: { step: 'mark', causes: ['code mark.ts'] } });
    const { difference } = verdict.steps[1]!.outputs[0]!;
    expect(difference).toMatchObject({
      kind: 'table',
      changed: 12,
      examples: { changed: [{ id: 'r0', fields: [{ field: 'mark', old: 2, now: 3 }] }, {}, {}] },
    });
  });

  it('a parameter in the text of the workflow', async () => {
    using p = await new Tampered(files).make();
    p.changeText('w.yaml', (text) => text.replace("'r1'", "'r2'"));
    const verdict = await p.reproduce();
    expect(verdict).toMatchObject({ code: 3, first_difference: { step: 'behind' } });
    expect(verdict.first_difference!.causes[0]).toMatch(/^with\.where .*r1.* → .*r2/);
    expect(verdict.steps[2]!.outputs[0]!.difference).toMatchObject({ kind: 'table', added: 1, removed: 1 });
  });

  it('a param in the record', async () => {
    using p = await new Tampered(files).make('--param', 'by=5');
    p.change((record) => {
      record.params['by'] = 6;
    });
    expect(await p.reproduce()).toMatchObject({
      code: 3,
      first_difference: { step: 'mark', causes: ['with.by 5 → 6'] },
    });
  });

  it('a model: other settings in its folder', async () => {
    using p = new Tampered({
      ...files,
      'w.yaml':
        'name: tampered\nsteps:\n  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }\n  vectors: { use: embed, from: rows, with: { model: models/tiny } }\n',
    });
    cpSync(join(import.meta.dirname, '../fixtures/encoders/tiny'), p.path('models/tiny'), {
      recursive: true,
    });
    await p.make();
    p.write({ 'models/tiny/sentence_bert_config.json': '{ "max_seq_length": 3 }' });
    const verdict = await p.reproduce();
    expect(verdict).toMatchObject({
      code: 3,
      first_difference: { step: 'vectors', causes: ['model models/tiny changed'] },
      environment: [{ what: 'model models/tiny', steps: ['vectors'] }],
    });
    rmSync(p.path('models'), { recursive: true });
    const gone = await p.reproduce();
    expect(gone).toMatchObject({ code: 2, problems: [{ code: 'cannot-be-restored' }] });
    expect(gone.problems![0]!.message).toContain('the model models/tiny: it is not here (needed by vectors)');
  });

  it('a digest in the record, and a metric', async () => {
    using p = await new Tampered(files).make();
    p.change(({ steps }) => {
      steps[1]!.outputs['rows']!.digest = digestOf('another');
    });
    const verdict = await p.reproduce();
    expect(verdict).toMatchObject({ code: 3, first_difference: { step: 'mark' } });
    expect(verdict.first_difference!.causes[0]).toContain('nothing that is in the record differs');
    using q = await new Tampered(files).make();
    q.change(({ steps }) => {
      steps[0]!.metrics['rows'] = 13;
    });
    expect(await q.reproduce()).toMatchObject({
      code: 3,
      first_difference: { step: 'rows' },
      steps: [{ metrics: [{ metric: 'rows', recorded: 13, now: 12 }] }, {}, {}],
    });
  });

  it('a variable of the environment', async () => {
    const workflow = files['w.yaml'].replace('from: rows, with', 'from: rows, env: [REGION], with');
    using p = new Tampered({
      ...files,
      'w.yaml': workflow,
      'mark.ts': stepFile("context.env['REGION'] ?? 'none'"),
    });
    p.run_ = summaryOf(await p.start(['run', 'w.yaml', '--json'], { REGION: 'eu' }).ended).run;
    expect(await p.reproduce({ REGION: 'eu' })).toMatchObject({ code: 0, verdict: 'identical' });
    expect(await p.reproduce({ REGION: 'us' })).toMatchObject({
      code: 3,
      first_difference: { step: 'mark', causes: ['env REGION changed'] },
      environment: [{ what: 'env REGION', steps: ['mark'] }],
    });
  });
});

describe('what no fingerprint knows', () => {
  const noisy = { ...files, 'mark.ts': stepFile("1 + Number(process.env['NOISE'] ?? 0)") };

  it('is within the tolerance, or different with the rows that differ', async () => {
    using p = await new Tampered(noisy).make();
    expect(await p.reproduce({ NOISE: '1e-9' })).toMatchObject({
      code: 0,
      verdict: 'within_tolerance',
      steps: [{ verdict: 'identical' }, { verdict: 'within_tolerance' }, { verdict: 'within_tolerance' }],
      score: { steps: { same: 3, of: 3 } },
    });
    const verdict = await p.reproduce({ NOISE: '0.5' });
    expect(verdict).toMatchObject({ code: 3, first_difference: { step: 'mark' } });
    expect(verdict.first_difference!.causes[0]).toContain('nothing that is in the record differs');
  });

  it('is not comparable in a step whose cache is off', async () => {
    const workflow = files['w.yaml'].replace('from: rows, with', 'from: rows, cache: false, with');
    using p = await new Tampered({ ...noisy, 'w.yaml': workflow }).make();
    expect(await p.reproduce({ NOISE: '0.5' })).toMatchObject({
      code: 0,
      verdict: 'identical',
      steps: [{ verdict: 'identical' }, { verdict: 'not_comparable' }, { verdict: 'not_comparable' }],
    });
  });
});

it('with --strict nothing runs when anything around it differs', async () => {
  using p = await new Tampered(files).make();
  p.change(({ environment }) => {
    environment.node = '20.0.0';
    environment.cpu.model = 'Another';
  });
  expect(await p.reproduce()).toMatchObject({
    code: 0,
    environment: [
      { what: 'node', recorded: '20.0.0' },
      { what: 'cpu', recorded: 'Another' },
    ],
  });
  const strict = await p.reproduce({}, '--strict');
  expect(strict.code).toBe(2);
  expect(strict.problems!.map(({ code }) => code)).toEqual(['environment-differs', 'environment-differs']);
  expect(strict.err).not.toContain('→ rows');
});

it('killed in the middle, it leaves the project as it was, and the next one takes away what it left', async () => {
  const waiting = stepFile(
    "(await (async () => { context.log('here'); while (process.env['WAIT']) await new Promise((done) => setTimeout(done, 20)); return 1; })())",
  );
  using p = new Tampered({ ...files, 'mark.ts': waiting });
  git(p.folder, 'init', '-q');
  commitAll(p.folder);
  await p.make();
  const before = snapshot(p.folder);
  const scratch = temporaryFolder();
  const left = () => readdirSync(scratch).filter((name) => name.startsWith('reprise-reproduce-'));
  const { child, ended } = p.start(['reproduce', p.run_], { WAIT: '1', TMPDIR: scratch });
  await new Promise<void>((resolve) => {
    child.stderr.on('data', (text: string) => void (text.includes('→ mark') && resolve()));
  });
  child.kill('SIGKILL');
  await ended;
  expect(left()).toHaveLength(1);
  expect(snapshot(p.folder)).toEqual(before);
  expect(git(p.folder, 'worktree', 'list').trim().split('\n')).toHaveLength(1);
  const { code } = await p.start(['reproduce', p.run_], { TMPDIR: scratch }).ended;
  expect(code).toBe(0);
  expect(left()).toEqual([]);
});
