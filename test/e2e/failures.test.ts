import { expect, it } from 'vitest';
import { jsonl, numberedTexts, TestProject } from '../project.ts';

const data = { 'data.jsonl': jsonl(numberedTexts(10)) };
const rows = 'rows: { use: load, with: { path: data.jsonl, text: text, id: id } }';

it('fails with exit code 1, names what failed and what was skipped, and keeps what succeeded', async () => {
  using p = new TestProject({
    ...data,
    'w.yaml': `name: failing
steps:
  ${rows}
  broken: { use: exec, from: rows, with: { run: "echo first; echo the reason >&2; exit 3", outputs: { rows: out.jsonl } } }
  after_broken: { use: dedupe, from: broken }
  beside: { use: dedupe, from: rows, after: broken, with: { fields: [id] } }
  free: { use: dedupe, from: rows }
`,
  });
  const result = await p.run('w.yaml', '--keep_going');
  expect(result.code).toBe(1);
  expect(result.status).toBe('failed');
  expect(result.statuses).toEqual(
    ['rows:ran', 'broken:failed', 'free:ran', 'after_broken:skipped', 'beside:skipped'].sort(
      (a, b) => result.statuses.indexOf(a) - result.statuses.indexOf(b),
    ),
  );
  expect(result.step('broken').error?.message).toContain('3');
  expect(result.step('broken').error?.message).toContain('the reason');
  expect(result.step('after_broken').reason).toBe('needs broken, which failed');
  const again = await p.run('w.yaml', '--keep-going');
  expect(again.step('rows').status).toBe('cached');
  expect(again.step('free').status).toBe('cached');
  expect(again.step('broken').status).toBe('failed');
});

it('without --keep-going names what each step that was not reached waits for, and how to try again', async () => {
  using p = new TestProject({
    ...data,
    'w.yaml': `name: failing
steps:
  ${rows}
  broken: { use: assert, from: rows, with: { that: "metrics.rows > 10" } }
  behind: { use: dedupe, from: rows, after: broken }
  further: { use: dedupe, from: behind }
`,
  });
  const { code, out, err } = await p.reprise('run', 'w.yaml', '--jobs', '1');
  expect(code).toBe(1);
  expect(err).toMatch(
    /○ behind +dedupe +needs broken, which failed\n +○ further +dedupe +needs broken, which failed/,
  );
  const [, run] = /again {4}reprise retry (\S+)\n$/.exec(out) ?? [];
  expect((await p.reprise('runs', 'show', 'latest')).out).toContain(`  reprise retry ${run} `);
  p.write({ 'data.jsonl': jsonl(numberedTexts(11)) });
  const again = await p.reprise('retry', run!);
  expect(again).toMatchObject({ code: 0, out: expect.stringMatching(/^succeeded in /) });
});

it('lets a step with on_error: continue fail: the run succeeds with a warning, and what needs the step is skipped', async () => {
  const workflow = (more: string) => `name: tolerant
steps:
  ${rows}
  optional: { use: assert, from: rows, on_error: continue, with: { that: "metrics.rows > 10" } }
  behind: { use: dedupe, from: rows, after: optional }
  free: { use: dedupe, from: rows, with: { fields: [id] } }
${more}`;
  using p = new TestProject({ ...data, 'w.yaml': workflow('') });
  const result = await p.run('w.yaml');
  expect(result.code).toBe(0);
  expect(result.status).toBe('succeeded');
  expect(result.step('optional')).toMatchObject({ status: 'failed', error: { code: 'assert-failed' } });
  expect(result.step('behind')).toMatchObject({ status: 'skipped', reason: 'needs optional, which failed' });
  expect(result.step('free').status).toBe('ran');
  expect(result.warnings).toEqual(
    expect.arrayContaining([expect.stringMatching(/^optional failed, and on_error: continue lets it: /)]),
  );
  const { code, out } = await p.reprise('run', 'w.yaml');
  expect(code).toBe(0);
  expect(out).toMatch(/^succeeded in .*2 cached, 1 skipped, 1 failed/);
  expect(out).toContain('✘ optional [assert-failed]');

  p.write({
    'w.yaml': workflow('  gate: { use: assert, from: rows, with: { that: "metrics.rows > 10" } }\n'),
  });
  const failed = await p.run('w.yaml');
  expect(failed.code).toBe(1);
  expect(failed.status).toBe('failed');
});

it('retries what may be retried, and stops what takes longer than its timeout, with its children', async () => {
  using p = new TestProject({
    ...data,
    'count.sh':
      'echo x >> "$1"; test "$(wc -l < "$1")" -ge 2 && echo \'{"id":"a","text":"done"}\' > out.jsonl',
    'w.yaml': `name: retried
env: [COUNTER]
steps:
  twice: { use: exec, retries: 2, with: { run: 'sh count.sh "$COUNTER"', deps: [count.sh], outputs: { rows: out.jsonl } } }
  slow: { use: exec, after: twice, timeout: 1s, with: { run: "sleep 600 & sleep 600", outputs: { rows: out.jsonl } } }
`,
  });
  const { ended } = p.start(['run', 'w.yaml', '--json'], { COUNTER: p.path('count.txt') });
  const { out, code } = await ended;
  const { steps } = JSON.parse(out) as {
    steps: { id: string; status: string; error: { code: string } | null; duration_ms: number }[];
  };
  expect(code).toBe(1);
  expect(steps[0]).toMatchObject({ id: 'twice', status: 'ran' });
  expect(p.read('count.txt')).toBe('x\nx\n');
  expect(steps[1]).toMatchObject({ id: 'slow', status: 'failed', error: { code: 'timeout' } });
  expect(steps[1]!.duration_ms).toBeLessThan(10_000);
});

it('skips what a false condition skips, unless a step says otherwise, and an assert is a gate', async () => {
  using p = new TestProject({
    ...data,
    'w.yaml': `name: gates
steps:
  ${rows}
  maybe: { use: dedupe, from: rows, when: "steps.rows.metrics.rows > 100" }
  behind: { use: dedupe, from: maybe }
  anyway: { use: dedupe, from: rows, after: maybe, if_skipped: run }
  gate: { use: assert, from: rows, with: { that: "metrics.rows >= 11" } }
`,
  });
  const result = await p.run('w.yaml', '--keep-going');
  expect(result.code).toBe(1);
  expect(result.step('maybe')).toMatchObject({
    status: 'skipped',
    reason: 'when is false: steps.rows.metrics.rows > 100 (steps.rows.metrics.rows = 10)',
  });
  expect(result.step('behind')).toMatchObject({
    status: 'skipped',
    reason: 'needs maybe, which was skipped',
  });
  expect(result.step('anyway').status).toBe('ran');
  expect(result.step('gate').error).toMatchObject({ code: 'assert-failed' });
  expect(result.step('gate').error?.message).toContain('10');
});

it('lets if_skipped forgive a condition, never a failure, and says which input was skipped', async () => {
  using p = new TestProject({
    ...data,
    'w.yaml': `name: skips
steps:
  ${rows}
  bad: { use: exec, from: rows, with: { run: "exit 1", outputs: { rows: out.jsonl } } }
  behind: { use: dedupe, from: bad }
  end: { use: dedupe, from: rows, after: behind, if_skipped: run }
  maybe: { use: dedupe, from: rows, when: "params.on" }
  needs_it: { use: dedupe, from: maybe, if_skipped: run }
params: { on: { type: boolean, default: false } }
`,
  });
  const result = await p.run('w.yaml', '--keep-going');
  expect(result.step('end')).toMatchObject({ status: 'skipped', reason: 'needs bad, which failed' });
  expect(result.step('needs_it').error).toMatchObject({ code: 'input-skipped' });
  expect(result.step('needs_it').error?.message).toContain('maybe, which was skipped');
});

it('refuses an earlier run that is not there before anything runs', async () => {
  using p = new TestProject({
    'w.yaml': 'name: past\nsteps:\n  a: { use: dedupe, from: run:nowhere/rows }\n',
  });
  const { code, err } = await p.reprise('run', 'w.yaml');
  expect(code).toBe(2);
  expect(err).toContain('there is no run "nowhere"');
  expect((await p.reprise('runs')).out).toBe('no runs\n');
});

it('gathers the files of a matrix, each instance in a folder of its own', async () => {
  using p = new TestProject({
    'mine.ts': `import { defineStep } from 'reprise';
export default defineStep({
  type: 'mine', summary: 'Lists files', parameters: { type: 'object', properties: {}, additionalProperties: false },
  inputs: { files: { kind: 'files', description: 'Files.' } },
  outputs: { rows: { kind: 'table', description: 'Rows.' } }, example: '',
  async run({ inputs: { files }, outputs }) {
    for (const name of files.names) await outputs.rows.write({ id: name, text: String(await files.read(name)).trim() });
  },
});
`,
    'w.yaml': `name: gathered
steps:
  made: { use: exec, matrix: { model: [a, b/c] }, with: { run: 'echo \${{ matrix.model }} > x.txt', outputs: { text: x.txt } } }
  mine: { use: ./mine.ts, from: made.text }
  program: { use: exec, from: made, with: { run: 'find "$REPRISE_INPUT/" -type f | wc -l > count.txt', outputs: { count: count.txt } } }
`,
  });
  const run = await p.run('w.yaml');
  expect(run.err).not.toContain('error');
  expect(run.code).toBe(0);
  const shown = (await p.reprise('show', 'latest', 'mine', '--format', 'jsonl')).out.trim().split('\n');
  expect(shown.map((line) => JSON.parse(line) as unknown)).toEqual([
    { id: 'model=a/x.txt', text: 'a' },
    { id: 'model=b%2Fc/x.txt', text: 'b/c' },
  ]);
  await p.reprise('export', 'latest', 'program', '-o', 'count.txt');
  expect(p.read('count.txt').trim()).toBe('2');
  expect((await p.run('w.yaml')).statuses.every((status) => status.endsWith(':cached'))).toBe(true);
});

it('runs a matrix, gathers it with a column per axis, and takes one instance', async () => {
  using p = new TestProject({
    ...data,
    'w.yaml': `name: matrix
steps:
  ${rows}
  part: { use: filter, from: rows, matrix: { digit: [1, 2, 3] }, with: { where: "row.text.contains('\${{ matrix.digit }}')" } }
  all: { use: dedupe, from: part }
  one: { use: dedupe, from: "part[digit=2]" }
  program: { use: exec, from: part, with: { run: 'wc -l < "$REPRISE_INPUT_PART" > count.txt', outputs: { count: count.txt } } }
`,
  });
  const result = await p.run('w.yaml');
  expect(result.code).toBe(0);
  expect(result.statuses.slice(0, 4)).toEqual([
    'rows:ran',
    'part[digit=1]:ran',
    'part[digit=2]:ran',
    'part[digit=3]:ran',
  ]);
  expect(result.step('one').rows).toBe(1);
  expect((await p.reprise('export', 'latest', 'program', '-o', 'count.txt')).code).toBe(0);
  expect(p.read('count.txt').trim()).toBe('3');
  const { out } = await p.reprise('show', 'latest', 'all', '--format', 'jsonl');
  const gathered = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(gathered).toEqual(
    [1, 2, 3]
      .map((digit) => ({
        id: `r${digit}@digit=${digit}`,
        text: `text number ${digit} of many`,
        row_id: `r${digit}`,
        digit,
      }))
      .map((row) => expect.objectContaining(row)),
  );
  // Without a step that reads them, they are gathered where they are looked at.
  expect((await p.reprise('show', 'latest', 'part', '--format', 'jsonl')).out).toBe(out);
  expect((await p.reprise('export', 'latest', 'part', '-o', 'part.jsonl')).out).toMatch(
    /^part.jsonl: 3 rows/,
  );
  expect(p.read('part.jsonl')).toBe(out);
});

it('refuses a wrong workflow before anything runs: exit code 2, no run', async () => {
  using p = new TestProject({
    ...data,
    'w.yaml': `name: wrong\nsteps:\n  a: { use: dedupe, from: b }\n  b: { use: dedupe, from: a }\n`,
  });
  const { code, err } = await p.reprise('run', 'w.yaml');
  expect(code).toBe(2);
  expect(err).toContain('a → b → a');
  expect((await p.reprise('runs')).out).toBe('no runs\n');
  expect((await p.reprise('run', 'nowhere.yaml')).code).toBe(2);
});

it('shows no stack trace for a defect of a step, but records it', async () => {
  using p = new TestProject({
    'w.yaml': 'name: defect\nsteps:\n  a: { use: ./код и/bad.ts }\n',
    'код и/bad.ts': `import { defineStep } from 'reprise';
export default defineStep({ type: 'bad', summary: 'Throws', parameters: { type: 'object', properties: {} }, inputs: {},
  outputs: { rows: { kind: 'table', description: '' } }, example: '', async run() { throw new TypeError('oh no'); } });
`,
  });
  const { code, out, err } = await p.reprise('run', 'w.yaml');
  expect(code).toBe(1);
  expect(out).toContain(
    'TypeError: oh no\n  → an error that the step did not expect, at код и/bad.ts:3:91; the stack',
  );
  expect(out + err).not.toMatch(/^\s+at /m);
  const shown = await p.reprise('runs', 'show', 'latest', '--json');
  const record = JSON.parse(shown.out) as { steps: { error: { stack: string } }[] };
  expect(record.steps[0]!.error.stack).toContain('/bad.ts');
});
