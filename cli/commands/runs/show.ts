import type { RunRecord } from '../../../engine/record/record.ts';
import { readRun, resolveRun } from '../../../engine/record/runs.ts';
import type { Cli, Command } from '../../command.ts';
import { columns, duration } from '../../format.ts';
import { withProject } from '../../project.ts';
import { finishedLine } from '../../reporters/terminal.ts';
import { json, runArgument, statusStyles } from './words.ts';

export const show: Command = {
  name: 'show',
  summary: 'one run: what it was made of and what came of it',
  arguments: [runArgument],
  options: [json],
  examples: [{ line: 'reprise runs show latest', does: 'the last run' }],
  async run([run], options, cli) {
    return withProject(cli, cli.cwd, async ({ runsFolder }) => {
      const record = readRun(runsFolder, resolveRun(runsFolder, run as string));
      cli.out(options['json'] ? `${JSON.stringify(record)}\n` : shownRun(record, cli));
      return 0;
    });
  },
};

function shownRun(record: RunRecord, cli: Cli): string {
  const { git, environment, workflow } = record;
  const title = (text: string) => `\n${cli.paint('bold', text)}\n`;
  const facts: string[][] = [
    ['workflow', `${workflow.name}  ${cli.paint('dim', workflow.path)}`],
    ['status', cli.paint(statusStyles[record.status], record.status)],
    [
      'started',
      `${record.started}${record.duration_ms === null ? '' : `, took ${duration(record.duration_ms)}`}`,
    ],
    ['command', `reprise ${record.command.join(' ')}`],
    ['seed', String(record.seed)],
    [
      'git',
      git?.commit
        ? `${git.commit.slice(0, 12)}${git.branch ? ` on ${git.branch}` : ''}${git.dirty ? ', with uncommitted changes (patch kept)' : ''}`
        : 'no commit',
    ],
    [
      'machine',
      `${environment.os.type} ${environment.arch}, ${environment.cpu.model} × ${environment.cpu.count}`,
    ],
    ['versions', `reprise ${environment.engine}, node ${environment.node}`],
  ];
  for (const [name, value] of Object.entries(record.params))
    facts.push([`params.${name}`, typeof value === 'string' ? value : JSON.stringify(value)]);
  for (const { name, digest } of record.models) facts.push([`model ${name}`, digest ?? '']);
  for (const { path, digest, pinned } of record.files)
    facts.push([path, `${digest.slice(0, 19)}…${pinned ? '' : ' (digest only)'}`]);
  const width = Math.max(0, ...record.steps.map(({ id }) => id.length));
  const columnsOut = cli.terminal.out ? cli.columns : Number.POSITIVE_INFINITY;
  const lines = record.steps.map((step) => finishedLine(step, Math.min(28, width), cli, columnsOut));
  const outputs = record.steps.flatMap(({ id, outputs }) =>
    Object.entries(outputs).map(([name, { kind, digest }]) => [
      `  ${id}.${name}`,
      kind,
      cli.paint('dim', `${digest.slice(0, 19)}…`),
    ]),
  );
  const warnings = [
    ...record.warnings,
    ...record.steps.flatMap(({ id, warnings }) => warnings.map((text) => `${id}: ${text}`)),
  ];
  return [
    cli.paint('bold', record.id),
    '\n',
    columns(facts.map(([name, value]) => [`  ${name}`, value!])),
    title('steps'),
    lines.length > 0 ? `${lines.join('\n')}\n` : '  none\n',
    title('outputs'),
    columns(outputs),
    warnings.length > 0 ? `${title('warnings')}${warnings.map((text) => `  ${text}\n`).join('')}` : '',
  ].join('');
}
