import { describe, expect, it } from 'vitest';
import { summaryOf } from '../project.ts';
import { cannotMount, MountedProject } from './mounted-project.ts';
import { digestsOf, sampleJob } from './sample-job.ts';

/** The part of the sample job that takes no model. */
const workflow = 'small.yaml';

/** What only reads works, and gives what it gave before. */
async function expectReadable(project: MountedProject, before: Record<string, string>): Promise<void> {
  for (const [call, out] of Object.entries(before))
    expect(await project.reprise(...call.split(' '))).toMatchObject({
      code: 0,
      out,
      err: expect.any(String),
    });
}

const readingCalls = [
  `plan ${workflow}`,
  `validate ${workflow}`,
  `graph ${workflow}`,
  'runs list',
  'runs show latest --json',
  'show latest scored --format jsonl',
  'cache verify',
];

async function answers(project: MountedProject): Promise<Record<string, string>> {
  const said: Record<string, string> = {};
  for (const call of readingCalls) {
    const { code, out, err } = await project.reprise(...call.split(' '));
    expect({ call, code, err }).toMatchObject({ call, code: 0 });
    said[call] = out;
  }
  return said;
}

describe.skipIf(cannotMount !== null)(
  `a disk that cannot be written${cannotMount ? ` (skipped: ${cannotMount})` : ''}`,
  () => {
    it('the whole project: a run says what is wrong, looking works', async () => {
      using project = await MountedProject.make(sampleJob, 50e6);
      digestsOf(await project.run(workflow));
      digestsOf(await project.run(workflow));
      const before = await answers(project);
      project.remount('ro');
      const { code, out, err } = await project.reprise('run', workflow);
      expect({ code, out, err }).toMatchObject({ code: 1, out: '' });
      expect(err).toContain('runs cannot be written');
      expect(err).toContain('make the folder writable');
      expect(err).not.toMatch(/^\s+at |defect/m);
      await expectReadable(project, before);
      project.remount('rw');
      expect((await project.run(workflow)).code).toBe(0);
    });

    it('a project that was never run', async () => {
      using project = await MountedProject.make(sampleJob, 50e6);
      const before = await answersBefore(project);
      project.remount('ro');
      for (const [call, out] of Object.entries(before))
        expect(await project.reprise(...call.split(' '))).toMatchObject({ code: 0, out });
    });

    it('the store alone: what is cached is found, what must be computed fails and says why', async () => {
      using project = await MountedProject.make(sampleJob, 50e6);
      const made = digestsOf(await project.run(workflow));
      digestsOf(await project.run(workflow));
      const before = await answers(project);
      project.bind('.reprise', 'ro');
      await expectReadable(project, before);
      const idle = await project.run(workflow);
      expect(digestsOf(idle)).toEqual(made);
      expect(idle.statuses.every((status) => status.endsWith(':cached'))).toBe(true);
      const forced = summaryOf(await project.reprise('run', workflow, '--force', 'unique', '--json'));
      expect(forced).toMatchObject({ code: 1, status: 'failed' });
      expect(forced.step('unique').error).toMatchObject({
        code: 'store-read-only',
        hint: expect.stringContaining('make the folder writable'),
      });
      expect(forced.err).not.toMatch(/^\s+at |defect/m);
      project.unbind('.reprise');
      expect(digestsOf(await project.run(workflow, '--force', 'unique'))).toEqual(made);
    });

    it('the indexes alone: a run computes everything, and is right', async () => {
      using project = await MountedProject.make(sampleJob, 50e6);
      const made = digestsOf(await project.run(workflow));
      project.within(
        'sh',
        '-c',
        `rm -rf '${project.point}/.reprise/cache' && mkdir '${project.point}/.reprise/cache'`,
      );
      project.bind('.reprise/cache', 'ro');
      for (let round = 0; round < 2; round++) {
        const run = await project.run(workflow);
        expect(digestsOf(run)).toEqual(made);
        expect(run.statuses.every((status) => status.endsWith(':ran'))).toBe(true);
        expect(run.err).toContain('cannot be written');
      }
      project.unbind('.reprise/cache');
      expect(digestsOf(await project.run(workflow))).toEqual(made);
    });
  },
);

async function answersBefore(project: MountedProject): Promise<Record<string, string>> {
  const said: Record<string, string> = {};
  for (const call of [`plan ${workflow}`, `validate ${workflow}`, `graph ${workflow}`, 'runs list']) {
    const { code, out } = await project.reprise(...call.split(' '));
    expect({ call, code }).toEqual({ call, code: 0 });
    said[call] = out;
  }
  return said;
}
