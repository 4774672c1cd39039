import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compileWorkflow } from '../engine/workflow/compile.ts';
import { createModelResolver } from '../models/resolver.ts';
import { createStepRegistry } from '../steps/registry.ts';
import { exampleFingerprint, exampleStep } from '../test/run-record.ts';
import { temporaryFolder } from '../test/temporary.ts';
import { refusePastLeaks } from './past-eval-only.ts';

/** What is said of a workflow by whose earlier run `r` a marked `truth` and an unmarked `open` were left. */
async function leaks(steps: string): Promise<string[]> {
  const root = temporaryFolder();
  writeFileSync(join(root, 'texts.jsonl'), '{"id":"a","text":"b"}\n');
  writeFileSync(
    join(root, 'w.yaml'),
    `models: { writer: { provider: command, command: [no-such-program] } }\nsteps:\n${steps}`,
  );
  const registry = createStepRegistry(root);
  const { workflow, problems } = await compileWorkflow(
    { file: 'w.yaml', cwd: root, env: {} },
    { root, registry, models: createModelResolver({ root }) },
  );
  expect(problems).toEqual([]);
  const find = (run: string, id: string) => ({
    ...exampleStep(id, {
      inputs: {},
      fingerprint: exampleFingerprint({ parameters: id === 'truth' ? { purpose: 'eval_only' } : {} }),
    }),
    run,
  });
  const refusal = await refusePastLeaks(workflow!, registry, find).catch((error: Error) => error);
  return refusal
    ? refusal.message.split('\n').flatMap((line) => line.split(' learns from it: ')[1] ?? [])
    : [];
}

const labels = (rows: string, examples: string) => `  labels:
    use: generate
    from: { rows: ${rows}, examples: ${examples} }
    with: { model: writer, prompt: { text: "{{text}}" }, few_shot: { output: id } }
`;
const few = `  few: { use: filter, from: "run:r/truth", with: { where: "true" } }\n`;

it('a step that learns is found by every way that marked data of an earlier run comes to it', async () => {
  expect(await leaks(labels('"run:r/open"', '"run:r/truth"'))).toEqual(['run:r/truth → labels']);
  expect(await leaks(few + labels('"run:r/open"', 'few'))).toEqual(['run:r/truth → few → labels']);
  // It reads marked data to answer for, which is what they are for, and learns from others.
  expect(await leaks(few + labels('"run:r/truth"', 'few'))).toEqual(['run:r/truth → few → labels']);
  expect(await leaks(few + labels('few', '"run:r/truth"'))).toEqual(['run:r/truth → labels']);
  expect(await leaks(few + labels('few', '"run:r/open"'))).toEqual([]);
  // To take what is like them out of other rows, marked data are read, and go no further.
  const others = (rows: string, against: string) =>
    `  others: { use: dedupe, from: { rows: ${rows}, against: ${against} } }\n${labels('"run:r/open"', 'others')}`;
  expect(await leaks(others('"run:r/open"', '"run:r/truth"'))).toEqual([]);
  expect(await leaks(others('"run:r/truth"', '"run:r/open"'))).toEqual(['run:r/truth → others → labels']);
});
