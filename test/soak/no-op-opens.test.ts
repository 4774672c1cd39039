import { spawnSync } from 'node:child_process';
import { readFileSync, utimesSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { TestProject } from '../project.ts';
import { runSample, sampleJob } from './sample-job.ts';

const traceable = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', 'true']).status === 0;
/** The encoder that the sample job names. */
const model = resolve(import.meta.dirname, '../../models/use-multilingual-v3');

/** The sample job, whose step imports a module of the project. */
const files: Record<string, string> = {
  ...sampleJob,
  'steps/score.ts': `import { lengthOf } from './length.ts';\n${sampleJob['steps/score.ts']!.replace('String(text).length', 'lengthOf(text)')}`,
  'steps/length.ts': 'export const lengthOf = (text: unknown): number => String(text).length;\n',
};

it.skipIf(!traceable)(
  `a run with nothing to do opens none of its inputs${traceable ? '' : ' (skipped: needs strace)'}`,
  async () => {
    let trace: string | null = null;
    using project = new TestProject(files, {
      wrap: (command) =>
        trace === null
          ? command
          : ['strace', '-f', '-qq', '-e', 'trace=open,openat,openat2', '-o', trace, ...command],
    });
    const lastHour = Date.now() / 1000 - 3600;
    // A file that was written a moment ago may be written again without a trace, so it is read once more.
    for (const name of Object.keys(files)) utimesSync(project.path(name), lastHour, lastHour);
    await runSample(project);
    const known = await runSample(project);
    expect(known.steps.every(({ status }) => status === 'cached')).toBe(true);

    trace = project.path('trace');
    const idle = await runSample(project);
    expect(idle.statuses).toEqual(known.statuses);
    const opened = new Set(
      readFileSync(trace, 'utf8')
        .split('\n')
        .filter((line) => !/O_DIRECTORY|= -1 E/.test(line))
        .flatMap((line) => /"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? [])
        .map((path) => resolve(project.folder, path)),
    );
    expect(opened).toContain(project.path('w.yaml'));
    const inputs = [...opened].filter(
      (path) =>
        path.startsWith(model) ||
        Object.keys(files).some((name) => name !== 'w.yaml' && path === project.path(name)),
    );
    expect(inputs).toEqual([]);
    // The record has the texts all the same.
    const { workflow } = JSON.parse(project.read(`runs/${idle.run}/run.json`)) as {
      workflow: { sources: { path: string; text: string }[] };
    };
    expect(workflow.sources.map(({ path, text }) => [path, text])).toEqual(
      ['w.yaml', 'steps/length.ts', 'steps/score.ts'].map((path) => [path, files[path]]),
    );
  },
);
