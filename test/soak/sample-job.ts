import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { jsonl, type RunSummary, summaryOf, type TestProject } from '../project.ts';

const subjects = ['cards', 'transfers', 'fees', 'cash', 'loans'];
const count = 200;

/** A row-wise step that takes 10 ms for four rows, and notes each row that it computes in computed.log. */
const score = `import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { defineRowStep } from 'reprise';
export default defineRowStep({
  type: 'score', summary: 'Length of a text, slowly',
  parameters: { type: 'object', properties: {}, additionalProperties: false },
  inputs: { rows: { kind: 'table', description: 'Rows.' } },
  outputs: { rows: { kind: 'table', description: 'Rows.' } },
  example: '',
  fields: () => ['text'],
  async open({ context }) {
    return {
      identity: null, batchSize: 4, concurrency: 1,
      async compute(batch, signal) {
        await delay(10, undefined, { signal });
        appendFileSync(context.root + '/computed.log', batch.map(([text]) => text + '\\n').join(''));
        return batch.map(([text]) => String(text).length);
      },
    };
  },
  async emit({ outputs }, rows) {
    for await (const { row, value } of rows) await outputs.rows.write({ ...row, score: value });
  },
});
`;

/** A small job with all that a run has: files, a program, row-wise work, threads, native code, a page, an exported file. */
export const sampleJob: Record<string, string> = {
  'w.yaml': `name: job
env: [EXECUTED]
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  unique: { use: dedupe, from: rows }
  scored: { use: ./steps/score.ts, from: unique }
  outside: { use: exec, from: scored, with: { run: 'sleep 0.3; cp "$REPRISE_INPUT" out.jsonl; echo outside >> "$EXECUTED"', outputs: { rows: out.jsonl } } }
  vectors: { use: embed, from: unique, with: { model: use-multilingual-v3 } }
  topics: { use: cluster, from: { rows: unique, vectors: vectors }, with: { method: kmeans, k: 5 } }
  names: { use: summarize, from: topics, with: { method: keywords } }
  scores: { use: evaluate, from: topics, with: { task: clustering, truth: label } }
  file: { use: export, from: outside, with: { path: out/rows.csv } }
  page: { use: report, from: { topics: topics, names: names, scores: scores } }
`,
  // The part that takes no model.
  'small.yaml': `name: small
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  unique: { use: dedupe, from: rows }
  scored: { use: ./steps/score.ts, from: unique }
  file: { use: export, from: scored, with: { path: out/small.csv } }
`,
  'steps/score.ts': score,
  'data.jsonl': jsonl(
    Array.from({ length: count }, (_, index) => ({
      id: `r${index}`,
      text: `question ${index} about ${subjects[index % 5]}, asked ${(index * 7) % 13} times`,
      label: subjects[index % 5],
    })),
  ),
};

/** The environment in which to run it: its program notes each start in the file EXECUTED. */
export function sampleEnv(project: TestProject): Record<string, string> {
  return { EXECUTED: project.path('executed.log') };
}

/** Rows of the job. */
export const sampleRows = count;

/** Output digests of every step of a run that succeeded. */
export function digestsOf(run: RunSummary): Record<string, Record<string, string>> {
  if (run.code !== 0) throw new Error(`the run ended with ${run.code}:\n${run.err}`);
  return Object.fromEntries(run.steps.map(({ id, outputs }) => [id, outputs]));
}

/** Lines of a file; none if it is not there. */
export function linesOf(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
}

/** Fails if a blob is damaged or missing, or if a process left something unfinished behind. */
export async function expectClean(project: TestProject): Promise<void> {
  const verified = await project.reprise('cache', 'verify', '--json');
  expect(JSON.parse(verified.out)).toMatchObject({ damaged: [], missing: [] });
  expect(verified.code).toBe(0);
  const names = readdirSync(project.folder, { recursive: true }).map(String);
  const unfinished = names.filter(
    (name) =>
      /^\.reprise\/objects\/tmp\/.|\.tmp$|\/tmp-|\.(mending|damaged)/.test(name) && !/^runs\//.test(name),
  );
  expect(unfinished).toEqual([]);
}

/** A repeatable sequence of numbers in [0, 1): mulberry32. */
export function seededNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Runs the job to its end. */
export async function runSample(
  project: TestProject,
  env = sampleEnv(project),
  ...args: string[]
): Promise<RunSummary> {
  return summaryOf(await project.start(['run', 'w.yaml', '--json', ...args], env).ended);
}
