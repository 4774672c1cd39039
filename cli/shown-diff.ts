import { type JsonDifference, shownChange } from '../engine/fingerprint/json-difference.ts';
import type { Json } from '../engine/json.ts';
import type { RunDiff } from '../engine/record/diff.ts';
import type { DiffLine } from '../engine/record/text-diff.ts';
import type { Cli } from './command.ts';
import { columns, count, counted, duration, metric, size, usd } from './format.ts';
import { shownOutput } from './shown-output-diff.ts';

/** Lines of one file that are shown; `--json` has all of them. */
const linesShown = 40;
/** Steps of which the time is shown: those that it differs most in. */
const timesShown = 8;

/** The difference of two runs for people: what was changed first, then what it did. Parts without a change are left out. */
export function shownDiff(diff: RunDiff, cli: Cli): string {
  const { paint } = cli;
  const parts: string[] = [`${paint('bold', diff.runs.old)} → ${paint('bold', diff.runs.now)}\n`];
  const section = (title: string, text: string) => {
    if (text !== '') parts.push(`\n${paint('bold', title)}\n${text}`);
  };
  const pairs = (list: JsonDifference[]) =>
    columns(list.map(({ path, old, now }) => [`  ${path}`, changeText(old, now)]));
  const { status } = diff;
  section('status', status.old === status.now ? '' : `  ${status.old} → ${status.now}\n`);
  section('params', pairs(diff.params));
  if (diff.seed) section('seed', `  ${diff.seed.old} → ${diff.seed.now}\n`);
  section(
    'workflow and code',
    diff.sources
      .map((source) => `  ${source.path} ${source.change}\n${linesText(source.lines, cli)}`)
      .join(''),
  );
  section(
    'data',
    columns(
      diff.files.map(({ path, change, old, now }) => [
        `  ${path}`,
        change,
        [old, now]
          .flatMap((file) => (file ? [`${size(file.bytes)} ${shortDigest(file.digest)}`] : []))
          .join(' → '),
      ]),
    ),
  );
  section('git', pairs(diff.git));
  section('uncommitted changes', patchText(diff, cli));
  section('environment', pairs(diff.environment));
  section('models', pairs(diff.models));
  section('steps', diff.steps.map((step) => stepText(step, cli)).join(''));
  section('cost', costText(diff.cost));
  section('time', timesText(diff));
  const { old, now } = diff.duration_ms;
  parts.push(`\n${counted(diff.unchanged, 'step')} the same`);
  if (old !== null && now !== null) parts.push(` · ${duration(old)} → ${duration(now)}`);
  return `${parts.join('')}\n`;
}

function shortDigest(digest: string): string {
  return digest.replace(/^sha256:(.{8}).*$/, '$1…');
}

/** A change in a word or two: digests by their first digits, and no more than `added` of what has many members. */
function changeText(old: Json | undefined, now: Json | undefined): string {
  const isWhole = (value: Json | undefined) => typeof value === 'object' && value !== null;
  if (old === undefined && isWhole(now)) return 'added';
  if (now === undefined && isWhole(old)) return 'removed';
  const shortened = (value: Json | undefined) => (typeof value === 'string' ? shortDigest(value) : value);
  return shownChange(shortened(old), shortened(now));
}

/** Changed lines with their numbers; `⋯` where lines are left out between two changes. */
function linesText(lines: readonly DiffLine[], { paint }: Cli): string {
  const width = String(Math.max(0, ...lines.map(({ old, now }) => now ?? old ?? 0))).length;
  const shown: string[] = [];
  let last: DiffLine | undefined;
  for (const line of lines.slice(0, linesShown)) {
    const { kind, text, old, now } = line;
    if (kind === 'same' && last?.kind === 'same' && last.now! + 1 !== now)
      shown.push(paint('dim', `    ${' '.repeat(width)} ⋯`));
    last = line;
    const number = String(now ?? old).padStart(width);
    if (kind === 'same') shown.push(paint('dim', `    ${number}   ${text}`.trimEnd()));
    else if (kind === 'added') shown.push(paint('green', `    ${number} + ${text}`));
    else shown.push(paint('red', `    ${number} - ${text}`));
  }
  if (lines.length > linesShown)
    shown.push(paint('dim', `    and ${counted(lines.length - linesShown, 'more line')}`));
  return shown.map((line) => `${line}\n`).join('');
}

/**
 * Sources are shown with all that changed in them, and of data the rows: their part of a patch would say it again. A patch names
 * files from the top of the repository, which may be above the project.
 */
function patchText({ patch, sources, files }: RunDiff, cli: Cli): string {
  if (patch === null) return '';
  if (patch.unavailable !== null) return `  ${patch.unavailable}\n`;
  const words = {
    added: 'in the later run only',
    removed: 'in the earlier run only',
    changed: 'in both, not the same',
  };
  return patch.files
    .filter(({ path }) => ![...sources, ...files].some((shown) => `/${path}`.endsWith(`/${shown.path}`)))
    .map(({ path, change, lines }) => {
      const shown =
        change === 'changed'
          ? linesText(lines, cli)
          : hunkText(
              lines.map(({ text }) => text),
              cli,
            );
      return `  ${path}: ${words[change]}\n${shown}`;
    })
    .join('');
}

/** A patch as git prints it. */
function hunkText(lines: readonly string[], { paint }: Cli): string {
  const shown = lines.slice(0, linesShown).map((line) => {
    const style = line.startsWith('+') ? 'green' : line.startsWith('-') ? 'red' : 'dim';
    return paint(style, `    ${line}`);
  });
  if (lines.length > linesShown)
    shown.push(paint('dim', `    and ${counted(lines.length - linesShown, 'more line')}`));
  return shown.map((line) => `${line}\n`).join('');
}

function stepText(step: RunDiff['steps'][number], cli: Cli): string {
  const { paint } = cli;
  if (step.change !== 'changed') {
    const rows = step.rows.now ?? step.rows.old;
    return `  ${step.id} ${step.change}${rows === null ? '' : paint('dim', `  ${counted(rows, 'row')}`)}\n`;
  }
  const lines = [`  ${step.id}  ${paint('dim', step.reasons.join(', '))}`.trimEnd()];
  if (step.status.old !== step.status.now) lines.push(`    ${step.status.old} → ${step.status.now}`);
  if (step.rows.old !== step.rows.now && step.rows.old !== null && step.rows.now !== null) {
    lines.push(`    rows ${count(step.rows.old)} → ${count(step.rows.now)}`);
  }
  for (const { metric: name, old, now, difference } of step.metrics) {
    // Many types count their rows as a metric, too.
    if (name === 'rows' && old === step.rows.old && now === step.rows.now) continue;
    const by = difference === null ? '' : paint('dim', `  (${signed(difference, metric)})`);
    lines.push(`    ${name} ${old === null ? '–' : metric(old)} → ${now === null ? '–' : metric(now)}${by}`);
  }
  for (const output of step.outputs) lines.push(...shownOutput(output, cli));
  return lines.map((line) => `${line}\n`).join('');
}

function signed(value: number, shown: (value: number) => string): string {
  return value < 0 ? `-${shown(-value)}` : `+${shown(value)}`;
}

function costText({ old, now }: RunDiff['cost']): string {
  if (old === null || now === null) return '';
  const lines: string[][] = [];
  const add = (name: string, before: number, after: number, shown: (value: number) => string) => {
    if (before !== after)
      lines.push([`  ${name}`, `${shown(before)} → ${shown(after)}`, `(${signed(after - before, shown)})`]);
  };
  add('paid', old.usd, now.usd, usd);
  add('saved by the cache', old.saved_usd, now.saved_usd, usd);
  add('input tokens', old.input_tokens, now.input_tokens, count);
  add('output tokens', old.output_tokens, now.output_tokens, count);
  return columns(lines);
}

function timesText({ times }: RunDiff): string {
  const shown = (side: RunDiff['times'][number]['now']) =>
    side === null
      ? '–'
      : side.status === 'ran' || side.status === 'failed'
        ? duration(side.duration_ms)
        : side.status;
  const spent = (side: RunDiff['times'][number]['now']) => side?.duration_ms ?? 0;
  const change = ({ old, now }: RunDiff['times'][number]) => Math.abs(spent(now) - spent(old));
  // What takes a hundredth of a second more or less says nothing.
  const telling = times.filter((step) => change(step) >= 10 && shown(step.old) !== shown(step.now));
  const most = new Set([...telling].sort((a, b) => change(b) - change(a)).slice(0, timesShown));
  return columns(
    telling
      .filter((step) => most.has(step))
      .map((step) => [`  ${step.id}`, `${shown(step.old)} → ${shown(step.now)}`]),
  );
}
