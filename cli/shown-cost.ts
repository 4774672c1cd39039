import type { AskingEstimate } from '../engine/estimate.ts';
import type { Cost } from '../engine/record/record.ts';
import { count } from './format.ts';

/** `$2.50`, `$0.0123`. */
export function dollars(amount: number): string {
  return `$${amount >= 1 ? amount.toFixed(2) : Number(amount.toPrecision(2))}`;
}

/** `$0.0123 (8,123 tokens in, 411 out), $0.41 saved by the cache` */
export function shownCost({ usd, input_tokens, output_tokens, saved_usd }: Cost): string {
  const tokens = `(${count(input_tokens)} tokens in, ${count(output_tokens)} out)`;
  return `${dollars(usd)} ${tokens}${saved_usd > 0 ? `, ${dollars(saved_usd)} saved by the cache` : ''}`;
}

/** `labels would ask writer (openai/gpt-5-mini): 500 calls, about 8,100 tokens in, 4,000 out, $0.012` */
export function shownEstimate(estimate: AskingEstimate): string {
  const { step, models, calls, known, input_tokens, output_tokens, usd } = estimate;
  const cost = usd === null ? 'no price is known' : dollars(usd);
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
