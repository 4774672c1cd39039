import { join, relative } from 'node:path';
import type { StepOutcome } from '../../engine/events.ts';
import { failureOf } from '../../engine/execute/failure.ts';
import type { RunRecord } from '../../engine/record/record.ts';
import { listRuns } from '../../engine/record/runs.ts';
import { type Resumed, resumedRuns } from '../../engine/record/spent.ts';
import type { ResolvedWorkflow } from '../../engine/workflow/resolved.ts';
import { budgetOption, readBudget } from '../budget-option.ts';
import type { Cli, Command, Options } from '../command.ts';
import { counted, duration, usd } from '../format.ts';
import { writePages } from '../page/write-pages.ts';
import { paramOption } from '../param-option.ts';
import { checkPastInputs } from '../past-runs.ts';
import { profileOption } from '../profile-option.ts';
import { folderOf, type OpenProject, readWorkflowFile, withProject } from '../project.ts';
import { renderProblems } from '../render-problems.ts';
import type { ChosenReporters } from '../reporters/chosen.ts';
import { plainReporter } from '../reporters/plain.ts';
import { terminalReporter } from '../reporters/terminal.ts';
import { runInProject } from '../run-in-project.ts';
import { runSummary } from '../run-summary.ts';
import { shownCost } from '../shown-cost.ts';
import { findSteps } from '../step-choice.ts';

export const command: Command = {
  name: 'run',
  summary: 'run a workflow: what changed runs, everything else comes from the cache',
  description:
    'Runs a workflow. A step whose inputs, parameters and code are unchanged is not run again; its result comes from the cache. Every run leaves a record in runs/<id>/.',
  arguments: [{ name: '<file>', description: 'the workflow' }],
  options: [
    paramOption,
    profileOption,
    { flags: '--only <step>', description: 'do this step and what it needs (may be repeated)', repeat: true },
    {
      flags: '--force <step>',
      description: 'run this step whatever the cache says (may be repeated)',
      repeat: true,
    },
    { flags: '--keep-going', description: 'after a failure, go on with what does not depend on it' },
    { flags: '--jobs <n>', description: 'steps at once (default: one for each core)', atLeast: 1 },
    budgetOption,
    {
      flags: '--offline',
      description:
        'ask no language model: only known answers are given, from the cache or a replay, and a row without one fails',
    },
    {
      flags: '--reporter <kind=target>',
      description:
        'tell of the run elsewhere, too: `junit=report.xml` or `otlp=http://localhost:4318` (may be repeated)',
      repeat: true,
    },
    { flags: '--json', description: 'end with one JSON document on stdout' },
  ],
  examples: [
    { line: 'reprise run workflows/support-topics.yaml', does: 'run it' },
    { line: 'reprise run pipeline.yaml --param topics=50', does: 'with another value' },
    { line: 'reprise run pipeline.yaml --only topics --force topics', does: 'one step again' },
    {
      line: 'reprise run pipeline.yaml --reporter junit=report.xml',
      does: 'for the tests view of a CI system',
    },
  ],
  async run([file], options, cli) {
    const chosen = await reportersOf(options['reporter'] as string[], cli);
    return withProject(cli, folderOf(file as string, cli), async (project) => {
      const workflow = await readWorkflowFile(
        file as string,
        options['param'] as string[],
        project,
        cli,
        options['profile'] as string[],
      );
      await limitModels(options, workflow, project);
      await checkPastInputs(workflow, project);
      const forced = findSteps(workflow, options['force'] as string[], '--force');
      const reporter = cli.terminal.err ? terminalReporter(cli) : plainReporter(cli);
      const choice = {
        only: options['only'] as string[],
        keepGoing: options['keepGoing'] === true,
        jobs: typeof options['jobs'] === 'number' ? options['jobs'] : null,
        // Another command may run a recorded call: then that is what its record has.
        command: (options['command'] as string[] | undefined) ?? process.argv.slice(2),
      };
      const { record, folder } = await runInProject(workflow, project, cli, choice, {
        forced,
        listeners: chosen === null ? [reporter.on] : [reporter.on, chosen.listener],
      }).finally(async () => {
        reporter.end();
        await chosen?.deliver();
      });
      let pages: string[] = [];
      let unwritten = false;
      try {
        pages = await writePages(record, folder, project);
      } catch (error) {
        unwritten = true;
        const { code, message, hint } = failureOf(error);
        cli.err(`${cli.paint('red', 'error')} ${code}: the report could not be written: ${message}\n`);
        if (hint) cli.err(`     → ${hint}\n`);
      }
      if (options['json']) cli.out(`${JSON.stringify(runSummary(record))}\n`);
      else
        cli.out(
          ending(
            record,
            resumedBy(record, project.runsFolder),
            [...pages, join(folder, 'run.json')].map((path) => relative(cli.cwd, path)),
            cli,
          ),
        );
      if (workflow.on_finish !== undefined) {
        const { runHooks } = await import('../finish-hooks.ts');
        await runHooks({ workflow, record, folder, watch: false }, cli);
      }
      return unwritten && record.status === 'succeeded' ? 1 : exitCode(record);
    });
  },
};

function exitCode({ status, steps }: RunRecord): number {
  if (status === 'succeeded') return 0;
  if (status === 'interrupted') return 130;
  return steps.some(({ error }) => error?.code === 'budget-reached') ? 4 : 1;
}

/** What `--reporter` asks for, loaded only then. A call that asks for what there is not runs nothing. */
async function reportersOf(wanted: readonly string[], cli: Cli): Promise<ChosenReporters | null> {
  if (wanted.length === 0) return null;
  const { chooseReporters } = await import('../reporters/chosen.ts');
  return chooseReporters(wanted, cli);
}

/** Opens the workflow's language models again, with a limit to what they may take, or with known answers only. */
async function limitModels(
  { budget, offline }: Options,
  workflow: ResolvedWorkflow,
  { workspace }: OpenProject,
): Promise<void> {
  const limits = {
    ...(typeof budget === 'string' && { budget: readBudget(budget) }),
    ...(offline === true && { offline }),
  };
  if (Object.keys(limits).length === 0 || workspace.languageModels === null) return;
  const { openLanguageModels } = await import('../language-models.ts');
  openLanguageModels(workflow, workspace, limits);
}

/** The runs that a run goes on from, if it has asked anything: only then is the history looked at. */
function resumedBy(record: RunRecord, runsFolder: string): Resumed | null {
  const { input_tokens, saved_usd } = record.summary.cost;
  if (input_tokens === 0 && saved_usd === 0) return null;
  return resumedRuns(record, listRuns(runsFolder).runs, (id) => join(runsFolder, id));
}

/** The last lines of a run: how it ended, what failed and how to go on, where the page is. */
function ending(record: RunRecord, resumed: Resumed | null, files: string[], cli: Cli): string {
  const { summary, steps, status } = record;
  const time = duration(record.duration_ms ?? 0);
  const counts = summary.steps;
  const parts = (['ran', 'cached', 'skipped', 'failed', 'interrupted'] as const)
    .filter((name) => counts[name] > 0)
    .map((name) => `${counts[name]} ${name}`);
  const idle = status === 'succeeded' && counts.ran === 0 && counts.failed === 0;
  const head = idle
    ? `${cli.paint('green', 'nothing to do')}: ${counted(counts.cached, 'step')} unchanged${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''} · ${time}`
    : `${cli.paint(status === 'succeeded' ? 'green' : 'red', status)} in ${time} · ${parts.join(', ')}`;
  const lines = [head];
  for (const step of steps.filter(({ status }) => status === 'failed'))
    lines.push(...failureLines(step, cli));
  const unpriced = steps
    .flatMap(({ asked }) => asked?.models ?? [])
    .reduce((sum, model) => sum + model.unpriced, 0);
  if (summary.cost.input_tokens > 0 || summary.cost.saved_usd > 0)
    lines.push(`cost     ${shownCost(summary.cost, unpriced)}`);
  if (resumed !== null)
    lines.push(
      `         ${usd(resumed.cost.usd)} with ${counted(resumed.runs.length, 'run')} before it that did not succeed`,
    );
  for (const file of files) lines.push(`${file.endsWith('.json') ? 'record' : 'report'}   ${file}`);
  const isLeft =
    status === 'failed' || (status === 'succeeded' && steps.some((step) => step.rows_failed > 0));
  if (isLeft && record.command[0] === 'run') lines.push(`again    reprise retry ${record.id}`);
  if (status === 'interrupted') lines.push('run the same line again to go on: what is done stays done');
  return `${lines.join('\n')}\n`;
}

function failureLines({ id, error }: StepOutcome, cli: Cli): string[] {
  // A mistake in the workflow's text is shown with its line.
  if (error?.problem?.place)
    return [`${cli.paint('red', '✘')} ${id}`, renderProblems([error.problem], cli, { run: true }).trimEnd()];
  const lines = [`${cli.paint('red', '✘')} ${id}${error ? ` [${error.code}]: ${error.message}` : ''}`];
  if (error?.hint) lines.push(`  → ${error.hint}`);
  return lines;
}
