import { chmodSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Artefact, blobsOf } from '../../engine/artefacts.ts';
import { jsonl, numberedTexts, type RunSummary, summaryOf, TestProject } from '../project.ts';

/** Changes a byte of a step's main output in the store, unseen by a look at sizes and times. */
function damage(project: TestProject, { run }: RunSummary, step: string): void {
  const record = JSON.parse(project.read(`runs/${run}/run.json`)) as {
    steps: { id: string; outputs: Record<string, Artefact> }[];
  };
  const [artefact] = Object.values(record.steps.find(({ id }) => id === step)!.outputs);
  const hex = blobsOf(artefact!)[0]!.digest.slice('sha256:'.length);
  const path = project.path(`.reprise/objects/${hex.slice(0, 2)}/${hex.slice(2)}`);
  const { atimeMs, mtimeMs, mode } = statSync(path);
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  chmodSync(path, 0o644);
  writeFileSync(path, bytes);
  chmodSync(path, mode);
  utimesSync(path, atimeMs / 1000, mtimeMs / 1000);
}

/** `first` reads a file that no parameter declares: taken away, the step cannot be done again. */
const workflow = (fields: string) => `name: mending
steps:
  first: { use: exec, with: { run: 'cp "$SOURCE" out.jsonl', outputs: { rows: out.jsonl } } }
  second: { use: filter, from: first, with: { where: "row.text != 'text number 3 of many'" } }
  reader: { use: dedupe, from: second, with: { fields: [${fields}] } }
  behind: { use: filter, from: reader, with: { where: "row.text != '-'" } }
  free: { use: load, with: { path: free.jsonl, text: text, id: id } }
env: [SOURCE]
`;
const source = jsonl(numberedTexts(20));

async function runAfterDamage(...steps: string[]): Promise<RunSummary> {
  using p = new TestProject({ 'source.jsonl': source, 'free.jsonl': source, 'w.yaml': workflow('text') });
  const run = async () => {
    const args = ['run', 'w.yaml', '--keep-going', '--json'];
    return summaryOf(await p.start(args, { SOURCE: p.path('source.jsonl') }).ended);
  };
  const first = await run();
  expect(first.code).toBe(0);
  for (const step of steps) damage(p, first, step);
  rmSync(p.path('source.jsonl'));
  p.write({ 'w.yaml': workflow('id') });
  return await run();
}

it('a damaged result that cannot be computed again is the failure of its step, not of the step that reads it', async () => {
  const run = await runAfterDamage('first', 'second');
  expect(run.code).toBe(1);
  expect(run.statuses).toEqual([
    'first:failed',
    'free:cached',
    'second:skipped',
    'reader:skipped',
    'behind:skipped',
  ]);
  expect(run.step('first').error?.message).toContain('source.jsonl');
  for (const step of ['second', 'reader', 'behind'])
    expect(run.step(step).reason).toBe('needs first, which failed');
});

it('a damaged result is computed again from what it was made of', async () => {
  const run = await runAfterDamage('second');
  expect(run.code).toBe(0);
  expect(run.step('first').status).toBe('cached');
  expect(run.step('second')).toMatchObject({ status: 'ran', reason: 'a stored output is damaged' });
  expect(run.step('reader').status).toBe('ran');
});
