import { join, resolve } from 'node:path';
import { ProblemError } from '../../engine/problems.ts';
import type { RunRecord } from '../../engine/record/record.ts';
import { readRun, resolveRun } from '../../engine/record/runs.ts';
import type { Workspace } from '../../engine/workspace.ts';
import { budgetOption } from '../budget-option.ts';
import type { Command } from '../command.ts';
import { parseCall } from '../parse.ts';
import { openProject } from '../project.ts';
import { runSummary } from '../run-summary.ts';
import { command as run } from './run.ts';
import { runArgument } from './runs/words.ts';

export const command: Command = {
  name: 'retry',
  summary: 'the failed rows and steps of a run, and what hangs on them',
  description:
    'Calls a run again as it was called, for its steps that failed, had failed rows, or were not reached, and for those that hang on them. Rows and answers that are done stay done: exactly the failed rows are computed again. The files are those of now; see reproduce for those of then. A step that turned records of a file away counts as well, if the file has changed since.',
  arguments: [runArgument],
  options: [
    budgetOption,
    { flags: '--jobs <n>', description: 'steps at once (default: one for each core)', atLeast: 1 },
    { flags: '--json', description: 'end with one JSON document on stdout' },
  ],
  examples: [{ line: 'reprise retry latest', does: 'try again what failed in the last run' }],
  async run([name], options, cli) {
    const { workspace, runsFolder } = await openProject(cli);
    const { root } = workspace;
    let record: RunRecord;
    let steps: string[];
    try {
      record = readRun(runsFolder, resolveRun(runsFolder, name as string));
      steps = stepsToRetry(record, await withMendedFiles(record, workspace));
    } finally {
      await workspace.close();
    }
    if (steps.length === 0 && record.status === 'succeeded') {
      cli.err(`${record.id} has no failed rows or steps: there is nothing to try again\n`);
      if (options['json']) cli.out(`${JSON.stringify(runSummary(record))}\n`);
      return 0;
    }
    const [called, ...rest] = record.command;
    if (called !== 'run')
      throw ProblemError.of('wrong-call', `${record.id} was made by reprise ${called}, not by run`, {
        hint: `run its workflow: reprise run ${record.workflow.path}`,
      });
    const recorded = parseCall(run, rest);
    return run.run!(
      recorded.args,
      {
        ...recorded.options,
        force: [],
        only: steps,
        ...options,
        command: record.command,
      },
      { ...cli, cwd: join(root, record.cwd) },
    );
  },
};

/** Ids of steps that turned records of their files away, and whose files are others now. */
async function withMendedFiles({ steps }: RunRecord, workspace: Workspace): Promise<Set<string>> {
  const mended = new Set<string>();
  for (const { id, outputs, fingerprint } of steps) {
    const rejected = outputs['rejected'];
    if (rejected?.kind !== 'table' || rejected.rows === 0) continue;
    for (const [path, digest] of Object.entries(fingerprint?.files ?? {})) {
      if ((await digestNow(resolve(workspace.root, path), workspace)) !== digest) mended.add(id);
    }
  }
  return mended;
}

/** Undefined for a file that cannot be read. */
async function digestNow(path: string, { files }: Workspace): Promise<string | undefined> {
  try {
    return (await files.digestOf(path)).digest;
  } catch {
    return undefined;
  }
}

/**
 * Ids of the steps of which something is not done, and of those that were made from what they left.
 *
 * @param mended steps that are done, and whose files are others now
 */
function stepsToRetry({ steps }: RunRecord, mended: ReadonlySet<string>): string[] {
  const again = new Set<string>();
  // A step stands behind those that it needs.
  for (const { id, status, rows_failed, needs } of steps) {
    const isDone = status === 'cached' || (status === 'ran' && rows_failed === 0);
    if (!isDone || mended.has(id) || needs.some((need) => again.has(need))) again.add(id);
  }
  return [...again];
}
