import type { Digest } from './digest.ts';
import type { StepFailure } from './events.ts';
import { failureOf } from './execute/failure.ts';
import type { ProductsOf, StepProducts } from './execute/io.ts';
import { type Lookup, lookUp, reasonsBesideInputs } from './execute/lookup.ts';
import { evaluateWhen, type PreparedStep, prepareStep } from './execute/prepare.ts';
import { declaredId } from './workflow/address.ts';
import type { ResolvedStep, ResolvedWorkflow } from './workflow/resolved.ts';
import type { Workspace } from './workspace.ts';

/** What a run would do with a step, as far as that can be known now. */
export interface PlannedStep {
  id: string;
  use: string;
  /** `unknown`: it depends on a step that will run: it runs unless that one comes out the same, or by its metrics. */
  state: 'run' | 'cached' | 'unknown' | 'skipped' | 'failed';
  /** Why: the changed field, old → new; the steps that it depends on; the condition that is false. */
  reason: string;
  /** The steps, further up, that will run for a reason of their own (`unknown`), or that fail (`skipped`). */
  causes: string[];
  /** Rows of the result if it is known. */
  rows: number | null;
}

export interface PlanOptions {
  workflow: ResolvedWorkflow;
  workspace: Workspace;
  only?: ReadonlySet<string>;
  forced?: ReadonlySet<string>;
  /** Failures by key that a run would not try again. */
  failedBefore?: ReadonlyMap<Digest, StepFailure>;
  productsOfRun(run: string, step: string): StepProducts | undefined;
  /** Told what each step whose inputs are known was looked up with, and what was found. */
  onLookup?(prepared: PreparedStep, lookup: Lookup, productsOf: ProductsOf): void;
}

/** Works out what a run would do, without doing it. Writes no run and no result. */
export async function planWorkflow(options: PlanOptions): Promise<PlannedStep[]> {
  const { workflow, workspace, only, productsOfRun } = options;
  let steps = only ? workflow.steps.filter(({ id }) => only.has(id)) : workflow.steps;
  const forced = new Set(options.forced);
  const planned = new Map<string, PlannedStep>();
  const products = new Map<string, StepProducts>();
  const productsOf = (step: string, run: string | null) =>
    run === null ? products.get(step) : productsOfRun(run, step);
  /** Steps that may be skipped, as a condition that cannot be decided yet says: then so may what needs them. */
  const doubtful = new Set<string>();
  const settle = (step: ResolvedStep, state: PlannedStep['state'], reason: string, causes: string[] = []) => {
    planned.set(step.id, { id: step.id, use: step.use, state, reason, causes, rows: null });
  };
  /** Why a step runs whatever the steps before it come to. */
  const certain = async (step: ResolvedStep): Promise<string[]> => {
    if (forced.has(step.id)) return ['forced'];
    if (!step.cache) return ['its cache is off'];
    const prepare = async () =>
      step.deferred.length > 0 ? null : prepareStep(step, workflow, workspace, productsOf).catch(() => null);
    return reasonsBesideInputs(step, prepare, workspace, workflow.path);
  };
  /** A step behind steps that will run or may run. */
  const planBehind = async (step: ResolvedStep, open: readonly PlannedStep[]): Promise<void> => {
    const causes = causesOf(open);
    const said = await readsOf(step);
    const undecided = open.filter(({ id }) => said.includes(id));
    if (undecided.length > 0) {
      doubtful.add(step.id);
      const names = undecided.map(({ id }) => id).join(', ');
      settle(step, 'unknown', `when depends on ${names}: ${step.when!.source}`, causesOf(undecided));
      return;
    }
    const when = await evaluateWhen(step, workflow, workspace, productsOf);
    if (when?.value === false) {
      settle(step, 'skipped', `when is false: ${when.shown}`);
      return;
    }
    const maySkip = step.if_skipped !== 'run' && open.some(({ id }) => doubtful.has(id));
    if (maySkip) doubtful.add(step.id);
    const reasons = maySkip ? [] : await certain(step);
    if (reasons.length > 0) settle(step, 'run', reasons.join(', '));
    else settle(step, 'unknown', openReason(open, causes), causes);
  };
  /** Puts the steps that a step with `for_each` stands for in its place: its table is known. */
  const expand = async (step: ResolvedStep): Promise<boolean> => {
    const { boundTo, namesOf, stepsForRows } = await import('./execute/for-each.ts');
    const instances = await stepsForRows(step, workspace.store, productsOf, only);
    if (instances.length === 0) {
      settle(step, 'skipped', `${namesOf(step.for_each!)} has no rows`);
      return false;
    }
    if (forced.has(step.id)) for (const { id } of instances) forced.add(id);
    steps = steps.flatMap((other) => {
      if (other.id === step.id) return instances;
      return [other.needs.includes(step.id) ? boundTo(other, step, instances) : other];
    });
    return true;
  };
  for (let pending = waves(steps); pending.length > 0; ) {
    const wave = pending.shift()!;
    const prepared: PreparedStep[] = [];
    let expanded = false;
    for (const step of wave) {
      const needs = step.needs.flatMap((id) => planned.get(id) ?? planned.get(declaredId(id)) ?? []);
      const failed = needs.find(({ state }) => state === 'failed');
      const skipped = needs.find(({ state }) => state === 'skipped');
      const open = needs.filter(({ state }) => state === 'run' || state === 'unknown');
      if (failed) settle(step, 'skipped', `needs ${failed.id}, which fails`, [failed.id]);
      else if (skipped && (step.if_skipped !== 'run' || skipped.causes.length > 0))
        settle(step, 'skipped', `needs ${skipped.id}, which is skipped`, skipped.causes);
      else {
        try {
          if (step.for_each !== undefined) {
            const parts = new Set(step.for_each.parts.map((part) => part.step));
            const unknown = open.filter(({ id }) => parts.has(id));
            if (unknown.length === 0) expanded = (await expand(step)) || expanded;
            else settle(step, 'unknown', untilDone(unknown), causesOf(unknown));
            continue;
          }
          if (open.length > 0) {
            await planBehind(step, open);
            continue;
          }
          const when = await evaluateWhen(step, workflow, workspace, productsOf);
          if (when?.value === false) settle(step, 'skipped', `when is false: ${when.shown}`);
          else prepared.push(await prepareStep(step, workflow, workspace, productsOf));
        } catch (error) {
          settle(step, 'failed', failureOf(error).message);
        }
      }
    }
    const lookups = await lookUp(prepared, workspace, {
      workflowPath: workflow.path,
      forced,
      failedBefore: options.failedBefore,
    });
    for (const [index, { step }] of prepared.entries()) {
      const lookup = lookups[index]!;
      options.onLookup?.(prepared[index]!, lookup, productsOf);
      if (!lookup.hit) {
        settle(step, lookup.failed ? 'failed' : 'run', lookup.reason);
        continue;
      }
      settle(step, 'cached', 'unchanged');
      products.set(step.id, { use: step.use, ...lookup.entry });
    }
    if (expanded) pending = waves(steps.filter(({ id }) => !planned.has(id)));
  }
  return steps.map(({ id }) => planned.get(id)!);
}

/** Steps, further up, that will run for a reason of their own. */
function causesOf(open: readonly PlannedStep[]): string[] {
  return [...new Set(open.flatMap(({ id, state, causes }) => (state === 'run' ? [id] : causes)))];
}

function openReason(open: readonly PlannedStep[], causes: readonly string[]): string {
  const names = open.map(({ id }) => id).join(', ');
  const those = names !== causes.join(', ') ? names : open.length === 1 ? 'it' : 'they';
  return `depends on ${causes.join(', ')}: runs unless ${those} ${open.length === 1 ? 'comes' : 'come'} out the same`;
}

function untilDone(tables: readonly PlannedStep[]): string {
  const names = tables.map(({ id }) => id).join(', ');
  return `runs for each row of ${names}: unknown until ${tables.length === 1 ? 'that is' : 'those are'} done`;
}

/** Steps whose metrics a step's `when` reads. */
async function readsOf({ when }: ResolvedStep): Promise<string[]> {
  if (when === null) return [];
  const { loadCel } = await import('./cel.ts');
  const { paths } = (await loadCel())(when.source);
  return paths.flatMap(({ names }) => (names[0] === 'steps' && names[1] !== undefined ? [names[1]] : []));
}

/** Steps by depth: each group needs only steps of the groups before it. */
function waves(steps: readonly ResolvedStep[]): ResolvedStep[][] {
  const depths = new Map<string, number>();
  const grouped: ResolvedStep[][] = [];
  for (const step of steps) {
    const depth =
      Math.max(-1, ...step.needs.map((id) => depths.get(id) ?? depths.get(declaredId(id)) ?? -1)) + 1;
    depths.set(step.id, depth);
    grouped[depth] ??= [];
    grouped[depth].push(step);
  }
  return grouped;
}
