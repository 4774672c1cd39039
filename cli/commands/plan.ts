import { withLineChanges } from '../../engine/changed-lines.ts';
import type { AskingEstimate } from '../../engine/estimate.ts';
import type { ProductsOf } from '../../engine/execute/io.ts';
import { withNeeds } from '../../engine/execute/order.ts';
import type { PreparedStep } from '../../engine/execute/prepare.ts';
import type { Fingerprint } from '../../engine/fingerprint/fingerprint.ts';
import { type PlannedStep, planWorkflow } from '../../engine/plan.ts';
import type { ResolvedWorkflow } from '../../engine/workflow/resolved.ts';
import type { Cli, Command } from '../command.ts';
import { paramOption } from '../param-option.ts';
import { checkPastInputs, pastProducts } from '../past-runs.ts';
import { planTable } from '../plan-table.ts';
import { profileOption } from '../profile-option.ts';
import { folderOf, type OpenProject, readWorkflowFile, withProject } from '../project.ts';
import { type OpenAsk, shownEstimate, shownOpenAsk } from '../shown-cost.ts';
import { findSteps } from '../step-choice.ts';

export const command: Command = {
  name: 'plan',
  summary: 'which steps would run, which are cached, and why',
  description:
    'Shows what `run` would do, without doing it: which steps would run, because of which changed field (of a text file also how many lines), and which come from the cache. A step behind one that will run, and that has an earlier result itself, is unknown: it runs unless that one comes out the same.',
  arguments: [{ name: '<file>', description: 'the workflow' }],
  options: [
    paramOption,
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
      await checkPastInputs(workflow, project);
      const only = options['only'] as string[];
      const forced = findSteps(workflow, options['force'] as string[], '--force');
      const asking: { prepared: PreparedStep; productsOf: ProductsOf }[] = [];
      const changes: { prepared: PreparedStep; before: Fingerprint }[] = [];
      const steps = await planWorkflow({
        workflow,
        workspace: project.workspace,
        ...(only.length > 0 && { only: withNeeds(workflow.steps, findSteps(workflow, only, '--only')) }),
        forced,
        productsOfRun: pastProducts(project),
        onLookup(prepared, lookup, productsOf) {
          if (!lookup.hit && prepared.languageModels.size > 0) asking.push({ prepared, productsOf });
          if (!lookup.hit && lookup.before) changes.push({ prepared, before: lookup.before });
        },
      });
      for (const { prepared, before } of changes) {
        const step = steps.find(({ id }) => id === prepared.step.id);
        if (step) step.reason = await withLineChanges(step.reason, before, prepared, project.workspace);
      }
      const asks = await estimates(asking, workflow, project, cli);
      const open = openAsks(steps, workflow);
      const work = steps.some(({ state }) => state === 'run' || state === 'unknown' || state === 'failed');
      if (options['json'])
        cli.out(`${JSON.stringify({ workflow: workflow.name, work, steps, asks, open_asks: open })}\n`);
      else {
        const lines = [...asks.map(shownEstimate), ...open.map((ask) => shownOpenAsk(ask, file as string))];
        cli.out(planTable(steps, cli) + lines.map((line) => `${line}\n`).join(''));
      }
      if (steps.some(({ state }) => state === 'failed')) return 1;
      return options['exitCode'] && work ? 10 : 0;
    });
  },
};

/** Steps that would ask language models about rows that are not there yet: what that costs cannot be said now. */
function openAsks(planned: readonly PlannedStep[], { steps }: ResolvedWorkflow): OpenAsk[] {
  const states = new Map(planned.map(({ id, state }) => [id, state]));
  const isOpen = (id: string) => states.get(id) === 'run' || states.get(id) === 'unknown';
  return steps.flatMap(({ id, languageModels: models = [], needs }) => {
    const after = needs.filter(isOpen);
    const names = [...new Set(models.map(({ name }) => name))];
    return names.length > 0 && after.length > 0 && isOpen(id) ? [{ step: id, models: names, after }] : [];
  });
}

/** What steps that will run would ask of language models, as far as their inputs are known. */
async function estimates(
  asking: readonly { prepared: PreparedStep; productsOf: ProductsOf }[],
  workflow: ResolvedWorkflow,
  { workspace }: OpenProject,
  { signal }: Cli,
): Promise<AskingEstimate[]> {
  if (asking.length === 0) return [];
  const { estimateAsking } = await import('../../engine/estimate.ts');
  const found: AskingEstimate[] = [];
  for (const { prepared, productsOf } of asking) {
    const estimate = await estimateAsking(prepared, productsOf, { workflow, workspace, signal });
    if (estimate !== null) found.push(estimate);
  }
  return found;
}
