import type { Metrics } from '../artefacts.ts';

/**
 * What a step says of itself, as records and expressions can take it: a number that is none (NaN, Infinity), and a value of
 * another kind, is left out, and `warn` is told.
 */
export function keptMetrics(said: object, warn: (message: string) => void): Metrics {
  const kept: Metrics = {};
  for (const [name, value] of Object.entries(said) as [string, unknown][]) {
    if (typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value))
      kept[name] = value as Metrics[string];
    else if (typeof value === 'number') warn(`the metric ${name} is left out: it is ${value}`);
    else if (value !== undefined)
      warn(`the metric ${name} is left out: it must be a number, a text, true or false`);
  }
  return kept;
}
