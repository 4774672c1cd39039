import { existsSync, readdirSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { jsonl, numberedTexts, summaryOf, TestProject } from '../project.ts';
import { digestsOf, expectClean, seededNumbers } from './sample-job.ts';

/** Seconds that each case goes on; SOAK_SECONDS says otherwise. */
const seconds = Number(process.env['SOAK_SECONDS'] ?? 60);

/** Row-wise and whole steps, files and tables, and a step whose outputs only its runs name. */
const files = {
  // So small that most runs end with an eviction.
  'reprise.yaml': 'cache_size: 60kB\n',
  'data.jsonl': jsonl(
    numberedTexts(300).map((row, index) => ({ ...row, text: `${row.text} ${index * 7919}` })),
  ),
  'measure.ts': `import { defineRowStep } from 'reprise';
export default defineRowStep({
  type: 'measure', summary: 'Length of a text, times a factor',
  parameters: { type: 'object', additionalProperties: false, properties: { times: { type: 'integer' } } },
  inputs: { rows: { kind: 'table', description: 'Rows.' } },
  outputs: { rows: { kind: 'table', description: 'Rows with a length.' } },
  example: '',
  fields: () => ['text'],
  async open({ parameters }) {
    return {
      identity: null, batchSize: 16, concurrency: 2,
      compute: async (batch) => batch.map(([text]) => String(text).length * parameters.times),
    };
  },
  async emit({ outputs }, rows) {
    for await (const { row, value } of rows) await outputs.rows.write({ ...row, length: value });
  },
});
`,
  'w.yaml': `name: soak
params:
  k: { type: integer, default: 0 }
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  some: { use: filter, from: rows, with: { where: "row.id != 'r\${{ params.k }}'" } }
  measured: { use: ./measure.ts, from: some, with: { times: "\${{ params.k + 1 }}" } }
  loose: { use: filter, from: measured, with: { where: "row.length > \${{ params.k }}" }, cache: false }
  page: { use: report, from: { rows: measured } }
`,
};

const variants = 6;

describe.each([2, 8])('%i processes that run and gc one project at random', (processes) => {
  it(`for ${seconds} s: no failed run, no wrong output, nothing left behind`, async () => {
    // What each variant comes to, in a project where nothing is ever removed.
    const right: ReturnType<typeof digestsOf>[] = [];
    using quiet = new TestProject({ ...files, 'reprise.yaml': '' });
    for (let k = 0; k < variants; k++) right.push(digestsOf(await quiet.run('w.yaml', '--param', `k=${k}`)));

    using project = new TestProject(files);
    const counts = { runs: 0, cached: 0, evicted: 0, gcs: 0 };
    const end = performance.now() + seconds * 1000;
    const lane = async (seed: number): Promise<void> => {
      const next = seededNumbers(seed);
      while (performance.now() < end) {
        const dice = next();
        if (dice < 0.7) {
          const k = Math.floor(next() * variants);
          const result = await project.start(['run', 'w.yaml', '--param', `k=${k}`, '--json']).ended;
          expect([result.code, result.err]).toEqual([0, expect.not.stringMatching(/failed|damaged/)]);
          const run = summaryOf(result);
          expect(digestsOf(run)).toEqual(right[k]);
          counts.runs++;
          counts.cached += run.steps.filter(({ status }) => status === 'cached').length;
          if (/evicted/.test(run.err)) counts.evicted++;
        } else {
          const command = [
            ['gc', '--size', `${Math.floor(next() * 60)}kB`],
            ['gc', '--older-than', '0'],
            ['gc', '--dry-run', '--size', '1B'],
            ['pin', 'latest'],
            ['unpin', 'latest'],
          ][Math.floor(next() * 5)]!;
          const { code, err } = await project.reprise('cache', ...command);
          // Before the first run has ended there is no latest.
          if (!/there are no runs yet/.test(err))
            expect([command, code, err]).toEqual([command, 0, expect.anything()]);
          counts.gcs++;
        }
      }
    };
    await Promise.all(Array.from({ length: processes }, (_, index) => lane(1000 * processes + index)));
    console.log(`${processes} processes, ${seconds} s:`, counts);
    expect(counts.runs).toBeGreaterThan(0);
    expect(counts.evicted).toBeGreaterThan(0);
    // A run may have been pinned when its outputs were gone already: that is no damage.
    for (const run of readdirSync(project.path('runs')))
      rmSync(project.path(`runs/${run}/pinned`), { force: true });
    await expectClean(project);
    const leases = new DatabaseSync(project.path('.reprise/cache/leases.sqlite'), { readOnly: true });
    expect(leases.prepare('SELECT * FROM leases').all()).toEqual([]);
    leases.close();
    // Every run has its folder of links, whatever was pruned meanwhile.
    for (const run of readdirSync(project.path('runs')))
      expect([run, existsSync(project.path(`runs/${run}/outputs`))]).toEqual([run, true]);
    expect(summaryOf(await project.start(['run', 'w.yaml', '--json']).ended).code).toBe(0);
  });
});
