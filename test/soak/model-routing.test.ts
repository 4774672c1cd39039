import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { TestProject } from '../project.ts';

const root = resolve(import.meta.dirname, '../..');

it('a router that learnt from other questions of GSM8K is better than chance, and stands beside length', async () => {
  using project = new TestProject({});
  for (const path of ['workflows/model-routing.yaml', 'use-cases/model-routing']) {
    mkdirSync(dirname(project.path(path)), { recursive: true });
    cpSync(join(root, path), project.path(path), { recursive: true });
  }
  const run = await project.run('workflows/model-routing.yaml');
  expect(run.code, run.err).toBe(0);
  const { metrics } = run.step('scores');
  expect(metrics).toMatchObject({ rows: 653, apgr_random: 0.5, apgr_length: expect.any(Number) });
  expect(metrics['apgr_low']).toBeGreaterThan(0.5);
  expect(run.step('parts').metrics['leaks']).toBe(0);
});
