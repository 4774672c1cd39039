import { expect, it } from 'vitest';
import { jsonl, numberedTexts, TestProject } from '../project.ts';

/** A row-wise step that counts what it computes, and fails rows whose text contains `bad`. */
const rowStep = `import { appendFileSync } from 'node:fs';
import { defineRowStep, RowFailure } from 'reprise';
export default defineRowStep({
  type: 'measure', summary: 'Length of a text',
  parameters: { type: 'object', additionalProperties: false, properties: { unit: { type: 'string', default: 'characters' } } },
  inputs: { rows: { kind: 'table', description: 'Rows.' } },
  outputs: { rows: { kind: 'table', description: 'Rows with a length.' } },
  example: '',
  fields: () => ['text'],
  async open({ context }) {
    return {
      identity: null, batchSize: 4, concurrency: 2,
      async compute(batch) {
        for (const [text] of batch) appendFileSync(context.root + '/computed.txt', text + '\\n');
        return batch.map(([text]) => String(text).includes('bad') ? new RowFailure('it is bad') : String(text).length);
      },
    };
  },
  async emit({ outputs }, rows) {
    for await (const { row, value } of rows) await outputs.rows.write({ ...row, length: value });
  },
});
`;

it('lets some rows fail: they are an output with reasons, and only they are computed again', async () => {
  const rows = numberedTexts(10).map((row, index) => (index === 3 ? { ...row, text: 'a bad one' } : row));
  using p = new TestProject({
    'data.jsonl': jsonl(rows),
    'measure.ts': rowStep,
    'w.yaml': `name: partial
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  lengths: { use: ./measure.ts, from: rows, max_row_failures: 10% }
  failures: { use: dedupe, from: lengths.failed }
`,
  });
  const computed = () => p.read('computed.txt').trim().split('\n');
  const first = await p.run('w.yaml');
  expect(first).toMatchObject({ code: 0, status: 'succeeded' });
  expect(first.step('lengths')).toMatchObject({ status: 'ran', rows: 9, rows_computed: 9, rows_failed: 1 });
  expect((await p.reprise('show', 'latest', 'failures', '--format', 'jsonl')).out).toBe(
    '{"id":"r3","text":"a bad one","reason":"it is bad"}\n',
  );
  expect(computed()).toHaveLength(10);

  const second = await p.run('w.yaml');
  expect(second.step('lengths')).toMatchObject({
    status: 'ran',
    rows_computed: 0,
    rows_cached: 9,
    rows_failed: 1,
  });
  expect(computed().slice(10)).toEqual(['a bad one']);

  p.write({ 'w.yaml': p.read('w.yaml').replace('10%', '0') });
  const strict = await p.run('w.yaml');
  expect(strict.code).toBe(1);
  expect(strict.step('lengths').error).toMatchObject({ code: 'too-many-failed-rows' });
  expect(strict.step('lengths').error?.message).toContain('row r3: it is bad');

  p.write({ 'data.jsonl': jsonl(rows.map((row) => ({ ...row, text: row.text.replace('bad', 'good') }))) });
  const mended = await p.run('w.yaml');
  expect(mended.step('lengths')).toMatchObject({
    status: 'ran',
    rows: 10,
    rows_computed: 1,
    rows_cached: 9,
    rows_failed: 0,
  });
  expect((await p.run('w.yaml')).step('lengths').status).toBe('cached');
});

it('computes rows again when the environment or a param that they name changes', async () => {
  using p = new TestProject({
    'data.jsonl': jsonl(numberedTexts(4)),
    'measure.ts': rowStep.replace('String(text).length', "context.env['TONE'] + String(text).length"),
    'w.yaml': `name: tones
env: [TONE]
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  lengths: { use: ./measure.ts, from: rows }
`,
  });
  for (const tone of ['kind', 'rude']) {
    expect((await p.start(['run', 'w.yaml'], { TONE: tone }).ended).code).toBe(0);
    expect((await p.reprise('show', 'latest', 'lengths', '--format', 'jsonl')).out).toContain(
      `"length":"${tone}`,
    );
  }
  const forced = await p.start(['run', 'w.yaml', '--force', 'lengths', '--json'], { TONE: 'rude' }).ended;
  expect((JSON.parse(forced.out) as { steps: { rows_computed: number }[] }).steps[1]!.rows_computed).toBe(4);
});

it('gives rows ids by the rules: a field whose repeats are rejected, or a hash of the text with a count', async () => {
  using p = new TestProject({
    'data.jsonl': jsonl([
      { id: 1, text: 'one' },
      { id: '1', text: 'also one' },
      { id: 2, text: 'one' },
    ]),
    'w.yaml': `name: ids
steps:
  named: { use: load, with: { path: data.jsonl, text: text, id: id } }
  hashed: { use: load, with: { path: data.jsonl, text: text } }
  rejected: { use: dedupe, from: named.rejected, with: { fields: [id] } }
`,
  });
  const result = await p.run('w.yaml');
  expect(result.step('named')).toMatchObject({ rows: 2, metrics: { rejected: 1 } });
  expect(result.step('named').warnings.join()).toContain('1');
  expect(result.step('rejected').rows).toBe(1);
  const { out } = await p.reprise('show', 'latest', 'hashed', '--format', 'jsonl');
  const ids = out
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { id: string }).id);
  expect(new Set(ids).size).toBe(3);
  expect(ids[2]!.startsWith(ids[0]!)).toBe(true);
});

it('resolves ./ against the file that says it and bare paths against the root, includes too', async () => {
  using p = new TestProject({
    'data.jsonl': jsonl([{ id: 'root', text: 'at the root' }]),
    'flows/data.jsonl': jsonl([{ id: 'beside', text: 'beside the workflow' }]),
    'flows/parts/data.jsonl': jsonl([{ id: 'part', text: 'beside the part' }]),
    'flows/parts/part.yaml':
      'steps:\n  part: { use: load, with: { path: ./data.jsonl, text: text, id: id } }\n',
    'flows/w.yaml': `name: paths
include: [./parts/part.yaml]
steps:
  bare: { use: load, with: { path: data.jsonl, text: text, id: id } }
  beside: { use: load, with: { path: ./data.jsonl, text: text, id: id } }
`,
  });
  expect((await p.run('flows/w.yaml')).code).toBe(0);
  for (const [step, id] of [
    ['bare', 'root'],
    ['beside', 'beside'],
    ['part', 'part'],
  ]) {
    expect((await p.reprise('show', 'latest', step!, '--format', 'jsonl')).out).toContain(`"id":"${id}"`);
  }
});

it('makes references edges, keeps the type of a whole expression, and reads outputs of earlier runs', async () => {
  using p = new TestProject({
    'data.jsonl': jsonl(numberedTexts(12)),
    'w.yaml': `name: edges
steps:
  gate: { use: assert, from: part, with: { that: "metrics.rows == steps.count.metrics.rows / 4" } }
  part: { use: load, with: { path: data.jsonl, text: text, id: id, limit: "\${{ steps.count.metrics.rows / 4 }}" } }
  count: { use: load, with: { path: data.jsonl, text: text, id: id } }
`,
  });
  const result = await p.run('w.yaml');
  expect(result.err).not.toContain('error');
  expect(result.statuses).toEqual(['count:ran', 'part:ran', 'gate:ran']);
  expect(result.step('part').rows).toBe(3);
  p.write({ 'again.yaml': 'name: again\nsteps:\n  old: { use: dedupe, from: run:latest/part }\n' });
  expect((await p.run('again.yaml')).step('old').rows).toBe(3);
  // Its own run is now the latest, and has no such step: the latest that has one counts.
  expect((await p.run('again.yaml')).statuses).toEqual(['old:cached']);
  expect((await p.run('w.yaml')).statuses.every((status) => status.endsWith('cached'))).toBe(true);
});

it('finds an instance of a matrix of an earlier run alike in from, show and export', async () => {
  using p = new TestProject({
    'data.jsonl': jsonl(numberedTexts(6)),
    'w.yaml': `name: parts
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  part: { use: filter, from: rows, matrix: { digit: [1, 2], side: ["a,b", c] }, with: { where: "row.text.contains('\${{ matrix.digit }}')" } }
`,
  });
  const { run } = await p.run('w.yaml');
  const address = 'part[side="a,b",digit=2].rows';
  const shown = (await p.reprise('show', 'latest', address, '--format', 'jsonl')).out;
  expect(shown).toContain('"id":"r2"');
  await p.reprise('export', 'latest', address, '-o', 'part.jsonl');
  expect(p.read('part.jsonl')).toBe(shown);
  const again = (from: string) =>
    p.write({
      'again.yaml': `name: again\nsteps:\n  old: { use: filter, from: '${from}', with: { where: 'true' } }\n`,
    });
  again(`run:${run}/${address}`);
  await p.run('again.yaml');
  expect((await p.reprise('show', 'latest', 'old', '--format', 'jsonl')).out).toBe(shown);
  // Where a person looks, the instances that an address leaves open are put together; a step of another run names one.
  for (const [open, count] of [
    ['part', 4],
    ['part[digit=2]', 2],
  ] as const) {
    again(`run:${run}/${open}`);
    const planned = await p.reprise('plan', 'again.yaml');
    expect(planned).toMatchObject({
      code: 2,
      err: expect.stringContaining(`"${open}" may be any of ${count} instances`),
    });
    const all = await p.reprise('show', run, open, '--format', 'jsonl');
    await p.reprise('export', run, open, '-o', 'all.jsonl');
    expect(all).toMatchObject({ code: 0, out: p.read('all.jsonl') });
    expect(all.out.trim().split('\n')).toHaveLength(count);
  }
  for (const [wrong, said] of [
    ['part[digit=3]', 'has no step "part[digit=3]"'],
    ['part[digit=1,side=c].other', 'has no output "other"'],
  ] as const) {
    again(`run:${run}/${wrong}`);
    for (const call of [
      ['plan', 'again.yaml'],
      ['show', run, wrong],
      ['export', run, wrong, '-o', 'x.csv'],
    ]) {
      const { code, err } = await p.reprise(...call);
      expect({ call, code, err }).toMatchObject({ code: 2, err: expect.stringContaining(said) });
    }
  }
});

it('records what a run needs to be understood: workflow, commit, environment, pinned bytes', async () => {
  using p = new TestProject({
    'data.jsonl': jsonl(numberedTexts(3)),
    'w.yaml':
      'name: recorded\nsteps:\n  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }\n',
  });
  const { run, warnings } = await p.run('w.yaml');
  expect(warnings.join()).toContain('git');
  const record = JSON.parse(p.read(`runs/${run}/run.json`)) as {
    workflow: { sources: { text: string }[] };
    files: { path: string; digest: string; pinned: boolean }[];
    pins: string[];
    steps: { fingerprint: { files: Record<string, string> } }[];
  };
  expect(record.workflow.sources[0]!.text).toBe(p.read('w.yaml'));
  const [file] = record.files;
  expect(file).toMatchObject({ path: 'data.jsonl', pinned: true });
  expect(record.pins).toContain(file!.digest);
  expect(record.steps[0]!.fingerprint.files['data.jsonl']).toBe(file!.digest);
  const hex = file!.digest.slice(7);
  expect(p.read(`.reprise/objects/${hex.slice(0, 2)}/${hex.slice(2)}`)).toBe(p.read('data.jsonl'));
  const events = p
    .read(`runs/${run}/events.ndjson`)
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { type: string }).type);
  expect(events[0]).toBe('run-started');
  expect(events.at(-1)).toBe('run-finished');
});
