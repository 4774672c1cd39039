import type { AskingEstimate } from '../engine/estimate.ts';
import type { Cost } from '../engine/record/record.ts';
import { count, counted, usd } from './format.ts';

/** `$0.012 (8,123 tokens in, 411 out), $0.41 saved by the cache`; where answers have no known price, it says so. */
export function shownCost(cost: Cost, unpriced: number): string {
  const { input_tokens, output_tokens, saved_usd } = cost;
  const tokens = `(${count(input_tokens)} tokens in, ${count(output_tokens)} out)`;
  const known = unpriced > 0 && cost.usd === 0 ? 'unknown' : usd(cost.usd);
  const rest =
    unpriced > 0 && cost.usd > 0 ? ` and ${counted(unpriced, 'answer')} without a known price` : '';
  return `${known}${rest} ${tokens}${saved_usd > 0 ? `, ${usd(saved_usd)} saved by the cache` : ''}`;
}

/** `labels would ask writer (openai/gpt-5-mini): 500 calls, about 8,100 tokens in, 4,000 out, $0.012` */
export function shownEstimate(estimate: AskingEstimate): string {
  const { step, models, calls, known, input_tokens, output_tokens } = estimate;
  const cost = estimate.usd === null ? 'no price is known' : usd(estimate.usd);
  const asked = `${step} would ask ${models.join(', ')}: ${count(calls)} ${calls === 1 ? 'call' : 'calls'}`;
  const kept = known > 0 ? `, ${count(known)} answers are known` : '';
  return calls === 0
    ? `${asked}${kept}`
    : `${asked}, about ${count(input_tokens)} tokens in, ${count(output_tokens)} out, ${cost}${kept}`;
}

/** A step that would ask language models, and the steps that must run before it is known how much. */
export interface OpenAsk {
  step: string;
  models: readonly string[];
  after: readonly string[];
}

/** `labels would ask writer: what that costs is known after texts (reprise run w.yaml --only texts)` */
export function shownOpenAsk({ step, models, after }: OpenAsk, file: string): string {
  const only = after.map((id) => ` --only ${id}`).join('');
  return `${step} would ask ${models.join(', ')}: what that costs is known after ${after.join(', ')} (reprise run ${file}${only})`;
}
