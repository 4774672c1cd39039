import type { RunListener } from '../../engine/events.ts';
import { nearest } from '../../engine/nearest.ts';
import { ProblemError } from '../../engine/problems.ts';
import type { Cli } from '../command.ts';
import { type GatheredRun, RunGatherer } from './gathered-run.ts';

/** A kind of `--reporter <kind>=<target>`: it tells of a run when that is over. */
export interface ReporterKind {
  /** What may be written after the `=`: `junit=report.xml`. */
  example: string;
  /**
   * Looks at the target before anything runs. What it gives is called once, at the end, and rejects with what the user
   * should know.
   * @throws ProblemError if the target cannot be one
   */
  open(target: string, cli: Cli): (run: GatheredRun) => Promise<void>;
}

const kinds: Readonly<Record<string, () => Promise<ReporterKind>>> = {
  junit: async () => (await import('./junit.ts')).junit,
  otlp: async () => (await import('./otlp.ts')).otlp,
};

/** What a run's command does for the reporters that were asked for. */
export interface ChosenReporters {
  listener: RunListener;
  /** Called when the run is over, however it ended. What goes wrong here is a warning. */
  deliver(): Promise<void>;
}

/**
 * The reporters that `--reporter` names.
 * @throws ProblemError for one that there is not, or whose target is missing or wrong
 */
export async function chooseReporters(wanted: readonly string[], cli: Cli): Promise<ChosenReporters> {
  const gatherer = new RunGatherer();
  const reporters = await Promise.all(wanted.map((text) => openReporter(text, cli)));
  return {
    listener: gatherer.on,
    async deliver() {
      const { run } = gatherer;
      if (run === null) return;
      await Promise.all(
        reporters.map(async ({ name, tell }) => {
          try {
            await tell(run);
          } catch (error) {
            cli.err(`${cli.paint('yellow', 'warning')} reporter ${name}: ${(error as Error).message}\n`);
          }
        }),
      );
    },
  };
}

async function openReporter(text: string, cli: Cli) {
  const at = text.indexOf('=');
  const name = at < 0 ? text : text.slice(0, at);
  const target = at < 0 ? '' : text.slice(at + 1);
  const load = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (load === undefined) {
    const near = nearest(name, Object.keys(kinds));
    const hint = near ? `did you mean "${near}"?` : `there are: ${Object.keys(kinds).join(', ')}`;
    throw ProblemError.of('wrong-call', `there is no reporter "${name}"`, { hint });
  }
  const { example, open } = await load();
  if (target === '')
    throw ProblemError.of('wrong-call', `--reporter ${name} does not say where to`, {
      hint: `for example: --reporter ${example}`,
    });
  return { name, tell: open(target, cli) };
}
