import { shownChange } from '../engine/fingerprint/json-difference.ts';
import type { TableDiff } from '../engine/record/compare/table-diff.ts';
import type { OutputChange } from '../engine/record/diff.ts';
import type { Cli } from './command.ts';
import { count, counted, metric, size, truncate } from './format.ts';

/** Names of files and fields that are shown of each kind. */
const namesShown = 5;

/** What differs in an output of a step, in lines for people. */
export function shownOutput(
  { name, change, kind, difference }: Pick<OutputChange, 'name' | 'change' | 'kind' | 'difference'>,
  cli: Cli,
): string[] {
  if (change !== 'changed') return [`    ${name} (${kind}) ${change}`];
  if (difference === null) return [`    ${name} changed`];
  switch (difference.kind) {
    case 'unavailable':
      return [`    ${name} changed: ${difference.reason}`];
    case 'table':
      return tableLines(name, difference, cli);
    case 'matrix': {
      const { added, removed, changed, same, cosine, max_abs_difference: largest } = difference;
      const facts = [
        ...counts({ added, removed, changed, same }),
        ...(changed > 0 && largest !== null ? [`max |Δ| ${Number(largest.toPrecision(3))}`] : []),
        ...(changed > 0 && cosine
          ? [
              `cosine ${metric(Number(cosine.mean.toFixed(6)))} on average, ${metric(Number(cosine.min.toFixed(6)))} at least`,
            ]
          : []),
      ];
      return [`    ${name}: ${facts.join(', ')}`];
    }
    case 'files': {
      const { added, removed, changed } = difference;
      return [
        ...some(
          changed,
          (file) => `    ${file.name} changed  ${size(file.bytes.old)} → ${size(file.bytes.now)}`,
        ),
        ...some(added, (file) => `    ${cli.paint('green', `+ ${file.name}`)}  ${size(file.bytes)}`),
        ...some(removed, (file) => `    ${cli.paint('red', `- ${file.name}`)}  ${size(file.bytes)}`),
      ];
    }
  }
}

/** Cells of an example row: those of the terminal, else enough to tell what it is. */
function exampleWidth(cli: Cli): number {
  return cli.terminal.out ? Math.max(40, cli.columns - 7) : 150;
}

function some<T>(items: readonly T[], shown: (item: T) => string): string[] {
  const lines = items.slice(0, namesShown).map(shown);
  return items.length > namesShown ? [...lines, `    and ${count(items.length - namesShown)} more`] : lines;
}

function counts(numbers: { added: number; removed: number; changed: number; same: number }): string[] {
  const told = Object.entries(numbers).filter(([, number]) => number > 0);
  const [first, ...rest] = told.map(([word, number], index) =>
    index === 0 ? `${counted(number, 'row')} ${word}` : `${count(number)} ${word}`,
  );
  return first === undefined ? ['no rows'] : [first, ...rest];
}

function tableLines(name: string, difference: TableDiff, cli: Cli): string[] {
  const { paint } = cli;
  const width = exampleWidth(cli);
  const { added, removed, changed, same, reordered, fields, examples } = difference;
  const onlyOrder = reordered && added + removed + changed === 0;
  const order = onlyOrder ? ', in another order' : reordered ? ', reordered' : '';
  const lines = [`    ${name}: ${counts({ added, removed, changed, same }).join(', ')}${order}`];
  const named = (list: string[]) =>
    list.length > namesShown
      ? `${list.slice(0, namesShown).join(', ')} and ${list.length - namesShown} more`
      : list.join(', ');
  if (fields.added.length > 0) lines.push(`      new fields: ${named(fields.added)}`);
  if (fields.removed.length > 0) lines.push(`      fields gone: ${named(fields.removed)}`);
  if (fields.changed.length > 0) {
    const told = fields.changed.map(({ field, rows }) => `${field ?? 'other fields'} in ${count(rows)}`);
    lines.push(`      changed: ${named(told)}`);
  }
  for (const { id, fields: pairs } of examples.changed) {
    const told = pairs.map(({ field, old, now }) => `${field} ${shownChange(old, now)}`);
    lines.push(`      ${truncate(`~ ${id}: ${told.join(', ')}`, width)}`);
  }
  for (const row of examples.added)
    lines.push(`      ${paint('green', truncate(`+ ${rowText(row)}`, width))}`);
  for (const row of examples.removed)
    lines.push(`      ${paint('red', truncate(`- ${rowText(row)}`, width))}`);
  return lines;
}

function rowText({ id, ...fields }: { id: string; [field: string]: unknown }): string {
  const told = Object.entries(fields).map(
    ([field, value]) => `${field} ${truncate(JSON.stringify(value), 50)}`,
  );
  return told.length === 0 ? id : `${id}: ${told.join(', ')}`;
}
