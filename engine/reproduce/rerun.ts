import { availableParallelism } from 'node:os';
import type { RunListener } from '../events.ts';
import { execute } from '../execute/execution.ts';
import { type RunRecord, type StepRecord, skipCauseOf, stepRecord } from '../record/record.ts';
import { Redaction } from '../record/redaction.ts';
import { readSecrets } from '../secrets.ts';
import type { ResolvedWorkflow } from '../workflow/resolved.ts';
import type { Workspace } from '../workspace.ts';
import type { ReproduceOptions } from './reproduce.ts';

/** Runs the steps that the run got to. */
export async function runAgain(
  options: ReproduceOptions,
  workspace: Workspace,
  workflow: ResolvedWorkflow,
): Promise<{ steps: StepRecord[]; interrupted: boolean }> {
  const { record, signal, now, listeners } = options;
  const reached = new Set(
    record.steps
      .filter((step) => step.status !== 'interrupted' && skipCauseOf(step) !== 'stopped')
      .map(({ id }) => id),
  );
  // A step with `for_each` stands for those that the record has.
  const bases = new Set(record.steps.filter(({ id }) => reached.has(id)).map(({ base }) => base));
  for (const { id, base, for_each: rows } of workflow.steps) if (rows && bases.has(base)) reached.add(id);
  // They are in no record. What the project has now comes before a `.env` of the commit.
  const secrets = {
    ...readSecrets({ secrets: workflow.secrets, root: workspace.root }, process.env),
    ...readSecrets({ secrets: workflow.secrets, root: options.workspace.root }, process.env),
  };
  const redaction = new Redaction(Object.values(secrets));
  const past = pastInputs(record, workflow, options.productsOf);
  const listener: RunListener = (event) => {
    const clean = redaction.json(event);
    for (const listen of listeners) listen(clean);
  };
  const steps = workflow.steps.filter(({ id }) => reached.has(id));
  listener({
    type: 'run-started',
    time: now(),
    run: record.id,
    workflow: workflow.name,
    steps: steps.map(({ id, use, needs }) => ({ id, use, needs })),
  });
  workspace.store.hold();
  const result = await execute({
    workflow,
    workspace,
    only: new Set(steps.map(({ id }) => id)),
    // What the run got to before it stopped is known: each step of it is tried.
    keepGoing: true,
    jobs: options.jobs ?? availableParallelism(),
    signal,
    listener,
    secrets,
    redaction,
    now,
    productsOfRun: past,
  });
  const outcomes = new Map(result.outcomes.map((outcome) => [outcome.id, outcome]));
  const readOf = (step: string, run: string | null) => {
    const outcome = outcomes.get(step);
    return run === null ? outcome && { run, ...outcome } : past(run, step);
  };
  return {
    // Without secrets, as the record has them.
    steps: redaction.json(
      result.steps.flatMap((step) => {
        const outcome = outcomes.get(step.id);
        return outcome ? [stepRecord(step, outcome, result.prepared.get(step.id), readOf)] : [];
      }),
    ),
    interrupted: result.status === 'interrupted',
  };
}

/** What `run:latest/…` meant when the run was made: the record has the run's id. */
function pastInputs(
  record: RunRecord,
  workflow: ResolvedWorkflow,
  productsOf: ReproduceOptions['productsOf'],
): ReproduceOptions['productsOf'] {
  const meant = new Map<string, { run: string; step: string }>();
  for (const { id, base, for_each: rows, inputs } of workflow.steps) {
    const same = (step: StepRecord) => (rows ? step.base === base : step.id === id);
    const recorded = record.steps.find(same)?.inputs ?? {};
    for (const [name, { run, parts }] of Object.entries(inputs))
      parts.forEach((part, index) => {
        const input = recorded[name]?.[index];
        if (run !== null && input && input.run !== null)
          meant.set(JSON.stringify([run, part.step]), { run: input.run, step: input.step });
      });
  }
  return (run, step) => {
    const known = meant.get(JSON.stringify([run, step]));
    return productsOf(known?.run ?? run, known?.step ?? step);
  };
}
