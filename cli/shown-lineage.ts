import type { DownstreamStep } from '../engine/record/lineage/downstream.ts';
import type { OtherUse } from '../engine/record/lineage/elsewhere.ts';
import type { FollowedIds } from '../engine/record/lineage/followed.ts';
import type { Lineage, LineageNode, MissingNode } from '../engine/record/lineage/lineage.ts';
import type { Cli } from './command.ts';
import { count, counted, size } from './format.ts';

/** Other runs that are named. */
const runsShown = 5;

/** What is behind an output or a row as a tree, what was made from it, and where else its content occurs. */
export function shownLineage(
  { upstream, downstream }: Lineage,
  elsewhere: readonly OtherUse[],
  cli: Cli,
): string {
  const { paint } = cli;
  const lines = [`${paint('bold', 'made from')} ${paint('dim', `(run ${upstream.run})`)}`];
  addNode(lines, upstream, upstream.run, '', '', cli);
  lines.push('', paint('bold', 'went into'));
  if (downstream.length === 0) lines.push('  no later step of this run');
  for (const step of downstream) lines.push(...downstreamLines(step, cli));
  lines.push('', paint('bold', 'the same content in other runs'));
  if (elsewhere.length === 0) lines.push(upstream.rows === 0 ? '  it is empty: not looked for' : '  none');
  for (const { run, made, read } of elsewhere.slice(0, runsShown)) {
    const facts = [
      ...(made.length > 0 ? [`as ${made.join(', ')}`] : []),
      ...(read.length > 0 ? [`read by ${read.join(', ')}`] : []),
    ];
    lines.push(`  ${run}  ${facts.join('; ')}`);
  }
  if (elsewhere.length > runsShown) lines.push(`  and ${counted(elsewhere.length - runsShown, 'more run')}`);
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

/** A node, and below it what it was made from, drawn as a tree. */
function addNode(
  lines: string[],
  node: LineageNode | MissingNode,
  run: string,
  first: string,
  rest: string,
  cli: Cli,
): void {
  const { paint } = cli;
  const name = `${node.run === run ? '' : `run:${node.run}/`}${node.step}.${node.output}`;
  if ('missing' in node) {
    lines.push(`${first}${name}  ${paint('yellow', node.missing)}`);
    return;
  }
  const facts = [
    node.use,
    node.kind === 'files' ? 'files' : `${counted(node.rows ?? 0, 'row')}`,
    paint('dim', shortDigest(node.digest)),
  ];
  lines.push(
    `${first}${paint('bold', name)}  ${facts.join('  ')}${node.repeated ? paint('dim', '  (see above)') : ''}`,
  );
  const branches: ((first: string, rest: string) => void)[] = [];
  const leaf = (text: string) => branches.push((start) => lines.push(`${start}${text}`));
  if (node.ids) {
    const how = node.how.length > 0 ? paint('dim', `  by ${node.how.join(', ')}`) : '';
    lines.push(`${rest}  ${paint('cyan', idsText(node.ids))}${how}`);
  }
  if (node.lost) lines.push(`${rest}  ${paint('yellow', `not followed: ${node.lost}`)}`);
  for (const { path, digest, bytes } of node.repeated ? [] : node.files)
    leaf(`${path}  file  ${bytes === null ? '' : `${size(bytes)}  `}${paint('dim', shortDigest(digest))}`);
  for (const { name: model, digest } of node.repeated ? [] : node.models)
    leaf(`${model}  model  ${paint('dim', shortDigest(digest))}`);
  for (const { from } of node.inputs)
    for (const input of from) branches.push((start, below) => addNode(lines, input, run, start, below, cli));
  branches.forEach((branch, index) => {
    const last = index === branches.length - 1;
    branch(`${rest}${last ? '└─ ' : '├─ '}`, `${rest}${last ? '   ' : '│  '}`);
  });
}

function idsText({ count: total, first }: FollowedIds): string {
  const named = first.join(', ');
  return total <= first.length
    ? `${total === 1 ? 'row' : 'rows'} ${named}`
    : `${count(total)} rows: ${named} and ${count(total - first.length)} more`;
}

function downstreamLines({ step, use, direct, outputs, lost }: DownstreamStep, { paint }: Cli): string[] {
  const through = direct ? '' : paint('dim', '  through others');
  const lines = [`  ${paint('bold', step)}  ${use}${through}`];
  if (lost) lines.push(`    ${paint('yellow', `not followed: ${lost}`)}`);
  for (const { output, kind, ids } of outputs) {
    if (ids === null) {
      if (kind === 'files') lines.push(`    ${output}  files`);
    } else if (ids.count > 0) lines.push(`    ${output}  ${paint('cyan', idsText(ids))}`);
    else lines.push(`    ${paint('dim', `${output}  no row that it leads to`)}`);
  }
  return lines;
}

function shortDigest(digest: string): string {
  return digest.replace(/^(sha256:.{12}).*$/, '$1…');
}
