import type { Json } from '../json.ts';
import type { Located } from './located.ts';
import { member } from './located.ts';
import type { ResolvedStep } from './resolved.ts';

type StepOptions = Pick<
  ResolvedStep,
  'if_skipped' | 'retries' | 'timeout_ms' | 'on_error' | 'max_row_failures' | 'cache' | 'priority'
>;

/**
 * How a step is run: what the first of `nodes` says that says anything, from the steps that use the templates around
 * it, over the step itself, to `defaults`. Values that the schema refuses count as not said.
 */
export function resolveOptions(nodes: readonly Located[]): StepOptions {
  const said = (key: string): Json | undefined => {
    for (const node of nodes) {
      const value = member(node, key);
      if (value?.kind === 'scalar' && value.value !== null) return value.value;
    }
    return undefined;
  };
  const timeout = said('timeout');
  const priority = Number(said('priority') ?? 0);
  return {
    if_skipped: said('if_skipped') === 'run' ? 'run' : 'skip',
    retries: Number(said('retries') ?? 0),
    timeout_ms: timeout === undefined ? null : durationMs(timeout),
    on_error: said('on_error') === 'continue' ? 'continue' : 'stop',
    max_row_failures: rowFailures(said('max_row_failures') ?? 0),
    cache: said('cache') !== false,
    ...(priority !== 0 && { priority }),
  };
}

const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `10m`, `1h30m`, or a number of seconds, in milliseconds; null for anything else. */
export function durationMs(value: Json): number | null {
  if (typeof value === 'number') return value > 0 ? Math.round(value * 1_000) : null;
  if (typeof value !== 'string' || !/^\s*(\d+(\.\d+)?\s*(ms|s|m|h|d)\s*)+$/.test(value)) return null;
  let sum = 0;
  for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)/g))
    sum += Number(amount) * units[unit!]!;
  return Math.round(sum);
}

function rowFailures(value: Json): ResolvedStep['max_row_failures'] {
  if (typeof value === 'number') return { count: value };
  const share = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(String(value))?.[1];
  return share === undefined ? { count: 0 } : { share: Number(share) / 100 };
}
