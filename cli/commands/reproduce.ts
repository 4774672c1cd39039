import { readRun, resolveRun } from '../../engine/record/runs.ts';
import { reproduce } from '../../engine/reproduce/reproduce.ts';
import { openSandbox } from '../../engine/reproduce/sandbox.ts';
import type { Cli, Command } from '../command.ts';
import { packageVersion } from '../package.ts';
import { pastProducts } from '../past-runs.ts';
import { withProject } from '../project.ts';
import { plainReporter } from '../reporters/plain.ts';
import { terminalReporter } from '../reporters/terminal.ts';
import { recordedCall, restoredProject } from '../restored-project.ts';
import { shownReady, shownReproduction } from '../shown-reproduction.ts';
import { runArgument } from './runs/words.ts';

export const command: Command = {
  name: 'reproduce',
  summary: 'run a past run again from its record and compare every output',
  description:
    'Restores a run in a temporary folder (its commit with the patch, and what the record holds), runs it there without any cache, and says for each step whether it came out identical, within the tolerance, different, or cannot be compared. Your files, index and branches are never touched. Exit code 0: the same; 3: something differs; 2: it cannot be done, nothing was run.',
  arguments: [runArgument],
  options: [
    { flags: '--strict', description: 'refuse to run if anything around the run is not as it was' },
    { flags: '--jobs <n>', description: 'steps at once (default: one for each core)', atLeast: 1 },
    { flags: '--examples <n>', description: 'rows shown where a table differs (default: 3)', atLeast: 0 },
    { flags: '--json', description: 'end with one JSON document on stdout' },
  ],
  examples: [
    { line: 'reprise reproduce latest', does: 'does the last run come out the same again?' },
    { line: 'reprise reproduce 20261121-0915 --strict', does: 'only if the machine is as it was' },
  ],
  async run([run], options, cli) {
    return withProject(cli, cli.cwd, async (project) => {
      const record = readRun(project.runsFolder, resolveRun(project.runsFolder, run as string));
      const call = await recordedCall(record);
      using sandbox = openSandbox();
      const reporter = cli.terminal.err ? terminalReporter(cli) : plainReporter(cli);
      const reproduction = await reproduce({
        record,
        given: call.params,
        workspace: project.workspace,
        productsOf: pastProducts(project),
        sandbox,
        open: restoredProject(project, call, cli),
        engineVersion: packageVersion(),
        strict: options['strict'] === true,
        ...(typeof options['jobs'] === 'number' && { jobs: options['jobs'] }),
        ...(typeof options['examples'] === 'number' && { examples: options['examples'] }),
        signal: cli.signal,
        listeners: [reporter.on],
        now: Date.now,
        onReady: (ready) => cli.err(shownReady(ready, cli)),
      }).finally(() => reporter.end());
      cli.out(options['json'] ? `${JSON.stringify(reproduction)}\n` : shownReproduction(reproduction, cli));
      return exitCode(reproduction, cli);
    });
  },
};

function exitCode({ verdict, interrupted }: { verdict: string; interrupted: boolean }, cli: Cli): number {
  if (interrupted || cli.signal.aborted) return 130;
  return verdict === 'identical' || verdict === 'within_tolerance' ? 0 : 3;
}
