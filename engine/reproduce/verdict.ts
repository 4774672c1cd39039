import { explainChange, type Fingerprint } from '../fingerprint/fingerprint.ts';
import { type StepRecord, skipCauseOf } from '../record/record.ts';
import type { MetricComparison, OutputComparison, Sameness } from './compare.ts';
import type { EnvironmentDifference } from './environment.ts';

/** A step, then and now. */
export interface StepVerdict {
  id: string;
  use: string;
  verdict: Sameness;
  /** How it ended, where not by its outputs: `failed the same way`, `skipped both times`. Null else. */
  detail: string | null;
  /** Why it is not the same: what differs in its fingerprint; then what else may be behind it. */
  causes: string[];
  outputs: OutputComparison[];
  /** Metrics that are not exactly the same. */
  metrics: MetricComparison[];
}

/** The outcome of a whole reproduction. */
export interface Verdict {
  verdict: Sameness;
  steps: StepVerdict[];
  /** The first step, in topological order, that differs; null if none does. */
  first_difference: { step: string; causes: string[] } | null;
  score: Score;
}

/** Shares that came out the same, or within the tolerance, of what could be compared. Null of nothing. */
export interface Score {
  steps: { same: number; of: number; share: number | null };
  rows: { same: number; of: number; share: number | null };
  /** What lowered it, the first step first. */
  lowered: { step: string; why: string }[];
}

/** A step with all that a verdict is made from. */
export interface StepPair {
  old: StepRecord;
  /** Undefined if the step is not in the workflow any more, or was not tried again. */
  now: StepRecord | undefined;
  outputs: OutputComparison[];
  metrics: MetricComparison[];
  /** Its cache is off: it says of itself that the same inputs need not give the same. */
  volatile: boolean;
  /** Its language models were asked again: what they said in the record was not taken. */
  asked?: boolean;
}

/**
 * Judges steps in topological order. A pure function.
 *
 * A failure is the same if its code and message are; a step that was skipped both times is the same. What the run did not
 * get to (it was interrupted, or another step had failed) is not comparable, nor is a step whose cache is off and whose
 * result differs, nor what differs only because it reads from such a step.
 *
 * @param environment what is not as it was: named as what may be behind a difference that nothing else explains
 * @param modulesOf modules of a code digest, to name the file that changed; see `CodeDigests.modulesOf`
 */
export function judge(
  pairs: readonly StepPair[],
  environment: readonly EnvironmentDifference[],
  modulesOf?: Parameters<typeof explainChange>[2],
): Verdict {
  const steps: StepVerdict[] = [];
  const byId = new Map<string, StepVerdict>();
  for (const pair of pairs) {
    const step = judgeStep(pair, byId, environment, modulesOf);
    steps.push(step);
    byId.set(step.id, step);
  }
  const first = steps.find(({ verdict }) => verdict === 'different');
  const compared = steps.filter(({ verdict }) => verdict !== 'not_comparable');
  const verdict: Sameness =
    first !== undefined
      ? 'different'
      : compared.length === 0
        ? 'not_comparable'
        : compared.some((step) => step.verdict === 'within_tolerance')
          ? 'within_tolerance'
          : 'identical';
  return {
    verdict,
    steps,
    first_difference: first ? { step: first.id, causes: first.causes } : null,
    score: scoreOf(steps, compared),
  };
}

function judgeStep(
  { old, now, outputs, metrics, volatile, asked = false }: StepPair,
  before: ReadonlyMap<string, StepVerdict>,
  environment: readonly EnvironmentDifference[],
  modulesOf: Parameters<typeof explainChange>[2],
): StepVerdict {
  const base = { id: old.id, use: old.use, outputs, metrics, detail: null, causes: [] };
  const state = (verdict: Sameness, detail: string, causes: string[] = []): StepVerdict => ({
    ...base,
    verdict,
    detail,
    causes,
  });
  if (notReached(old)) return state('not_comparable', `the run did not get to it: ${old.reason}`);
  if (now === undefined) return state('different', 'the workflow in the record has no such step');
  if (notReached(now)) return state('not_comparable', `it was not tried again: ${now.reason}`);

  const { own, inherited, suspected } = causesOf(old, now, environment, modulesOf);
  const known = [...own, ...inherited];
  const likely = known.length > 0 ? known : asked ? ['its language models were asked again'] : suspected;
  const [was, is] = [endOf(old), endOf(now)];
  if (was !== is) {
    const said = now.error ? `${now.error.code}: ${now.error.message}` : now.reason;
    const how = is === 'done' ? `${was} in the record, done now` : `${is} now: ${said}`;
    return state('different', how, likely);
  }
  if (was === 'skipped') {
    const recorded = old.reason === now.reason ? '' : ` (in the record: ${old.reason})`;
    return state('identical', `skipped both times: ${now.reason}${recorded}`);
  }
  if (was === 'failed') {
    const same = old.error?.code === now.error?.code && old.error?.message === now.error?.message;
    if (same) return state('identical', `failed the same way: ${now.error?.code ?? now.reason}`);
    return state('different', `failed otherwise: ${now.error?.message ?? now.reason}`, likely);
  }

  const worst = (['different', 'within_tolerance'] as const).find((verdict) =>
    [...outputs, ...metrics].some((part) => part.verdict === verdict),
  );
  if (worst !== 'different') {
    return { ...base, verdict: worst ?? 'identical', causes: worst ? known : [] };
  }
  if (volatile)
    return state('not_comparable', 'its cache is off: the same inputs need not give the same result');
  const behind = old.needs.filter((id) => before.get(id)?.verdict === 'not_comparable');
  if (own.length === 0 && behind.length > 0)
    return state('not_comparable', `it needs ${behind.join(', ')}, which cannot be compared`);
  return { ...base, verdict: 'different', causes: likely };
}

/** A step that the run left out for a reason of the run's: not because of what the step is. */
function notReached(step: StepRecord): boolean {
  const cause = skipCauseOf(step);
  return step.status === 'interrupted' || cause === 'stopped' || cause === 'failed';
}

function endOf({ status }: StepRecord): 'done' | 'failed' | 'skipped' {
  return status === 'ran' || status === 'cached' ? 'done' : status === 'failed' ? 'failed' : 'skipped';
}

interface Causes {
  /** What differs in the step itself. */
  own: string[];
  /** Inputs that came out otherwise. */
  inherited: string[];
  /** Where nothing differs: what may be behind it. */
  suspected: string[];
}

function causesOf(
  old: StepRecord,
  now: StepRecord,
  environment: readonly EnvironmentDifference[],
  modulesOf: Parameters<typeof explainChange>[2],
): Causes {
  const [was, is] = [old.fingerprint, now.fingerprint];
  if (was === null || is === null) {
    const why = old.uncached ?? now.uncached;
    return {
      own: [],
      inherited: inputCauses(old, now),
      suspected: [why ?? 'what it depends on is not known'],
    };
  }
  const own = explainChange(was, { ...is, inputs: was.inputs } as Fingerprint, modulesOf);
  const surroundings = environment.flatMap(({ what, recorded, now: current, steps }) =>
    steps === null && !['lockfile', 'engine'].includes(what)
      ? [`perhaps ${what}: ${recorded ?? 'none'} → ${current ?? 'none'}`]
      : [],
  );
  return {
    own,
    inherited: inputCauses(old, now),
    suspected: [
      'nothing that is in the record differs: it depends on something else (the time, the network, a program, a file that it does not name), or is not deterministic',
      ...surroundings,
    ],
  };
}

/** Inputs whose content is not what it was, with the step that each comes from. */
function inputCauses(old: StepRecord, now: StepRecord): string[] {
  return Object.entries(old.inputs).flatMap(([name, parts]) => {
    const current = now.inputs[name] ?? [];
    const changed = parts.filter(({ digest }, index) => current[index]?.digest !== digest);
    if (changed.length === 0 && parts.length === current.length) return [];
    const from = [...new Set(changed.map(({ step }) => step))].join(', ');
    return [`input ${name}${from === '' ? '' : ` (from ${from})`} came out otherwise`];
  });
}

function scoreOf(steps: readonly StepVerdict[], compared: readonly StepVerdict[]): Score {
  const rows = { same: 0, of: 0 };
  for (const { rows: counted } of compared.flatMap(({ outputs }) => outputs)) {
    if (counted === null) continue;
    rows.of += counted.of;
    rows.same += counted.same + counted.within;
  }
  const same = compared.filter(({ verdict }) => verdict !== 'different').length;
  const share = (part: number, of: number) => (of === 0 ? null : part / of);
  return {
    steps: { same, of: compared.length, share: share(same, compared.length) },
    rows: { ...rows, share: share(rows.same, rows.of) },
    lowered: steps.flatMap(({ id, verdict, detail, causes }) =>
      verdict === 'different' ? [{ step: id, why: detail ?? causes[0] ?? 'not known' }] : [],
    ),
  };
}
