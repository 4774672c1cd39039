import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as moment } from 'node:timers/promises';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type RunSummary, TestProject } from '../project.ts';
import {
  digestsOf,
  expectClean,
  linesOf,
  runSample,
  sampleEnv,
  sampleJob,
  sampleRows,
  seededNumbers,
} from './sample-job.ts';

const rounds = 20;
/** Rows of a batch, and of those that wait up to 10 ms to be filed, may be computed twice. */
const inFlight = 16;

let undisturbed: RunSummary;
let durationMs: number;

beforeAll(async () => {
  using project = new TestProject(sampleJob);
  // The first run of a machine reads everything from the disk.
  await runSample(project);
  using second = new TestProject(sampleJob);
  const started = performance.now();
  undisturbed = await runSample(second);
  durationMs = performance.now() - started;
});

describe('SIGKILL at any moment of a run', () => {
  const random = seededNumbers(20);
  const moments = Array.from({ length: rounds }, (_, round) => (round + random()) / rounds);

  it.each(moments)(
    'after %f of its time: the next run goes on from there and ends the same',
    async (share) => {
      using project = new TestProject(sampleJob);
      const scratch = mkdtempSync(join(tmpdir(), 'reprise-soak-'));
      onTestFinished(() => rmSync(scratch, { recursive: true, force: true }));
      const env = { ...sampleEnv(project), TMPDIR: scratch };

      const killed = project.start(['run', 'w.yaml'], env, { detached: true });
      await moment(share * durationMs);
      try {
        process.kill(-killed.child.pid!, 'SIGKILL');
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe('ESRCH');
      }
      const { signal } = await killed.ended;

      const computedBefore = linesOf(project.path('computed.log')).length;
      const listed = JSON.parse((await project.reprise('runs', 'list', '--json')).out) as {
        runs: { id: string; status: string }[];
      };
      // The last moments hit a process that has recorded its end and only closes its files.
      if (signal === 'SIGKILL')
        for (const run of listed.runs) expect(['interrupted', 'succeeded']).toContain(run.status);

      const next = await runSample(project, env);
      expect(next.err).not.toMatch(/damaged|missing/);
      expect(digestsOf(next)).toEqual(digestsOf(undisturbed));
      const scored = next.step('scored');
      const repeated = linesOf(project.path('computed.log')).length - sampleRows;
      expect(repeated).toBeLessThanOrEqual(inFlight);
      expect(scored.rows_cached).toBeGreaterThanOrEqual(computedBefore - inFlight);
      expect(scored.rows_cached + scored.rows_computed).toBe(sampleRows);
      expect(project.read('out/rows.csv').split('\n')).toHaveLength(sampleRows + 2);
      await expectClean(project);

      const idle = await runSample(project, env);
      expect(idle.steps.every(({ status }) => status === 'cached')).toBe(true);
      // The next process that needs a scratch folder removes what the killed one left.
      await runSample(project, env, '--force', 'outside');
      expect(readdirSync(scratch).filter((name) => name.startsWith('reprise-'))).toEqual([]);
      console.log(
        `killed at ${(share * 100).toFixed(0)} %: ${scored.status}, ${computedBefore} rows were computed, ${scored.rows_cached} were kept, ${Math.max(0, repeated)} computed again`,
      );
    },
  );
});
