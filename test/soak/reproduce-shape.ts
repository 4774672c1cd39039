import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { commitAll } from '../git-project.ts';
import { jsonl, numberedTexts, type RunSummary, type TestProject } from '../project.ts';

/** A run of some shape, and what happened to the project afterwards. */
export interface Shape {
  name: string;
  files?: Record<string, string>;
  /** Without a repository. */
  bare?: boolean;
  /** Makes the run, and what comes after it; gives the run. */
  make(project: TestProject): Promise<RunSummary>;
}

export const data = jsonl(numberedTexts(12));
export const load = '  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }\n';
export const workflow = (steps: string, head = '') => `name: shape\n${head}steps:\n${load}${steps}`;
export const shapeFiles = {
  'data.jsonl': data,
  '.gitignore': '.reprise/\nruns/\nignored/\n',
  'w.yaml': workflow('  unique: { use: dedupe, from: rows }\n'),
};

/** A step file that writes a word into each row. */
export const stepFile = (word: string, imports = '') => `${imports}import { defineStep } from 'reprise';
export default defineStep({
  type: 'mark',
  summary: 'Marks rows',
  parameters: { type: 'object', additionalProperties: false, properties: {} },
  inputs: { rows: { kind: 'table', description: 'Rows.' } },
  outputs: { rows: { kind: 'table', description: 'Rows.' } },
  example: 'mark: { use: ./steps/mark.ts, from: texts }',
  async run({ inputs, outputs }) {
    for await (const row of inputs.rows.read()) await outputs.rows.write({ ...row, mark: ${word} });
  },
});
`;

export const run = (p: TestProject, ...args: string[]) => p.run(...(args.length > 0 ? args : ['w.yaml']));

/** Runs; then changes files and commits them, so that nothing of the run is where it was. */
export async function ranThen(
  p: TestProject,
  later: Record<string, string>,
  args: string[] = [],
): Promise<RunSummary> {
  commitAll(p.folder);
  const made = await run(p, ...args);
  p.write(later);
  commitAll(p.folder, 'later');
  return made;
}

/** Runs in another folder than the project's. */
export async function runIn(p: TestProject, folder: string, ...args: string[]): Promise<RunSummary> {
  const out = execFileSync(
    process.execPath,
    [join(dirname(import.meta.dirname), '../bin/reprise.mjs'), 'run', ...args, '--json'],
    {
      cwd: join(folder.startsWith('/') ? '' : p.folder, folder),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  return JSON.parse(out) as RunSummary;
}
