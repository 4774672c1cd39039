import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, sep } from 'node:path';
import { isInside } from '../../engine/inside.ts';
import { readRun, resolveRun } from '../../engine/record/runs.ts';
import { reproduce } from '../../engine/reproduce/reproduce.ts';
import type { Restored } from '../../engine/reproduce/restore.ts';
import { openSandbox } from '../../engine/reproduce/sandbox.ts';
import type { Cli, Command, Options } from '../command.ts';
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
    'Restores a run in a temporary folder (its commit with the patch, and what the record holds), runs it there without any cache, and says for each step whether it came out identical, within the tolerance, different, or cannot be compared. Reprise writes none of your files, nor the index or branches; the code of steps works in the copy. Exit code 0: the same; 3: something differs; 2: it cannot be done, nothing was run.',
  arguments: [runArgument],
  options: [
    {
      flags: '--engine <engine>',
      description:
        'with this engine, or with the one that made the run: that of the recorded commit if the repository carries it, else that version from npm',
      choices: ['current', 'recorded'],
      default: 'current',
    },
    {
      flags: '--live',
      description:
        'ask language models again, which costs, instead of taking their answers from the record, and measure how far the answers drift',
    },
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
      using sandbox = openSandbox();
      if (options['engine'] === 'recorded') {
        const { callEngine, findRecordedEngine } = await import('../../engine/reproduce/recorded-engine.ts');
        const engine = await findRecordedEngine(
          record,
          project.workspace,
          sandbox,
          packageVersion(),
          cli.signal,
        );
        if (engine !== null) {
          cli.err(
            engine.from === 'npm'
              ? `with reprise ${record.environment.engine} from npm\n`
              : `with the engine of commit ${record.git!.commit!.slice(0, 12)}\n`,
          );
          return await callEngine(engine.program, sameCall(record.id, options), {
            cwd: cli.cwd,
            signal: cli.signal,
          });
        }
      }
      const call = await recordedCall(record);
      const live = options['live'] === true;
      const openRestored = restoredProject(project, call, cli, { record, live });
      const reporter = cli.terminal.err ? terminalReporter(cli) : plainReporter(cli);
      const reproduction = await reproduce({
        record,
        given: call.params,
        workspace: project.workspace,
        productsOf: pastProducts(project),
        sandbox,
        open(restored, storeFolder) {
          // What the code of steps names by a relative path is meant in the copy.
          workIn(restored);
          return openRestored(restored, storeFolder);
        },
        engineVersion: packageVersion(),
        strict: options['strict'] === true,
        ...(live && { similarity: (await import('../answer-similarity.ts')).answerSimilarity }),
        ...(typeof options['jobs'] === 'number' && { jobs: options['jobs'] }),
        ...(typeof options['examples'] === 'number' && { examples: options['examples'] }),
        signal: cli.signal,
        listeners: [reporter.on],
        now: Date.now,
        onReady: (ready) => cli.err(shownReady(ready, cli)),
      }).finally(() => {
        process.chdir(cli.cwd);
        reporter.end();
      });
      cli.out(options['json'] ? `${JSON.stringify(reproduction)}\n` : shownReproduction(reproduction, cli));
      return exitCode(reproduction, cli);
    });
  },
};

/** Makes the folder of the recorded call the current one: its place in the copy, or the copy's root if it has none there. */
function workIn({ root, cwd, tree }: Restored): void {
  let there = cwd;
  while (!existsSync(there)) there = dirname(there);
  // A commit may hold links to anywhere.
  const folder = isInside(realpathSync(tree), realpathSync(there) + sep) ? cwd : root;
  mkdirSync(folder, { recursive: true });
  process.chdir(folder);
}

function exitCode({ verdict, interrupted }: { verdict: string; interrupted: boolean }, cli: Cli): number {
  if (interrupted || cli.signal.aborted) return 130;
  return verdict === 'identical' || verdict === 'within_tolerance' ? 0 : 3;
}

/** The same command for another engine, which is the current one there. */
function sameCall(run: string, options: Options): string[] {
  const said = ['reproduce', run, '--engine', 'current'];
  for (const name of ['live', 'strict', 'json']) if (options[name] === true) said.push(`--${name}`);
  for (const name of ['jobs', 'examples'])
    if (typeof options[name] === 'number') said.push(`--${name}`, String(options[name]));
  return said;
}
