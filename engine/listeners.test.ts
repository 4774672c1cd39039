import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createModelResolver } from '../models/resolver.ts';
import { createStepRegistry } from '../steps/registry.ts';
import { temporaryFolder } from '../test/temporary.ts';
import type { RunEvent } from './events.ts';
import { runWorkflow } from './run.ts';
import { compileWorkflow } from './workflow/compile.ts';
import { openWorkspace } from './workspace.ts';

it('goes on without a listener that throws, and tells the others', async () => {
  const root = temporaryFolder();
  writeFileSync(join(root, 'data.jsonl'), '{"id":"a","text":"b"}\n');
  writeFileSync(
    join(root, 'w.yaml'),
    'name: heard\nsteps:\n  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }\n  unique: { use: dedupe, from: rows }\n',
  );
  const parts = { root, registry: createStepRegistry(root), models: createModelResolver({ root }) };
  const workspace = openWorkspace({ ...parts, storeFolder: join(root, '.reprise'), onDamage: () => {} });
  const compiled = await compileWorkflow(
    { file: 'w.yaml', cwd: root, env: {} },
    { ...parts, cache: workspace.caches.texts },
  );
  const heard: RunEvent[] = [];
  let told = 0;
  const { record } = await runWorkflow({
    workflow: compiled.workflow!,
    workspace,
    runsFolder: join(root, 'runs'),
    command: ['run', 'w.yaml'],
    engineVersion: '0.0.0',
    signal: new AbortController().signal,
    listeners: [
      ({ type }) => {
        told++;
        if (type === 'step-finished') throw new Error('no more paper');
      },
      (event) => heard.push(event),
    ],
    now: Date.now,
    productsOfRun: () => undefined,
  });
  await workspace.close();

  expect(record.status).toBe('succeeded');
  const message = 'a reporter failed and is told no more: no more paper';
  expect(record.warnings).toContain(message);
  const before = heard.findIndex(({ type }) => type === 'step-finished');
  expect(heard.filter((event) => event.type === 'run-warning' && event.message === message)).toHaveLength(1);
  expect(told).toBeLessThan(heard.length);
  expect(heard.slice(before + 1).map(({ type }) => type)).toContain('run-finished');
  expect(heard.filter(({ type }) => type === 'step-finished')).toHaveLength(2);
});
