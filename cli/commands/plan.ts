import { withNeeds } from '../../engine/execute/order.ts';
import { type PlannedStep, planWorkflow } from '../../engine/plan.ts';
import type { Cli, Command } from '../command.ts';
import { columns, counted } from '../format.ts';
import { checkPastInputs, pastProducts } from '../past-runs.ts';
import { profileOption } from '../profile-option.ts';
import { folderOf, readWorkflowFile, withProject } from '../project.ts';
import { findSteps } from '../step-choice.ts';

export const command: Command = {
  name: 'plan',
  summary: 'which steps would run, which are cached, and why',
  description:
    'Shows what `run` would do, without doing it: which steps would run, because of which changed field, and which come from the cache. A step behind one that will run, and that has an earlier result itself, is unknown: it runs unless that one comes out the same.',
  arguments: [{ name: '<file>', description: 'the workflow' }],
  options: [
    {
      flags: '--param <name=value>',
      description: 'set a param of the workflow (may be repeated)',
      repeat: true,
    },
    profileOption,
    { flags: '--only <step>', description: 'this step and what it needs (may be repeated)', repeat: true },
    { flags: '--force <step>', description: 'as if this step had to run (may be repeated)', repeat: true },
    { flags: '--exit-code', description: 'exit with 0 if there is nothing to do, with 10 if there is' },
    { flags: '--json', description: 'the plan as JSON on stdout' },
  ],
  examples: [
    { line: 'reprise plan pipeline.yaml --param topics=50', does: 'what would another value change?' },
    { line: 'reprise plan pipeline.yaml --exit-code', does: 'a gate for CI: 10 if something is out of date' },
  ],
  async run([file], options, cli) {
    return withProject(cli, folderOf(file as string, cli), async (project) => {
      const workflow = await readWorkflowFile(
        file as string,
        options['param'] as string[],
        project,
        cli,
        options['profile'] as string[],
      );
      checkPastInputs(workflow, project);
      const only = options['only'] as string[];
      const forced = findSteps(workflow, options['force'] as string[], '--force');
      const steps = await planWorkflow({
        workflow,
        workspace: project.workspace,
        ...(only.length > 0 && { only: withNeeds(workflow.steps, findSteps(workflow, only, '--only')) }),
        forced,
        productsOfRun: pastProducts(project),
      });
      const work = steps.some(({ state }) => state === 'run' || state === 'unknown' || state === 'failed');
      if (options['json']) cli.out(`${JSON.stringify({ workflow: workflow.name, work, steps })}\n`);
      else cli.out(shown(steps, cli));
      if (steps.some(({ state }) => state === 'failed')) return 1;
      return options['exitCode'] && work ? 10 : 0;
    });
  },
};

const styles = { run: 'green', cached: 'blue', unknown: 'yellow', skipped: 'dim', failed: 'red' } as const;

function shown(steps: readonly PlannedStep[], cli: Cli): string {
  const cached = steps.filter(({ state }) => state === 'cached');
  if (cached.length === steps.length) return `nothing to do: ${counted(steps.length, 'step')} unchanged\n`;
  const lines = steps.map(({ id, use, state, reason }) => [
    `  ${cli.paint(styles[state], state)}`,
    id,
    cli.paint('dim', use),
    reason,
  ]);
  const count = (state: PlannedStep['state']) => steps.filter((step) => step.state === state).length;
  const words = {
    run: 'to run',
    unknown: `${count('unknown') === 1 ? 'depends' : 'depend'} on ${count('run') === 1 ? 'that' : 'those'}`,
    cached: 'cached',
    skipped: 'skipped',
    failed: 'failed',
  };
  const counts = (['run', 'unknown', 'cached', 'skipped', 'failed'] as const).flatMap((state) =>
    count(state) === 0 ? [] : [`${count(state)} ${words[state]}`],
  );
  return `${columns(lines)}${counts.join(', ')}\n`;
}
