import { describe, expect, it } from 'vitest';
import { jsonl, numberedTexts, summaryOf, TestProject } from '../project.ts';

interface Fault {
  what: string;
  /** Body of `run` of the step type `mine`, which has a table and an optional matrix as outputs. */
  body: string;
  /** Keys of the step in the workflow. */
  keys?: string;
  code: string;
  message: string;
}

const faults: Fault[] = [
  { what: 'throws', body: `throw new TypeError('oh no');`, code: 'step-defect', message: 'TypeError: oh no' },
  { what: 'throws no error', body: `throw 'just a text';`, code: 'step-defect', message: 'just a text' },
  {
    what: 'throws an expected error',
    body: `throw new StepError('no-key', 'the key is missing', 'set it');`,
    code: 'no-key',
    message: 'the key is missing',
  },
  {
    what: 'never ends, and waits for nothing',
    body: 'await new Promise(() => {});',
    code: 'step-stuck',
    message: 'it waits for something that can never happen',
  },
  {
    what: 'never ends, within its timeout',
    body: 'setInterval(() => {}, 1000); await new Promise(() => {});',
    keys: ', timeout: 1s',
    code: 'timeout',
    message: 'longer than its timeout of 1 s',
  },
  {
    what: 'fails only after its timeout',
    body: `await new Promise((_, failed) => context.signal.addEventListener('abort', () => setTimeout(() => failed(new Error('late')), 50)));`,
    keys: ', timeout: 1s',
    code: 'timeout',
    message: 'longer than its timeout of 1 s',
  },
  {
    what: 'goes on and fails when it was left behind',
    body: `await new Promise((_, failed) => setTimeout(() => failed(new Error('very late')), 2_300));`,
    keys: ', timeout: 1s',
    code: 'timeout',
    message: 'longer than its timeout of 1 s',
  },
  {
    what: 'writes an id twice',
    body: `await outputs.rows.write({ id: 'a' }); await outputs.rows.write({ id: 'a' });`,
    code: 'duplicate-id',
    message: 'row 2 has the id "a"',
  },
  {
    what: 'writes an id twice and does not wait',
    body: `void (async () => { for (const id of ['a', 'a']) await outputs.rows.write({ id }); })(); await new Promise((done) => setTimeout(done, 200));`,
    code: 'duplicate-id',
    message: 'row 2 has the id "a"',
  },
  {
    what: 'writes a row without an id',
    body: 'await outputs.rows.write({ text: 1 });',
    code: 'bad-row',
    message: 'row 1 has no id',
  },
  {
    what: 'writes a number that JSON does not have',
    body: `await outputs.rows.write({ id: 'a', score: Number.NaN });`,
    code: 'bad-row',
    message: 'score is NaN',
  },
  {
    what: 'writes a matrix of a wrong shape',
    body: `await outputs.vectors.write({ data: new Float32Array(5), rows: 2, columns: 3 }, ['a', 'b']);`,
    code: 'bad-matrix',
    message: '5 values in 2 rows of 3 columns',
  },
  {
    what: 'writes a matrix for other ids',
    body: `await outputs.vectors.write({ data: new Float32Array(6), rows: 2, columns: 3 }, ['a', 'b', 'c']);`,
    code: 'bad-matrix',
    message: 'for 3 ids',
  },
  {
    what: 'ends the process',
    body: 'process.exit(0);',
    code: 'step-exit',
    message: 'it called process.exit(0)',
  },
  {
    what: 'ends the process later',
    body: 'setTimeout(() => process.exit(), 20); await new Promise((done) => setTimeout(done, 10_000));',
    code: 'step-exit',
    message: 'it called process.exit()',
  },
  {
    what: 'ends its thread',
    body: `await context.pool.run('data:text/javascript,export const end = () => process.exit(0);', 'end', {});`,
    code: 'step-defect',
    message: 'a worker thread ended with code 0',
  },
  {
    what: 'fails in a thread',
    body: `await context.pool.run('data:text/javascript,export const fail = () => { throw new RangeError("too far"); };', 'fail', {});`,
    code: 'step-defect',
    message: 'RangeError: too far',
  },
  {
    what: 'leaves a rejected promise',
    body: `void Promise.reject(new Error('nobody waits')); await new Promise((done) => setTimeout(done, 10_000));`,
    code: 'step-defect',
    message: 'Error: nobody waits',
  },
  {
    what: 'throws in a timer',
    body: `setTimeout(() => { throw new Error('in a timer'); }, 20); await new Promise((done) => setTimeout(done, 10_000));`,
    code: 'step-defect',
    message: 'Error: in a timer',
  },
  {
    what: 'has an emitter without a listener of errors',
    body: `const { createReadStream } = await import('node:fs'); createReadStream('/nowhere/at/all'); await new Promise((done) => setTimeout(done, 10_000));`,
    code: 'step-defect',
    message: 'ENOENT',
  },
  {
    what: 'asks for a file that it did not declare',
    body: `context.files('data.jsonl');`,
    code: 'step-defect',
    message: 'which no `input-path` parameter names',
  },
];

const stepFile = (body: string, imports = '') => `import { defineStep, StepError } from 'reprise';
${imports}
void StepError;
export default defineStep({
  type: 'mine', summary: 'A step', parameters: { type: 'object', properties: {}, additionalProperties: false },
  inputs: {},
  outputs: {
    rows: { kind: 'table', description: 'Rows.' },
    vectors: { kind: 'matrix', description: 'Vectors.', optional: true },
  },
  example: '',
  async run({ outputs, context }) { ${body} },
});
`;

/** Runs a workflow with one faulty step, one beside it and one behind it. */
async function runFaulty({ body, keys = '' }: Pick<Fault, 'body' | 'keys'>) {
  const project = new TestProject({
    'mine.ts': stepFile(body),
    'data.jsonl': jsonl(numberedTexts(10)),
    'w.yaml': `name: faulty
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  mine: { use: ./mine.ts, after: rows${keys} }
  behind: { use: dedupe, from: mine }
`,
  });
  const result = await project.reprise('run', 'w.yaml', '--json');
  return { project, result };
}

describe('a step that', () => {
  it.each(faults)('$what fails clearly, and the run is recorded', async (fault) => {
    const { project, result } = await runFaulty(fault);
    using _ = project;
    expect({ code: result.code, err: result.err }).toMatchObject({ code: 1 });
    expect(result.err + result.out).not.toMatch(/^\s+at |\\n\s+at |node:internal/m);
    const run = summaryOf(result);
    expect(run.statuses).toEqual(['rows:ran', 'mine:failed', 'behind:skipped']);
    expect(run.step('mine').error?.code).toBe(fault.code);
    expect(run.step('mine').error?.message).toContain(fault.message);
    expect(result.err).toContain(fault.message);
    const shown = await project.reprise('runs', 'show', run.run, '--json');
    expect(JSON.parse(shown.out)).toMatchObject({ id: run.run, status: 'failed' });
    const events = project.read(`runs/${run.run}/events.ndjson`).trim().split('\n');
    expect(JSON.parse(events.at(-1)!)).toMatchObject({ type: 'run-finished', status: 'failed' });
    // What it wrote is nowhere, and what had been done is kept.
    expect(project.read(`runs/${run.run}/run.json`)).toContain('"mine"');
    const verified = await project.reprise('cache', 'verify', '--json');
    expect(JSON.parse(verified.out)).toMatchObject({ damaged: [], missing: [] });
    expect((await project.run('w.yaml')).step('rows').status).toBe('cached');
  });

  it('leaves a timer behind, or fails when it is done, does not keep the run from its end', async () => {
    using project = new TestProject({
      'mine.ts': stepFile(
        `setInterval(() => {}, 1000); setTimeout(() => { throw new Error('too late'); }, 50); void (async () => { await null; throw new Error('as late'); })();`,
      ),
      'other.ts': stepFile('await new Promise((done) => setTimeout(done, 400));'),
      'w.yaml': 'name: late\nsteps:\n  mine: { use: ./mine.ts }\n  other: { use: ./other.ts, after: mine }\n',
    });
    const run = await project.run('w.yaml');
    expect(run.code).toBe(0);
    expect(run.statuses).toEqual(['mine:ran', 'other:ran']);
    expect(run.warnings.join('\n')).toContain(
      'mine: when the step had ended, its code failed: Error: too late',
    );
  });

  it('prints does so into its log: stdout is for results', async () => {
    using project = new TestProject({
      'mine.ts': stepFile(
        `console.log('one'); console.error('two\\nthree'); process.stdout.write('fo'); await null; process.stdout.write('ur\\n'); process.stdout.write('five');`,
      ),
      'w.yaml': 'name: loud\nsteps:\n  mine: { use: ./mine.ts }\n',
    });
    const run = await project.run('w.yaml');
    expect(run.code).toBe(0);
    const logged = project
      .read(`runs/${run.run}/events.ndjson`)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; message: string })
      .filter(({ type }) => type === 'step-log')
      .map(({ message }) => message);
    expect(logged).toEqual(['one', 'two', 'three', 'four', 'five']);
  });

  it('cannot be loaded is a problem of the workflow', async () => {
    for (const [text, message] of [
      ['export default 1;', 'has no step type as its default export'],
      ['import "./nowhere.ts";', 'cannot be loaded'],
      ['export default {', 'cannot be loaded'],
      ['throw new Error("at once");', 'at once'],
    ] as const) {
      using project = new TestProject({
        'mine.ts': text,
        'w.yaml': 'name: x\nsteps:\n  mine: { use: ./mine.ts }\n',
      });
      const { code, out, err } = await project.reprise('run', 'w.yaml');
      expect(code).toBe(2);
      expect(err).toContain(message);
      expect(out + err).not.toMatch(/^\s+at /m);
    }
  });
});
