import { shownChange } from '../engine/fingerprint/json-difference.ts';
import type { RunDiff } from '../engine/record/diff.ts';
import type { Cli } from './command.ts';
import { columns, count, counted, duration, metric } from './format.ts';

/** The difference of two runs for people: what was changed first, then what it did. Parts without a change are left out. */
export function shownDiff(diff: RunDiff, cli: Cli): string {
  const { paint } = cli;
  const parts: string[] = [`${paint('bold', diff.runs.old)} → ${paint('bold', diff.runs.now)}\n`];
  const section = (title: string, text: string) => {
    if (text !== '') parts.push(`\n${paint('bold', title)}\n${text}`);
  };
  const pairs = (list: { path: string; old?: unknown; now?: unknown }[]) =>
    columns(list.map(({ path, old, now }) => [`  ${path}`, shownChange(old as never, now as never)]));
  section('params', pairs(diff.params));
  if (diff.seed) section('seed', `  ${diff.seed.old} → ${diff.seed.now}\n`);
  section(
    'workflow and code',
    diff.sources
      .map(({ path, change, lines }) => {
        const shown = lines.map(({ kind, text }) => {
          if (kind === 'same') return paint('dim', `      ${text}`);
          return kind === 'added' ? paint('green', `    + ${text}`) : paint('red', `    - ${text}`);
        });
        return `  ${path} ${change}\n${shown.map((line) => `${line}\n`).join('')}`;
      })
      .join(''),
  );
  section('data', columns(diff.files.map(({ path, change }) => [`  ${path}`, change])));
  section('git', pairs(diff.git));
  section('environment', pairs(diff.environment));
  section('models', pairs(diff.models));
  section('steps', diff.steps.map((step) => stepText(step, cli)).join(''));
  const { old, now } = diff.duration_ms;
  parts.push(`\n${counted(diff.unchanged, 'step')} the same`);
  if (old !== null && now !== null) parts.push(` · ${duration(old)} → ${duration(now)}`);
  return `${parts.join('')}\n`;
}

function stepText(step: RunDiff['steps'][number], { paint }: Cli): string {
  const lines = [
    `  ${step.id}${step.change === 'changed' ? '' : ` ${step.change}`}  ${paint('dim', step.reasons.join(', '))}`,
  ];
  if (step.status.old !== step.status.now && step.change === 'changed')
    lines.push(`    ${step.status.old} → ${step.status.now}`);
  if (step.rows.old !== step.rows.now && step.rows.old !== null && step.rows.now !== null) {
    lines.push(`    rows ${count(step.rows.old)} → ${count(step.rows.now)}`);
  }
  for (const { metric: name, old, now, difference } of step.metrics) {
    const by =
      difference === null ? '' : paint('dim', `  (${difference > 0 ? '+' : ''}${metric(difference)})`);
    lines.push(`    ${name} ${old === null ? '–' : metric(old)} → ${now === null ? '–' : metric(now)}${by}`);
  }
  if (step.outputs.length > 0) lines.push(paint('dim', `    outputs changed: ${step.outputs.join(', ')}`));
  return lines.map((line) => `${line}\n`).join('');
}
