import type { Digest } from './digest.ts';
import type { ProductsOf } from './execute/io.ts';
import type { Lookup } from './execute/lookup.ts';
import type { PreparedStep } from './execute/prepare.ts';
import { explainChange, type Fingerprint } from './fingerprint/fingerprint.ts';
import { type PlanOptions, planWorkflow } from './plan.ts';
import { ProblemError } from './problems.ts';
import type { StepEntry } from './store/step-index.ts';

/** A part of a fingerprint, compared with that of the last result. */
export interface ExplainedPart {
  part: keyof Fingerprint;
  /** What differs, as the plan says it: `with.k 77 → 50`. Empty if nothing does. */
  changes: string[];
}

/** Why a step hits or misses the cache. */
export interface StepExplanation {
  step: string;
  use: string;
  /** `open`: what it reads is not known before the steps above it have run. */
  state: 'hit' | 'miss' | 'open' | 'skipped' | 'failed';
  reason: string;
  key: Digest | null;
  /** The result that it was compared with: the one found, or the last of this step in this workflow. */
  last: {
    key: Digest;
    created: string;
    duration_ms: number;
    made_by: StepEntry['made_by'] | null;
  } | null;
  parts: ExplainedPart[];
}

/** What a step was looked up with, for a closer look at its rows. */
export interface Looked {
  prepared: PreparedStep;
  lookup: Lookup;
  productsOf: ProductsOf;
}

const parts: (keyof Fingerprint)[] = [
  'step_type',
  'code',
  'parameters',
  'params',
  'inputs',
  'files',
  'models',
  'env',
  'packages',
  'seed',
  'formats',
];

/** A step with `for_each`, or one that it does not stand for: the plan has those that it does. */
function notAmong(id: string, planned: readonly { id: string }[]): ProblemError {
  const base = id.replace(/\[.*$/s, '');
  const there = planned.filter((step) => step.id.startsWith(`${base}[`)).map((step) => step.id);
  const message = id === base ? `${id} stands for ${there.length} steps` : `there is no step ${id}`;
  return ProblemError.of(id === base ? 'ambiguous-step' : 'unknown-step', message, {
    hint: `name one of them: ${there.slice(0, 3).join(', ')}`,
  });
}

/** Compares a step's fingerprint as it is now, part by part, with that of its last result. Nothing is run. */
export async function explainStep(
  options: PlanOptions & { step: string },
): Promise<StepExplanation & { looked: Looked | null }> {
  const { workflow, workspace, step: id } = options;
  let looked: Looked | null = null;
  const planned = await planWorkflow({
    ...options,
    onLookup(prepared, lookup, productsOf) {
      if (prepared.step.id === id) looked = { prepared, lookup, productsOf };
    },
  });
  const own = planned.find((step) => step.id === id);
  if (own === undefined) throw notAmong(id, planned);
  const { use, state, reason } = own;
  const [lastKey] = workspace.steps.getLast(workflow.path, [id]);
  const found = looked as Looked | null;
  if (found === null) {
    const open = state === 'run' || state === 'unknown';
    const [entry] = lastKey === undefined ? [] : await workspace.steps.getMany([lastKey]);
    return {
      step: id,
      use,
      state: open ? 'open' : state === 'skipped' ? 'skipped' : 'failed',
      reason,
      key: null,
      last: lastKey && entry ? about(lastKey, entry) : null,
      parts: [],
      looked: null,
    };
  }
  const { prepared, lookup } = found;
  const key = lookup.hit ? prepared.key! : lastKey;
  const [entry] = key === undefined ? [] : lookup.hit ? [lookup.entry] : await workspace.steps.getMany([key]);
  return {
    step: id,
    use,
    state: lookup.hit ? 'hit' : 'miss',
    reason: lookup.hit ? 'unchanged' : lookup.reason,
    key: prepared.key,
    last: key && entry ? about(key, entry) : null,
    parts: entry && prepared.fingerprint ? comparedParts(entry, prepared.fingerprint, workspace) : [],
    looked: found,
  };
}

function about(key: Digest, { created, duration_ms, made_by }: StepEntry): StepExplanation['last'] {
  return { key, created, duration_ms, made_by: made_by ?? null };
}

function comparedParts(
  entry: StepEntry,
  now: Fingerprint,
  workspace: PlanOptions['workspace'],
): ExplainedPart[] {
  const before = entry.fingerprint as unknown as Fingerprint;
  return parts.map((part) => ({
    part,
    changes: explainChange({ ...now, [part]: before[part] }, now, (code) => workspace.code.modulesOf(code)),
  }));
}
