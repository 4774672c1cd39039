import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as moment } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type CommandResult, jsonl, summaryOf, TestProject } from '../project.ts';
import {
  digestsOf,
  expectClean,
  linesOf,
  runSample,
  sampleEnv,
  sampleJob,
  sampleRows,
} from './sample-job.ts';

/** Milliseconds that an orderly end may take: a second for the step, the rest for record and process. */
const orderlyMs = 2500;

/** Waits until a condition holds; fails when it does not within a minute. */
async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`it never came to this: ${condition}`);
    await moment(5);
  }
}

function alive(pid: number): boolean {
  const state = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
  return state !== '' && !state.startsWith('Z');
}

/** Starts a run, interrupts it when `ready`, and gives how it ended and how long that took. */
async function interrupt(
  project: TestProject,
  ready: () => boolean,
  { env = {}, signal = 'SIGINT' }: { env?: Record<string, string>; signal?: NodeJS.Signals } = {},
): Promise<CommandResult & { ms: number }> {
  const { child, ended, result } = project.start(['run', 'w.yaml', '--json'], env, { detached: true });
  try {
    await until(() => ready() || child.exitCode !== null);
    if (child.exitCode !== null) throw new Error(`the run ended before it was interrupted: ${result.err}`);
    const started = performance.now();
    // As a terminal does: to the whole foreground group.
    process.kill(-child.pid!, signal);
    const end = await ended;
    return { ...end, ms: performance.now() - started };
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  }
}

/** A step file whose `run` has this body. */
const stepFile = (body: string) => `import { appendFileSync, writeFileSync } from 'node:fs';
import { defineStep } from 'reprise';
export default defineStep({
  type: 'mine', summary: 'A step', parameters: { type: 'object', properties: {}, additionalProperties: false },
  inputs: {}, outputs: { rows: { kind: 'table', description: 'Rows.' } }, example: '',
  async run({ outputs, context }) { ${body} },
});
`;
const alone = (body: string, more: Record<string, string> = {}) =>
  new TestProject({
    'mine.ts': stepFile(body),
    'w.yaml': 'name: alone\nsteps:\n  mine: { use: ./mine.ts }\n',
    ...more,
  });
const ready = "writeFileSync(context.root + '/ready', '');";

async function expectInterrupted(
  project: TestProject,
  { code, ms, out, err }: CommandResult & { ms: number },
) {
  expect({ code, err }).toMatchObject({ code: 130 });
  expect(ms).toBeLessThan(orderlyMs);
  expect(err).not.toMatch(/^\s+at /m);
  const run = summaryOf({ code, out, err, signal: null });
  expect(run.status).toBe('interrupted');
  const listed = JSON.parse((await project.reprise('runs', 'list', '--json')).out) as {
    runs: { id: string; status: string }[];
  };
  expect(listed.runs[0]).toMatchObject({ id: run.run, status: 'interrupted' });
  return run;
}

describe('Ctrl-C', () => {
  it('leaves a run that goes on where it was, from the middle of a row-wise step', async () => {
    using whole = new TestProject(sampleJob);
    const undisturbed = digestsOf(await runSample(whole));

    using project = new TestProject(sampleJob);
    const computed = () => linesOf(project.path('computed.log')).length;
    const end = await interrupt(project, () => computed() >= 40, { env: sampleEnv(project) });
    const run = await expectInterrupted(project, end);
    expect(run.statuses).toContain('unique:ran');
    expect(run.statuses).toContain('scored:interrupted');
    expect(run.statuses).toContain('outside:skipped');
    const before = computed();
    expect(before).toBeLessThan(sampleRows);

    const next = await runSample(project);
    expect(digestsOf(next)).toEqual(undisturbed);
    expect(next.step('unique').status).toBe('cached');
    expect(next.step('scored').rows_cached).toBeGreaterThanOrEqual(before - 8);
    expect(computed() - sampleRows).toBeLessThanOrEqual(8);
    await expectClean(project);
  });

  it('ends a program with all that it started', async () => {
    using project = new TestProject({
      'w.yaml': `name: program
env: [PIDS]
steps:
  slow: { use: exec, with: { run: 'sh -c "trap : TERM; echo \\$\\$ >> $PIDS; while :; do sleep 0.05; done" & echo $$ >> "$PIDS"; wait; sleep 600', outputs: { rows: out.jsonl } } }
`,
    });
    const pids = () => linesOf(project.path('pids')).map(Number);
    const end = await interrupt(project, () => pids().length === 2, { env: { PIDS: project.path('pids') } });
    await expectInterrupted(project, end);
    for (const pid of pids()) await until(() => !alive(pid));
  });

  it('ends the threads of a step, in native code', async () => {
    const rows = Array.from({ length: 3000 }, (_, index) => ({
      id: `r${index}`,
      text: `${index} ${'what must be read takes its time '.repeat(2)}`,
    }));
    using project = new TestProject({
      'data.jsonl': jsonl(rows),
      'w.yaml': `name: native
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  vectors: { use: embed, from: rows, with: { model: all-minilm-l6-v2 } }
`,
    });
    const database = project.path('.reprise/cache/rows.sqlite');
    const end = await interrupt(project, () => existsSync(database));
    const run = await expectInterrupted(project, end);
    expect(run.statuses).toEqual(['rows:ran', 'vectors:interrupted']);
  });

  it('ends the threads of a step, in a loop of JavaScript', async () => {
    using project = alone(
      `const loop = 'data:text/javascript,' + encodeURIComponent("import { writeFileSync } from 'node:fs'; export const spin = (path) => { writeFileSync(path, ''); for (;;); };");
       await context.pool.run(loop, 'spin', context.root + '/ready');`,
    );
    const end = await interrupt(project, () => existsSync(project.path('ready')));
    await expectInterrupted(project, end);
  });

  it.each([
    ['that waits and does not listen', `${ready} await new Promise((done) => setTimeout(done, 600_000));`],
    [
      'that fails when it hears of it',
      `${ready} setInterval(() => {}, 1000); await new Promise((_, failed) => context.signal.addEventListener('abort', () => setTimeout(() => failed(new Error('late')), 100)));`,
    ],
    [
      'whose listener throws',
      `${ready} context.signal.addEventListener('abort', () => { throw new Error('oh'); }); await new Promise((done) => setTimeout(done, 600_000));`,
    ],
    [
      'that goes on all the same',
      `${ready} for (let n = 0; ; n++) { try { await outputs.rows.write({ id: String(n) }); } catch {} await new Promise(setImmediate); }`,
    ],
  ])('ends a step %s', async (_, body) => {
    using project = alone(body);
    await expectInterrupted(project, await interrupt(project, () => existsSync(project.path('ready'))));
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('a second time, after %s, ends it at once', async (signal) => {
    using project = new TestProject({
      'w.yaml': `name: stubborn
env: [PIDS]
steps:
  slow: { use: exec, with: { run: 'trap "" TERM; echo $$ >> "$PIDS"; while :; do sleep 0.05; done', outputs: { rows: out.jsonl } } }
  mine: { use: ./mine.ts }
`,
      'mine.ts': stepFile(`${ready} await new Promise((done) => setTimeout(done, 600_000));`),
    });
    const { child, ended } = project.start(
      ['run', 'w.yaml', '--json', '--jobs', '2'],
      { PIDS: project.path('pids') },
      { detached: true },
    );
    const pids = () => linesOf(project.path('pids')).map(Number);
    await until(() => existsSync(project.path('ready')) && pids().length === 1);
    process.kill(-child.pid!, signal);
    // Within the second that steps have: what comes sooner than a quarter of it is the same Ctrl-C, told twice.
    await moment(400);
    expect(child.exitCode).toBe(null);
    const started = performance.now();
    process.kill(-child.pid!, 'SIGINT');
    const end = await ended;
    expect(performance.now() - started).toBeLessThan(300);
    // As shells have it, 130 is the end by this signal.
    expect([end.code, end.signal]).toEqual([null, 'SIGINT']);
    expect(end.err).not.toMatch(/^\s+at |terminate called|Fatal/m);
    await until(() => !pids().some(alive));
    expect((await project.reprise('runs', 'list')).out).toContain('interrupted');
  });

  it('told twice by a wrapper is one', async () => {
    using project = alone(`${ready} await new Promise((done) => setTimeout(done, 600_000));`);
    const { child, ended } = project.start(['run', 'w.yaml', '--json'], {}, { detached: true });
    await until(() => existsSync(project.path('ready')));
    process.kill(-child.pid!, 'SIGINT');
    await moment(20);
    process.kill(-child.pid!, 'SIGINT');
    expect((await ended).code).toBe(130);
  });

  it('ends what it waits for: another process with the same work', async () => {
    using project = new TestProject({
      'w.yaml': `name: shared
env: [PIDS]
steps:
  slow: { use: exec, with: { run: 'echo $$ >> "$PIDS"; sleep 600', outputs: { rows: out.jsonl } } }
`,
    });
    const env = { PIDS: project.path('pids') };
    const first = project.start(['run', 'w.yaml'], env, { detached: true });
    await until(() => existsSync(project.path('pids')));
    const second = project.start(['run', 'w.yaml', '--json'], env, { detached: true });
    await until(() => second.result.err.includes('waiting'));
    process.kill(-second.child.pid!, 'SIGINT');
    expect((await second.ended).code).toBe(130);
    process.kill(-first.child.pid!, 'SIGINT');
    expect((await first.ended).code).toBe(130);
  });

  const old = spawnSync('/usr/bin/env', ['-i', 'PATH=/usr/local/bin:/usr/bin:/bin', 'node', '--version'], {
    encoding: 'utf8',
  });
  const oldNode = /^v(1\d|2[0-3])\./.test(old.stdout ?? '');
  it.skipIf(!oldNode)(
    oldNode
      ? 'reaches the run through the launcher of an older Node, to one or to both'
      : 'skipped: no Node older than 24 on the system’s own PATH',
    async () => {
      const launcher = resolve(import.meta.dirname, '../../bin/reprise.mjs');
      const { spawn } = await import('node:child_process');
      for (const toGroup of [true, false]) {
        using project = alone(
          `writeFileSync(context.root + '/ready', String(process.pid)); await new Promise((done) => setTimeout(done, 600_000));`,
        );
        const child = spawn('node', [launcher, 'run', 'w.yaml'], {
          cwd: project.folder,
          env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: project.folder },
          stdio: 'ignore',
          detached: true,
        });
        const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
        await until(() => existsSync(project.path('ready')) && project.read('ready') !== '');
        const pid = Number(readFileSync(project.path('ready'), 'utf8'));
        expect(pid).not.toBe(child.pid);
        process.kill(toGroup ? -child.pid! : child.pid!, 'SIGINT');
        expect(await ended).toBe(130);
        await until(() => !alive(pid));
      }
    },
  );
});
