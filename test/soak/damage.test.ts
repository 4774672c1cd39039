import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Artefact, blobsOf } from '../../engine/artefacts.ts';
import { type RunSummary, summaryOf, TestProject } from '../project.ts';
import {
  digestsOf,
  expectClean,
  linesOf,
  runSample,
  sampleJob,
  sampleRows,
  seededNumbers,
} from './sample-job.ts';

type Damage = 'flip' | 'garble' | 'shorten' | 'lengthen' | 'empty' | 'delete';
const damages: Damage[] = ['flip', 'garble', 'shorten', 'lengthen', 'empty', 'delete'];

/** Damages a file; with `hidden` its times are those of before, so that no stat shows it (unless its size does). */
function damage(path: string, how: Damage, random: () => number, hidden: boolean): void {
  const before = statSync(path);
  if (how === 'delete') {
    rmSync(path);
    return;
  }
  chmodSync(path, 0o644);
  const at = Math.floor(random() * before.size);
  if (how === 'empty') truncateSync(path, 0);
  else if (how === 'shorten') truncateSync(path, at);
  else {
    const file = openSync(path, 'r+');
    if (how === 'flip') {
      const byte = readFileSync(path)[at]!;
      writeSync(file, Buffer.from([byte ^ (1 << Math.floor(random() * 8))]), 0, 1, at);
    } else if (how === 'garble') {
      const length = Math.min(4096, before.size - at);
      writeSync(file, Buffer.from(Array.from({ length }, () => Math.floor(random() * 256))), 0, length, at);
    } else writeSync(file, 'more', before.size);
    closeSync(file);
  }
  chmodSync(path, before.mode);
  if (hidden) utimesSync(path, before.atimeMs / 1000, before.mtimeMs / 1000);
}

/** A blob of the last run: which step's output it is, and where it lies. */
interface StoredOutput {
  step: string;
  output: string;
  kind: string;
  path: string;
}

function outputsOf(project: TestProject, run: RunSummary): StoredOutput[] {
  const record = JSON.parse(project.read(`runs/${run.run}/run.json`)) as {
    steps: { id: string; outputs: Record<string, Artefact> }[];
  };
  const seen = new Set<string>();
  return record.steps.flatMap(({ id, outputs }) =>
    Object.entries(outputs).flatMap(([output, artefact]) =>
      blobsOf(artefact).flatMap(({ digest }) => {
        const hex = digest.slice('sha256:'.length);
        const path = project.path(`.reprise/objects/${hex.slice(0, 2)}/${hex.slice(2)}`);
        if (seen.has(path)) return [];
        seen.add(path);
        return [{ step: id, output, kind: artefact.kind, path }];
      }),
    ),
  );
}

const damagedSteps = (project: TestProject, { run }: RunSummary): (string | null)[] =>
  project
    .read(`runs/${run}/events.ndjson`)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; step: string | null })
    .filter(({ type }) => type === 'cache-damaged')
    .map(({ step }) => step);

/** Who reads a step's outputs. */
const readers: Record<string, string[]> = {
  rows: ['unique'],
  unique: ['scored', 'vectors', 'topics'],
  scored: ['outside'],
  outside: ['file'],
  vectors: ['topics'],
  topics: ['names', 'scores', 'page'],
  names: ['page'],
  scores: ['page'],
};
/** Outputs that no step of the job reads. */
const unread = new Set([
  'rows.rejected',
  'unique.duplicates',
  'scored.failed',
  'vectors.failed',
  'topics.clusters',
  'topics.centers',
  'scores.contingency',
]);

let undisturbed: ReturnType<typeof digestsOf>;
let smallDigests: ReturnType<typeof digestsOf>;

beforeAll(async () => {
  using project = new TestProject(sampleJob);
  undisturbed = digestsOf(await runSample(project));
  smallDigests = digestsOf(await project.run('small.yaml'));
});

describe('a damaged blob', () => {
  it('is found when it is read, whatever its times say; its step runs again, and the run ends the same', async () => {
    using project = new TestProject(sampleJob);
    const random = seededNumbers(5);
    const blobs = outputsOf(project, await runSample(project));
    expect(new Set(blobs.map(({ kind }) => kind))).toEqual(new Set(['table', 'matrix', 'files']));
    let count = 0;
    for (const { step, output, path } of blobs) {
      // What is deleted, or has another size, is seen by the hit check; here the size stays.
      const how = damages[count++ % 2]!;
      damage(path, how, random, true);
      rmSync(project.path('out'), { recursive: true, force: true });
      const name = `${step}.${output}`;
      const forced = unread.has(name) ? [] : (readers[step] ?? []).flatMap((reader) => ['--force', reader]);
      const run = await runSample(project, undefined, ...forced);
      expect({ name, code: run.code, digests: digestsOf(run) }).toEqual({
        name,
        code: 0,
        digests: undisturbed,
      });
      expect(project.read('out/rows.csv').split('\n')).toHaveLength(sampleRows + 2);
      expect(existsSync(project.path(`runs/${run.run}/report.html`))).toBe(true);
      if (unread.has(name)) {
        const verified = await project.reprise('cache', 'verify', '--json');
        expect({ name, code: verified.code }).toEqual({ name, code: 1 });
        expect((JSON.parse(verified.out) as { damaged: string[] }).damaged).toHaveLength(1);
        const again = await runSample(project);
        expect(digestsOf(again)).toEqual(undisturbed);
        expect(damagedSteps(project, again)).toEqual([step]);
      } else {
        expect({ name, found: damagedSteps(project, run) }).toEqual({ name, found: [step] });
        expect(run.step(step)).toMatchObject({ status: 'ran', reason: 'a stored output is damaged' });
        expect(run.err).toContain('was changed');
      }
      await expectClean(project);
    }
    console.log(`${count} blobs, each damaged once`);
  });

  it('of another size, time or none is found before anything reads it', async () => {
    using project = new TestProject(sampleJob);
    const random = seededNumbers(6);
    const blobs = outputsOf(project, await runSample(project));
    for (const how of damages) {
      const { path, step } = blobs[Math.floor(random() * blobs.length)]!;
      damage(path, how, random, false);
      const run = await runSample(project);
      expect(digestsOf(run)).toEqual(undisturbed);
      expect({ how, step, found: damagedSteps(project, run) }).toMatchObject({
        how,
        found: expect.arrayContaining([step]),
      });
      await expectClean(project);
    }
  });

  it('is one of many: all of them at once', async () => {
    using project = new TestProject(sampleJob);
    const random = seededNumbers(7);
    const blobs = outputsOf(project, await runSample(project));
    for (const [index, { path }] of blobs.entries())
      damage(path, damages[index % damages.length]!, random, index % 2 === 0);
    const run = await runSample(project, undefined, '--force', 'page', '--force', 'file');
    expect(digestsOf(run)).toEqual(undisturbed);
    await project.reprise('cache', 'verify');
    expect(digestsOf(await runSample(project))).toEqual(undisturbed);
    await expectClean(project);
  });

  it('is said of what a past run made, with what to do', async () => {
    using project = new TestProject(sampleJob);
    const run = await project.run('small.yaml');
    const blob = outputsOf(project, run).find(({ step }) => step === 'scored')!;
    damage(blob.path, 'flip', seededNumbers(8), true);
    for (const args of [
      ['show', 'latest', 'scored'],
      ['export', 'latest', 'scored', '-o', 'x.csv'],
    ]) {
      const { code, out, err } = await project.reprise(...args);
      expect({ args, code, err }).toMatchObject({
        args,
        code: 1,
        err: expect.stringContaining('was changed'),
      });
      expect(out + err).not.toMatch(/^\s+at /m);
      expect(err).not.toContain('defect');
      expect(existsSync(project.path('x.csv'))).toBe(false);
    }
    // The read took note: the next run does not rely on it.
    expect(digestsOf(await project.run('small.yaml'))).toEqual(smallDigests);
    await expectClean(project);
  });
});

describe('a damaged database', () => {
  const ways = [...damages, 'folder'] as const;
  it.each(['index', 'rows', 'leases'])('%s.sqlite costs time and nothing else', async (name) => {
    using project = new TestProject(sampleJob);
    const random = seededNumbers(9);
    await project.run('small.yaml');
    const path = project.path(`.reprise/cache/${name}.sqlite`);
    for (const how of ways) {
      // A flipped byte may lie where nothing is: several of them, and one within the header.
      if (how === 'folder') {
        rmSync(path, { force: true });
        mkdirSync(path);
      } else for (let times = 0; times < (how === 'flip' ? 20 : 1); times++) damage(path, how, random, false);
      project.write({
        'data.jsonl': `${sampleJob['data.jsonl']}${JSON.stringify({ id: `new-${how}`, text: how })}\n`,
      });
      const changed = await project.run('small.yaml');
      expect({ how, code: changed.code, err: changed.err }).toMatchObject({ how, code: 0 });
      expect(changed.err).not.toMatch(/^\s+at /m);
      project.write({ 'data.jsonl': sampleJob['data.jsonl']! });
      const run = await project.run('small.yaml');
      expect({ how, digests: digestsOf(run) }).toEqual({ how, digests: smallDigests });
      if (how === 'folder') rmSync(path, { recursive: true });
      rmSync(`${path}.damaged`, { force: true, recursive: true });
      expect((await project.reprise('cache', 'verify')).code).toBe(0);
    }
  });

  it.each(['flip', 'garble', 'shorten', 'empty', 'delete'] as const)(
    'with a write-ahead log that a killed run left behind: %s',
    async (how) => {
      using project = new TestProject(sampleJob);
      const { child, ended } = project.start(['run', 'small.yaml'], {}, { detached: true });
      const computed = () => linesOf(project.path('computed.log')).length;
      while (computed() < 100) {
        if (child.exitCode !== null) throw new Error('the run ended before it was killed');
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      process.kill(-child.pid!, 'SIGKILL');
      await ended;
      const random = seededNumbers(10);
      for (const name of ['index', 'rows']) {
        const log = project.path(`.reprise/cache/${name}.sqlite-wal`);
        if (existsSync(log) && statSync(log).size > 0) damage(log, how, random, false);
      }
      expect(existsSync(project.path('.reprise/cache/rows.sqlite-wal'))).toBe(how !== 'delete');
      const run = await project.run('small.yaml');
      expect(digestsOf(run)).toEqual(smallDigests);
      await expectClean(project);
      expect((await project.run('small.yaml')).steps.every(({ status }) => status === 'cached')).toBe(true);
    },
  );
});

describe('deleted', () => {
  it.each(['.reprise/cache', '.reprise/objects', '.reprise/outputs', '.reprise', 'runs', 'out'])(
    '%s: the next run ends the same',
    async (folder) => {
      using project = new TestProject(sampleJob);
      await project.run('small.yaml');
      rmSync(project.path(folder), { recursive: true });
      const run = await project.run('small.yaml');
      expect(digestsOf(run)).toEqual(smallDigests);
      expect(project.read('out/small.csv').split('\n')).toHaveLength(sampleRows + 2);
      expect(existsSync(project.path(`runs/${run.run}/outputs/scored.jsonl.zst`))).toBe(true);
      if (folder === '.reprise/objects')
        expect(damagedSteps(project, run)).toEqual(expect.arrayContaining(['rows', 'scored']));
      await expectClean(project);
      expect((await project.run('small.yaml')).steps.every(({ status }) => status === 'cached')).toBe(true);
    },
  );

  it('while the run goes on, it fails with a message or ends the same', async () => {
    using project = new TestProject(sampleJob);
    const { child, ended } = project.start(['run', 'small.yaml', '--json']);
    while (linesOf(project.path('computed.log')).length < 40) {
      if (child.exitCode !== null) throw new Error('the run ended too soon');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    rmSync(project.path('.reprise'), { recursive: true });
    const end = await ended;
    expect(end.err).not.toMatch(/^\s+at /m);
    expect([0, 1]).toContain(end.code);
    if (end.code === 0) expect(digestsOf(summaryOf(end))).toEqual(smallDigests);
    expect(digestsOf(await project.run('small.yaml'))).toEqual(smallDigests);
  });
});
