import type { PlannedStep } from '../engine/plan.ts';
import type { Cli } from './command.ts';
import { columns, counted } from './format.ts';

const styles = { run: 'green', cached: 'blue', unknown: 'yellow', skipped: 'dim', failed: 'red' } as const;

/** A plan as a table, ending with a count. */
export function planTable(steps: readonly PlannedStep[], cli: Cli): string {
  const cached = steps.filter(({ state }) => state === 'cached');
  if (cached.length === steps.length) return `nothing to do: ${counted(steps.length, 'step')} unchanged\n`;
  const lines = steps.map(({ id, use, state, reason }) => [
    `  ${cli.paint(styles[state], state)}`,
    id,
    cli.paint('dim', use),
    reason,
  ]);
  const count = (state: PlannedStep['state']) => steps.filter((step) => step.state === state).length;
  const words = {
    run: 'to run',
    unknown: `${count('unknown') === 1 ? 'depends' : 'depend'} on ${count('run') === 1 ? 'that' : 'those'}`,
    cached: 'cached',
    skipped: 'skipped',
    failed: 'failed',
  };
  const counts = (['run', 'unknown', 'cached', 'skipped', 'failed'] as const).flatMap((state) =>
    count(state) === 0 ? [] : [`${count(state)} ${words[state]}`],
  );
  return `${columns(lines)}${counts.join(', ')}\n`;
}
