import { chmodSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createModelResolver } from '../../models/resolver.ts';
import { createStepRegistry } from '../../steps/registry.ts';
import { temporaryFolder } from '../../test/temporary.ts';
import { blobsOf } from '../artefacts.ts';
import type { RunEvent } from '../events.ts';
import { runWorkflow } from '../run.ts';
import { compileWorkflow } from '../workflow/compile.ts';
import { openWorkspace, type Workspace } from '../workspace.ts';
import { WindDown } from './wind-down.ts';

/** `made` waits as long as there is a file `slow`, which counts in no key. */
const workflow = (where: string) => `name: wound
steps:
  made:
    use: exec
    with: { run: 'while [ -e slow ]; do sleep 0.02; done; echo "{\\"id\\":\\"a\\",\\"n\\":1}" > out.jsonl', outputs: { rows: out.jsonl } }
  reader: { use: filter, from: made, with: { where: "${where}" } }
`;

/** A folder with a result of `made`, which is damaged and slow to be computed again, and a `reader` that has none. */
async function damagedProject() {
  const root = temporaryFolder();
  const slow = join(root, 'slow');
  writeFileSync(join(root, 'reprise.yaml'), '');
  const first = await run(root, 'true').ended;
  const made = first.record.steps.find(({ id }) => id === 'made')!;
  const hex = blobsOf(Object.values(made.outputs)[0]!)[0]!.digest.slice('sha256:'.length);
  const path = join(root, '.reprise/objects', hex.slice(0, 2), hex.slice(2));
  const { atimeMs, mtimeMs, mode } = statSync(path);
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  chmodSync(path, 0o644);
  writeFileSync(path, bytes);
  chmodSync(path, mode);
  utimesSync(path, atimeMs / 1000, mtimeMs / 1000);
  writeFileSync(slow, '');
  return { ...run(root, 'row.n == 1'), goOn: () => rmSync(slow) };
}

/** `mending`: the step's damaged result is being computed again. */
function run(root: string, where: string) {
  const windDown = new WindDown();
  const mending = Promise.withResolvers<void>();
  const work = async () => {
    writeFileSync(join(root, 'w.yaml'), workflow(where));
    const parts = { root, registry: createStepRegistry(root), models: createModelResolver({ root }) };
    const workspace: Workspace = openWorkspace({
      ...parts,
      storeFolder: join(root, '.reprise'),
      onDamage: () => {},
    });
    onTestFinished(() => workspace.close());
    const { workflow: compiled, problems } = await compileWorkflow(
      { file: 'w.yaml', cwd: root, env: process.env as Record<string, string> },
      { ...parts, cache: workspace.caches.texts },
    );
    expect(problems).toEqual([]);
    return await runWorkflow({
      workflow: compiled!,
      workspace,
      runsFolder: join(root, 'runs'),
      command: ['run', 'w.yaml'],
      engineVersion: '0.0.0',
      signal: new AbortController().signal,
      windDown,
      listeners: [
        (event: RunEvent) => {
          if (event.type === 'step-started' && event.reason === 'a stored output is damaged')
            mending.resolve();
        },
      ],
      now: Date.now,
      productsOfRun: () => undefined,
    });
  };
  return { windDown, mending: mending.promise, ended: work() };
}

const statuses = ({ record }: Awaited<ReturnType<typeof runWorkflow>>) =>
  record.steps.map(({ id, status }) => `${id}:${status}`);

it('what is computed again for a step that is stopped is stopped with it', async () => {
  const { windDown, mending, ended } = await damagedProject();
  await mending;
  expect(await windDown.begin(['reader'])).toEqual([]);
  const finished = await ended;
  expect([finished.record.status, ...statuses(finished)]).toEqual([
    'interrupted',
    'made:cached',
    'reader:interrupted',
  ]);
});

it('what is computed again for a step that goes on goes on with it; when all is over nothing is wound down', async () => {
  const { windDown, mending, ended, goOn } = await damagedProject();
  await mending;
  expect(await windDown.begin([])).toMatchObject([{ id: 'reader' }]);
  goOn();
  const finished = await ended;
  expect([finished.record.status, ...statuses(finished)]).toEqual(['succeeded', 'made:ran', 'reader:ran']);
  expect(await windDown.begin(['reader'])).toEqual([]);
});

it('a step goes on only with what is computed again for it', async () => {
  const { windDown, mending, ended } = await damagedProject();
  await mending;
  expect(await windDown.begin(['made'])).toEqual([]);
  expect(statuses(await ended)).toEqual(['made:cached', 'reader:interrupted']);
});
