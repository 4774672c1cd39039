import { existsSync, watch } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { jsonl, numberedTexts, summaryOf, TestProject } from '../project.ts';
import { digestsOf, expectClean, linesOf } from './sample-job.ts';

const rows = 60;

/** Row-wise work that notes each row that it computes; with the row `hold`, it waits for the file `go`. */
const score = `import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { defineRowStep } from 'reprise';
export default defineRowStep({
  type: 'score', summary: 'Length of a text',
  parameters: { type: 'object', properties: { hold: { type: 'string', default: '' } }, additionalProperties: false },
  inputs: { rows: { kind: 'table', description: 'Rows.' } },
  outputs: { rows: { kind: 'table', description: 'Rows.' } },
  example: '',
  fields: () => ['text'],
  rowParameters: () => ({}),
  async open({ context, parameters }) {
    return {
      identity: null, batchSize: 4, concurrency: 2,
      async compute(batch, signal) {
        appendFileSync(context.root + '/computed.log', batch.map(([text]) => text + '\\n').join(''));
        while (parameters.hold !== '' && !existsSync(context.root + '/' + parameters.hold)) await delay(20, undefined, { signal });
        return batch.map(([text]) => String(text).length);
      },
    };
  },
  async emit({ outputs }, rows) {
    for await (const { row, value } of rows) await outputs.rows.write({ ...row, score: value });
  },
});
`;

/** A program that notes its start and ends when there is the file \`go\`. */
const files: Record<string, string> = {
  'steps/score.ts': score,
  'data.jsonl': jsonl(numberedTexts(rows)),
  'w.yaml': `name: shared
env: [EXECUTED, GO]
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  scored: { use: ./steps/score.ts, from: rows }
  gate: { use: exec, from: scored, with: { run: 'echo started >> "$EXECUTED"; while [ ! -e "$GO" ]; do sleep 0.05; done; cp "$REPRISE_INPUT" out.jsonl', outputs: { rows: out.jsonl } } }
  last: { use: filter, from: gate, with: { where: "row.score > 0" } }
`,
  'part.yaml': `name: part
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id, limit: 40 } }
  scored: { use: ./steps/score.ts, from: rows, with: { hold: go } }
`,
  'whole.yaml': `name: whole
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  scored: { use: ./steps/score.ts, from: rows, with: { hold: go } }
`,
};

const environment = (project: TestProject) => ({
  EXECUTED: project.path('executed.log'),
  GO: project.path('go'),
});

type Started = ReturnType<TestProject['start']>;

/** When a process has said something; fails if it ends before. */
async function saying({ child, result }: Started, text: string): Promise<void> {
  await new Promise<void>((done, failed) => {
    const look = () => {
      if (result.err.includes(text)) done();
    };
    child.stderr.on('data', look);
    child.once('close', () => failed(new Error(`it ended without "${text}":\n${result.err}`)));
    look();
  });
}

/** When a file is there. */
async function appears(project: TestProject, name: string): Promise<void> {
  const watcher = watch(project.folder);
  try {
    if (existsSync(project.path(name))) return;
    await new Promise<void>((done) => {
      watcher.on('change', () => {
        if (existsSync(project.path(name))) done();
      });
    });
  } finally {
    watcher.close();
  }
}

function start(project: TestProject, workflow: string): Started {
  const started = project.start(['run', workflow, '--json'], environment(project), { detached: true });
  onTestFinished(() => {
    if (started.child.exitCode === null && started.child.signalCode === null)
      process.kill(-started.child.pid!, 'SIGKILL');
  });
  return started;
}

async function ends(all: readonly Started[]) {
  return (await Promise.all(all.map(({ ended }) => ended))).map(summaryOf);
}

describe('processes on one project', { timeout: 180_000 }, () => {
  it.each([2, 3])('%i with the same workflow: each step and row is computed once', async (processes) => {
    using project = new TestProject(files);
    const all = Array.from({ length: processes }, () => start(project, 'w.yaml'));
    // The gate is closed until all others wait for the one that is in it.
    const waits = all.map((started) => saying(started, 'gate: process').then(() => started));
    await appears(project, 'executed.log');
    const waiting: Started[] = [];
    await new Promise<void>((done, failed) => {
      for (const wait of waits)
        wait.then((started) => {
          if (waiting.push(started) === processes - 1) done();
        }, failed);
    });
    const holder = all.find((started) => !waiting.includes(started))!;
    for (const { result } of waiting)
      expect(result.err).toContain(`gate: process ${holder.child.pid} does the same work`);
    project.write({ go: '' });
    const runs = await ends(all);
    for (const run of runs) expect(digestsOf(run)).toEqual(digestsOf(runs[0]!));
    for (const id of ['rows', 'scored', 'gate', 'last'])
      expect(runs.filter((run) => run.step(id).status === 'ran').map(() => id)).toEqual([id]);
    expect(linesOf(project.path('executed.log'))).toEqual(['started']);
    expect(linesOf(project.path('computed.log')).sort()).toEqual(
      numberedTexts(rows)
        .map(({ text }) => text)
        .sort(),
    );
    await Promise.allSettled(waits);
    await expectClean(project);
  });

  it('two with workflows that have rows in common: each row is computed once', async () => {
    using project = new TestProject(files);
    const part = start(project, 'part.yaml');
    await appears(project, 'computed.log');
    const whole = start(project, 'whole.yaml');
    await saying(whole, `scored: process ${part.child.pid} does the same work`);
    project.write({ go: '' });
    const [first, second] = await ends([part, whole]);
    expect(first!.step('scored')).toMatchObject({ status: 'ran', rows_computed: 40, rows_cached: 0 });
    expect(second!.step('scored')).toMatchObject({ status: 'ran', rows_computed: 20, rows_cached: 40 });
    expect(linesOf(project.path('computed.log'))).toHaveLength(rows);
    await expectClean(project);
  });

  it('one that is killed in the middle: the one that waits for it goes on', async () => {
    using project = new TestProject(files);
    const holder = start(project, 'w.yaml');
    await appears(project, 'executed.log');
    const other = start(project, 'w.yaml');
    await saying(other, `gate: process ${holder.child.pid} does the same work`);
    process.kill(-holder.child.pid!, 'SIGKILL');
    expect((await holder.ended).signal).toBe('SIGKILL');
    project.write({ go: '' });
    const [run] = await ends([other]);
    expect(run!.statuses).toEqual(['rows:cached', 'scored:cached', 'gate:ran', 'last:ran']);
    expect(linesOf(project.path('executed.log'))).toEqual(['started', 'started']);
    expect(linesOf(project.path('computed.log'))).toHaveLength(rows);
    const listed = JSON.parse((await project.reprise('runs', 'list', '--json')).out) as {
      runs: { status: string }[];
    };
    expect(listed.runs.map(({ status }) => status).sort()).toEqual(['interrupted', 'succeeded']);
    // What the dead one left behind goes when the next one begins.
    await ends([start(project, 'w.yaml')]);
    await expectClean(project);
  });
});
