import type { Json } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import type { StepResult } from '../../engine/step.ts';
import {
  apgr,
  cpt,
  moduleUrl,
  oracleScores,
  pgr,
  qualityAt,
  type RoutedRows,
  type RoutingBootstrapTask,
  type RoutingCurve,
  type RoutingIntervals,
  routingCurve,
  routingIntervals,
} from '../../numerics/routing-metrics.ts';
import { requireFields } from '../missing-field.ts';
import { significant } from '../significant.ts';
import { nameOf } from './labels.ts';
import type { Scoring } from './scoring.ts';

/** Shares of the strong model that the table has a row for. */
const steps = 20;

/** What it is worth to send some rows to a strong model, and the others to a weak one, by a number of each row. */
export async function scoreRouting(scoring: Scoring): Promise<StepResult> {
  const { parameters, outputs, context } = scoring;
  const { resamples, confidence_level } = parameters;
  const { rows, scores, lengths, groups, excluded } = await read(scoring);
  const curve = routingCurve(rows, scores);
  const byLength = lengths && routingCurve(rows, lengths);
  const best = routingCurve(rows, oracleScores(rows));
  const [weak, strong] = [curve.quality[0]!, curve.quality.at(-1)!];
  if (!(strong > weak))
    throw new StepError(
      'nothing-to-route',
      `${parameters.strong} (${significant(strong)} on average) is no better than ${parameters.weak} (${significant(weak)})`,
      'weak names the field of the model that is worse, and cheaper',
    );
  let intervals: RoutingIntervals | undefined;
  if (resamples > 0) {
    const task: RoutingBootstrapTask = {
      rows,
      scores,
      ...(lengths && { baseline: lengths }),
      ...(groups && { groups }),
      resamples,
      confidence: confidence_level,
      seed: context.random('bootstrap').seed(),
    };
    intervals = await context.pool.run<RoutingBootstrapTask, RoutingIntervals>(
      moduleUrl,
      routingIntervals.name,
      task,
    );
    if (intervals.without > 0)
      context.warn(
        `in ${intervals.without} of ${resamples} resamples ${parameters.strong} is no better than ${parameters.weak}: the intervals are without them, and too narrow`,
      );
  }
  for (let step = 0; step <= steps; step++) {
    const share = step / steps;
    const quality = qualityAt(curve, share);
    await outputs.rows.write({
      id: String(share),
      strong_share: share,
      threshold: thresholdAt(curve, share),
      quality: significant(quality),
      pgr: significant(pgr(curve, quality)),
      pgr_random: share,
      ...(byLength && { pgr_length: significant(pgr(byLength, qualityAt(byLength, share))) }),
      pgr_oracle: significant(pgr(best, qualityAt(best, share))),
    });
  }
  return {
    metrics: {
      apgr: significant(apgr(curve)),
      ...bounds('apgr', intervals?.apgr),
      apgr_random: 0.5,
      ...(byLength && { apgr_length: significant(apgr(byLength)) }),
      ...(byLength && intervals?.gain && { apgr_gain: significant(apgr(curve) - apgr(byLength)) }),
      ...bounds('apgr_gain', intervals?.gain),
      apgr_oracle: significant(apgr(best)),
      cpt_50: significant(cpt(curve, 0.5)),
      cpt_80: significant(cpt(curve, 0.8)),
      ...(byLength && {
        cpt_50_length: significant(cpt(byLength, 0.5)),
        cpt_80_length: significant(cpt(byLength, 0.8)),
      }),
      weak: significant(weak),
      strong: significant(strong),
      rows: scores.length,
      excluded,
    },
  };
}

/** The score from which on rows go to the strong model, so that about this share does: as it stands, so that a row that has it does. */
function thresholdAt({ share, threshold }: RoutingCurve, wanted: number): number | null {
  const at = share.findIndex((value) => value >= wanted - 1e-9);
  return at <= 0 ? null : threshold[at]!;
}

function bounds(name: string, interval: readonly [number, number] | undefined): { [metric: string]: number } {
  if (interval === undefined) return {};
  return { [`${name}_low`]: significant(interval[0]), [`${name}_high`]: significant(interval[1]) };
}

interface Read {
  rows: RoutedRows;
  scores: Float64Array;
  /** Characters of the texts; undefined where there are none. */
  lengths: Float64Array | undefined;
  groups: Int32Array | undefined;
  excluded: number;
}

async function read({ parameters, inputs, context }: Scoring): Promise<Read> {
  const {
    weak,
    strong,
    text,
    group,
    prediction = 'probability',
  } = parameters as typeof parameters & {
    weak: string;
    strong: string;
  };
  requireFields(inputs.rows, [weak, strong, prediction, ...(group === undefined ? [] : [group])]);
  const found = {
    weak: [] as number[],
    strong: [] as number[],
    scores: [] as number[],
    lengths: [] as number[],
  };
  const groups: number[] = [];
  const numbers = new Map<string, number>();
  let texts = 0;
  for await (const block of inputs.rows.blocks()) {
    for (const row of block) {
      const values = [qualityOf(row[weak]), qualityOf(row[strong]), row[prediction]];
      const [low, high, score] = values;
      if (low === null || high === null || typeof score !== 'number') continue;
      found.weak.push(low as number);
      found.strong.push(high as number);
      found.scores.push(score);
      const words = row[text];
      if (typeof words === 'string') texts++;
      found.lengths.push(typeof words === 'string' ? words.length : 0);
      if (group === undefined) continue;
      const name = nameOf(row[group] ?? null);
      // Rows of no group stand alone.
      const key = name === '' ? `\0${found.weak.length}` : name;
      if (!numbers.has(key)) numbers.set(key, numbers.size);
      groups.push(numbers.get(key)!);
    }
  }
  const size = found.scores.length;
  const excluded = inputs.rows.rows - size;
  if (size === 0)
    throw new StepError(
      'nothing-to-score',
      inputs.rows.rows === 0
        ? 'there are no rows to score'
        : `none of the ${inputs.rows.rows} rows has ${weak} and ${strong} as numbers or true and false, and ${prediction} as a number`,
      'a score of nothing would pass any check, so there is none',
    );
  if (excluded > 0)
    context.warn(
      `${excluded} of ${inputs.rows.rows} rows lack ${weak}, ${strong} or ${prediction}; they are not scored`,
    );
  return {
    rows: { weak: Float64Array.from(found.weak), strong: Float64Array.from(found.strong) },
    scores: Float64Array.from(found.scores),
    lengths: texts === size ? Float64Array.from(found.lengths) : undefined,
    groups: group === undefined ? undefined : Int32Array.from(groups),
    excluded,
  };
}

/** How good an answer is; null where nothing says so. */
function qualityOf(value: Json | undefined): number | null {
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'number' ? value : null;
}
