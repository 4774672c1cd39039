import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CommandResult, jsonl, summaryOf, TestProject } from '../project.ts';
import { cannotMount, MountedProject } from './mounted-project.ts';
import { digestsOf, expectClean, sampleJob } from './sample-job.ts';

const kilobyte = 1024;

/** Rows that do not compress, a table of them, a program that copies it, and row-wise work. */
const job: Record<string, string> = {
  ...sampleJob,
  'data.jsonl': jsonl(
    Array.from({ length: 200 }, (_, index) => ({
      id: `r${index}`,
      text: `${index} ${randomBytes(200).toString('base64')}`,
    })),
  ),
  'w.yaml': `name: small
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  scored: { use: ./steps/score.ts, from: rows }
  copied: { use: exec, from: scored, with: { run: 'cp "$REPRISE_INPUT" out.jsonl', outputs: { rows: out.jsonl } } }
  file: { use: export, from: copied, with: { path: out/rows.csv } }
`,
};

/** A failure that a person can act on. */
function expectDiskFull({ code, out, err }: CommandResult): void {
  const said = out + err;
  expect({ code, said }).toMatchObject({ code: 1 });
  // A program tells it in its own words.
  expect(said).toMatch(/disk-full|the disk is full: free some space/);
  expect(said).toMatch(/free some space|make room/);
  expect(said).not.toMatch(/^\s+at |node:internal/m);
  expect(said).not.toContain('defect');
}

let undisturbed: ReturnType<typeof digestsOf>;
/** Bytes that the project takes after a run, with its temporary files. */
let needed: number;

beforeAll(async () => {
  using project = new TestProject(job);
  undisturbed = digestsOf(await project.run('w.yaml'));
});

describe.skipIf(cannotMount !== null)(
  `a disk that gets full${cannotMount ? ` (skipped: ${cannotMount})` : ''}`,
  () => {
    /** Runs on a disk of so many bytes. Temporary files lie on it too. */
    const runOn = async (project: TestProject) => {
      mkdirSync(project.path('scratch'), { recursive: true });
      return project.start(['run', 'w.yaml', '--json'], { TMPDIR: project.path('scratch') }).ended;
    };

    it('at any point of a run: it fails with a remedy, and goes on when there is room', async () => {
      {
        using project = await MountedProject.make(job, 100e6);
        expect(digestsOf(summaryOf(await runOn(project)))).toEqual(undisturbed);
        needed =
          Number(project.within('sh', '-c', `df -k --output=used '${project.point}' | tail -1`)) * kilobyte;
      }
      const sources = Object.values(job).reduce(
        (sum, text) => sum + Math.ceil(text.length / 4096) * 4096,
        32 * kilobyte,
      );
      const outcomes: Record<string, number> = {};
      const rounds = 6;
      for (let round = 0; round <= rounds; round++) {
        const bytes = sources + Math.round((round / rounds) * (needed + 100 * kilobyte - sources));
        using project = await MountedProject.make(job, bytes);
        const end = await runOn(project);
        const place = `${Math.round(bytes / kilobyte)} kB`;
        if (end.code === 0) {
          expect({ place, digests: digestsOf(summaryOf(end)) }).toEqual({ place, digests: undisturbed });
          outcomes['succeeded'] = (outcomes['succeeded'] ?? 0) + 1;
        } else {
          expectDiskFull(end);
          const run = end.out.startsWith('{') ? summaryOf(end) : null;
          const where = run?.steps.find(({ error }) => error !== null)?.id ?? 'record';
          outcomes[where] = (outcomes[where] ?? 0) + 1;
          // A folder of a run holds a record or is not there.
          for (const name of existsSync(project.path('runs')) ? readdirSync(project.path('runs')) : [])
            expect(() => JSON.parse(project.read(`runs/${name}/run.json`)) as unknown).not.toThrow();
          if (run)
            expect(JSON.parse(project.read(`runs/${run.run}/run.json`))).toMatchObject({ status: 'failed' });
        }
        project.remount('size=100m');
        const next = summaryOf(await runOn(project));
        expect({ place, digests: digestsOf(next) }).toEqual({ place, digests: undisturbed });
        expect(next.err).not.toMatch(/damaged|was changed/);
        expect(project.read('out/rows.csv').split('\n')).toHaveLength(202);
        await expectClean(project);
        expect(readdirSync(project.path('scratch')).filter((name) => name.startsWith('reprise-'))).toEqual(
          [],
        );
      }
      console.log('full disks by where they stopped the run:', outcomes);
      const { succeeded = 0, ...failed } = outcomes;
      expect(succeeded).toBeGreaterThan(0);
      expect(Object.keys(failed)).not.toEqual([]);
    });

    it('before the run begins', async () => {
      using project = await MountedProject.make(job, 20e6);
      const fill = () => {
        const ballast = openSync(project.path('ballast'), 'a');
        try {
          for (;;) writeSync(ballast, Buffer.alloc(4096, 1));
        } catch (error) {
          expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
        } finally {
          closeSync(ballast);
        }
      };
      fill();
      expectDiskFull(await project.reprise('run', 'w.yaml'));
      expect(existsSync(project.path('runs')) ? readdirSync(project.path('runs')) : []).toEqual([]);
      rmSync(project.path('ballast'));
      expect(digestsOf(await project.run('w.yaml'))).toEqual(undisturbed);

      // Full again: what is done can still be looked at.
      fill();
      const idle = await project.reprise('run', 'w.yaml');
      if (idle.code !== 0) expectDiskFull(idle);
      expect((await project.reprise('runs', 'list')).code).toBe(0);
      expect((await project.reprise('show', 'latest', 'scored', '--head', '1')).code).toBe(0);
      expect((await project.reprise('plan', 'w.yaml')).code).toBe(0);
      rmSync(project.path('ballast'));
      expect(digestsOf(await project.run('w.yaml'))).toEqual(undisturbed);
      await expectClean(project);
    });

    it('by what the steps print: the record is written all the same', async () => {
      using project = await MountedProject.make(
        {
          'mine.ts': `import { defineStep } from 'reprise';
export default defineStep({
  type: 'mine', summary: 'Prints', parameters: { type: 'object', properties: {}, additionalProperties: false },
  inputs: {}, outputs: { rows: { kind: 'table', description: 'Rows.' } }, example: '',
  async run({ outputs, context }) {
    await outputs.rows.write({ id: 'a' });
    for (let n = 0; n < 20_000; n++) { context.log('x'.repeat(500)); if (n % 100 === 0) await new Promise(setImmediate); }
  },
});
`,
          'w.yaml': 'name: loud\nsteps:\n  mine: { use: ./mine.ts }\n',
        },
        4e6,
      );
      const run = await project.run('w.yaml');
      const record = JSON.parse(project.read(`runs/${run.run}/run.json`)) as {
        status: string;
        warnings: string[];
      };
      expect(record.status).toBe(run.status);
      expect(record.warnings.join('\n')).toContain('events could not be written');
      expect(run.warnings.join('\n')).toContain('events could not be written');
      const events = readFileSync(project.path(`runs/${run.run}/events.ndjson`), 'utf8');
      expect(events.length).toBeGreaterThan(1e6);
    });

    it('where only the store lies: the run is recorded as failed', async () => {
      using store = await MountedProject.make({}, 300 * kilobyte);
      store.write(job);
      rmSync(store.path('data.jsonl'));
      // The project lies on the big disk; its store is a link to the small one.
      const point = store.point;
      store.within(
        'sh',
        '-c',
        `mkdir -p '${point}/project' && mount -t tmpfs -o size=50m tmpfs '${point}/project'`,
      );
      const inner = store.inside('project');
      inner.write({ ...job, 'reprise.yaml': 'store: ../store\n' });
      const end = await inner.reprise('run', 'w.yaml', '--json');
      expectDiskFull(end);
      const run = summaryOf(end);
      expect(JSON.parse(inner.read(`runs/${run.run}/run.json`))).toMatchObject({ status: 'failed' });
      store.remount('size=50m');
      expect(digestsOf(await inner.run('w.yaml'))).toEqual(undisturbed);
    });
  },
);
