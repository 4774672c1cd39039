import type { OutputComparison, Sameness } from '../engine/reproduce/compare.ts';
import type { Drift } from '../engine/reproduce/drift.ts';
import type { EnvironmentDifference } from '../engine/reproduce/environment.ts';
import type { Ready, Reproduction } from '../engine/reproduce/reproduce.ts';
import type { StepVerdict } from '../engine/reproduce/verdict.ts';
import type { Cli, Style } from './command.ts';
import { columns, count, counted, duration, metric, truncate } from './format.ts';
import { shownOutput } from './shown-output-diff.ts';

const words: Readonly<Record<Sameness, string>> = {
  identical: 'identical',
  within_tolerance: 'within tolerance',
  different: 'different',
  not_comparable: 'not comparable',
};

const styles: Readonly<Record<Sameness, Style>> = {
  identical: 'green',
  within_tolerance: 'green',
  different: 'red',
  not_comparable: 'yellow',
};

/** What is known before anything runs: what was restored, and what around the run is not as it was. */
export function shownReady({ restored, environment }: Ready, cli: Cli): string {
  const { commit, patch, files, notes } = restored;
  const parts = [
    ...(commit === null
      ? []
      : [`commit ${commit.slice(0, 12)}${patch === 'applied' ? ' with its patch' : ''}`]),
    ...(files > 0 || commit === null
      ? [counted(files, 'file') + (commit === null ? ' from the record' : ' that the commit does not have')]
      : []),
  ];
  return [
    `restored ${parts.join(', ')}\n`,
    ...notes.map((note) => `${cli.paint('yellow', 'note')} ${note}\n`),
    environment.length === 0 ? 'environment as recorded\n' : environmentTable(environment, cli),
  ].join('');
}

function environmentTable(environment: readonly EnvironmentDifference[], { paint }: Cli): string {
  const value = (text: string | null) => (text === null ? 'none' : text.replace(/^(sha256:.{8}).*/, '$1…'));
  return `${paint('bold', 'environment: recorded → now')}\n${columns(
    environment.map(({ what, recorded, now, steps }) => [
      `  ${what}`,
      `${value(recorded)} → ${value(now)}`,
      steps === null ? '' : paint('dim', steps.length > 3 ? counted(steps.length, 'step') : steps.join(', ')),
    ]),
  )}`;
}

/** The verdict for people: a line for each step, what differs, the score. */
export function shownReproduction(reproduction: Reproduction, cli: Cli): string {
  const { steps, verdict, score, first_difference: first } = reproduction;
  const lines: string[] = [];
  const width = Math.max(0, ...steps.map(({ id }) => id.length));
  for (const step of steps) lines.push(...stepLines(step, Math.min(width, 28), cli));
  const same = [
    `${count(score.steps.same)} of ${counted(score.steps.of, 'step')}`,
    ...(score.rows.of > 0 ? [`${count(score.rows.same)} of ${counted(score.rows.of, 'row')}`] : []),
  ].join(', ');
  const head = cli.paint(styles[verdict], words[verdict]);
  lines.push(`${head}: ${same} came out the same · ${duration(reproduction.duration_ms)}`);
  if (first) {
    lines.push(`the first step that differs is ${cli.paint('bold', first.step)}`);
    for (const cause of first.causes) lines.push(`  because ${cause}`);
  }
  const others = score.lowered.slice(1);
  if (others.length > 0) {
    lines.push('after it');
    for (const { step, why } of others.slice(0, 10)) lines.push(`  ${step}: ${truncate(why, 120)}`);
    if (others.length > 10) lines.push(`  and ${others.length - 10} more`);
  }
  if (reproduction.drift?.length) lines.push(...driftLines(reproduction.drift, cli));
  if (reproduction.interrupted) lines.push('interrupted: what was not done is not comparable');
  return `${lines.join('\n')}\n`;
}

/** How far answers drifted, a line for each step that asked. */
function driftLines(drift: readonly Drift[], cli: Cli): string[] {
  const width = Math.max(...drift.map(({ step }) => step.length));
  const percent = (share: number) => `${Number((100 * share).toPrecision(3))} %`;
  return [
    cli.paint('bold', 'answers, asked again'),
    ...drift.flatMap(({ step, answers, agreement, similarity, scores }) => {
      const facts = [
        `${count(answers.compared)} of ${counted(answers.recorded, 'answer')} compared`,
        ...(agreement === null ? [] : [`${percent(agreement)} the same`]),
        ...(similarity === null
          ? []
          : [`similarity ${metric(similarity.mean)} (least ${metric(similarity.least)})`]),
      ];
      return [
        `  ${step.padEnd(width)}  ${facts.join(', ')}`,
        ...scores.flatMap(({ field, recorded_mean: was, mean, mean_abs_difference: apart }) =>
          apart === 0
            ? []
            : [`    ${field} ${metric(was)} → ${metric(mean)} on average, ${metric(apart)} apart`],
        ),
      ];
    }),
  ];
}

function stepLines(
  { id, verdict, detail, outputs, metrics }: StepVerdict,
  width: number,
  cli: Cli,
): string[] {
  const main = outputs[0];
  const facts =
    detail ??
    (verdict === 'identical'
      ? main?.rows
        ? counted(main.rows.of, 'row')
        : ''
      : outputs.flatMap((output) => (output.verdict === 'identical' ? [] : [outputFact(output)])).join('; '));
  const mark = cli.paint(styles[verdict], words[verdict].padEnd(16));
  const lines = [`  ${mark}  ${id.padEnd(width)}  ${facts}`.trimEnd()];
  if (verdict !== 'different') return lines;
  for (const { output, difference } of outputs) {
    if (difference === null) continue;
    const kind = difference.kind === 'unavailable' ? 'files' : difference.kind;
    lines.push(...shownOutput({ name: output, change: 'changed', kind, difference }, cli));
  }
  for (const { metric: name, verdict: said, recorded, now } of metrics) {
    if (said !== 'different') continue;
    const shown = (value: typeof now) => (value === null ? 'none' : metric(value));
    lines.push(`    metric ${name} ${shown(recorded)} → ${shown(now)}`);
  }
  return lines;
}

function outputFact({ output, verdict, rows, recorded, now, largest }: OutputComparison): string {
  if (recorded === null) return `${output} is new`;
  if (now === null) return `${output} is gone`;
  const apart = largest === null ? '' : ` (up to ${Number(largest.toPrecision(2))} apart)`;
  if (rows === null) return `${output} ${words[verdict]}`;
  const number = verdict === 'different' ? rows.of - rows.same - rows.within : rows.within;
  return `${output}: ${count(number)} of ${counted(rows.of, 'row')} ${words[verdict]}${apart}`;
}
