import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ProblemError } from '../../engine/problems.ts';
import { diffRuns } from '../../engine/record/diff.ts';
import type { RunHead, RunRecord } from '../../engine/record/record.ts';
import { listRuns, readHead, readRun, resolveRun } from '../../engine/record/runs.ts';
import type { Cli, Command } from '../command.ts';
import { columns, count, counted, duration } from '../format.ts';
import { withProject } from '../project.ts';
import { finishedLine } from '../reporters/terminal.ts';
import { shownDiff } from '../shown-diff.ts';

const runArgument = { name: '<run>', description: 'a run id, a unique prefix of one, latest, or latest~2' };
const json = { flags: '--json', description: 'as JSON on stdout' };

const list: Command = {
  name: 'list',
  summary: 'the runs, the latest first',
  options: [
    { flags: '--workflow <name>', description: 'only runs of this workflow' },
    {
      flags: '--status <status>',
      description: 'only runs that ended so',
      choices: ['succeeded', 'failed', 'interrupted', 'running'],
    },
    { flags: '-n, --limit <n>', description: 'at most so many', atLeast: 1 },
    json,
  ],
  examples: [{ line: 'reprise runs list --status failed -n 5', does: 'the last five that failed' }],
  async run(_, options, cli) {
    return withProject(cli, cli.cwd, async ({ runsFolder }) => {
      const { runs, unreadable } = listRuns(runsFolder);
      const chosen = runs
        .filter(
          ({ summary }) => options['workflow'] === undefined || summary.workflow === options['workflow'],
        )
        .filter(({ status }) => options['status'] === undefined || status === options['status'])
        .slice(0, (options['limit'] as number | undefined) ?? runs.length);
      if (options['json']) cli.out(`${JSON.stringify({ runs: chosen, unreadable })}\n`);
      else {
        cli.out(chosen.length === 0 ? 'no runs\n' : columns(chosen.map((head) => listLine(head, cli))));
        if (unreadable.length > 0)
          cli.err(`${counted(unreadable.length, 'folder')} in runs/ without a readable run.json\n`);
      }
      return 0;
    });
  },
};

const statusStyles = { succeeded: 'green', failed: 'red', interrupted: 'yellow', running: 'cyan' } as const;

function listLine({ id, status, started, duration_ms, summary }: RunHead, cli: Cli): string[] {
  const { ran, cached, skipped, failed } = summary.steps;
  const steps = [
    [ran, 'ran'],
    [cached, 'cached'],
    [skipped, 'skipped'],
    [failed, 'failed'],
  ] as const;
  return [
    id,
    cli.paint(statusStyles[status], status),
    started.slice(0, 16).replace('T', ' '),
    duration_ms === null ? '' : duration(duration_ms),
    steps.flatMap(([n, word]) => (n > 0 ? [`${count(n)} ${word}`] : [])).join(', '),
  ];
}

const show: Command = {
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

const diff: Command = {
  name: 'diff',
  summary: 'what differs between two runs',
  description:
    'Params, workflow and code, data, environment, and per step why it ran again and what it did to outputs and metrics.',
  arguments: [
    { name: '<a>', description: 'the earlier run' },
    { name: '[b]', description: 'the later run (default: latest)' },
  ],
  options: [json],
  examples: [{ line: 'reprise runs diff latest~1 latest', does: 'the last run against the one before' }],
  async run([a, b], options, cli) {
    return withProject(cli, cli.cwd, async ({ runsFolder, workspace }) => {
      const [old, now] = [a as string, (b as string | undefined) ?? 'latest'].map((run) =>
        readRun(runsFolder, resolveRun(runsFolder, run)),
      );
      const difference = diffRuns(old!, now!, (code) => workspace.code.modulesOf(code));
      cli.out(options['json'] ? `${JSON.stringify(difference)}\n` : shownDiff(difference, cli));
      return 0;
    });
  },
};

const rm: Command = {
  name: 'rm',
  summary: 'remove runs and free what only they pinned',
  description:
    'Removes the folders of runs. What only they pinned stays in the store until `reprise cache gc` needs the room.',
  arguments: [{ name: '<run...>', description: 'run ids, prefixes, latest, latest~2' }],
  options: [json],
  examples: [{ line: 'reprise runs rm latest~3', does: 'remove one run' }],
  async run([names], options, cli) {
    return withProject(cli, cli.cwd, async ({ runsFolder }) => {
      const ids = [...new Set((names as string[]).map((name) => resolveRun(runsFolder, name)))];
      const alive = ids.find((id) => readHead(join(runsFolder, id))?.status === 'running');
      if (alive)
        throw ProblemError.of('run-is-running', `${alive} is still running`, { hint: 'stop it first' });
      for (const id of ids) {
        rmSync(join(runsFolder, id), { recursive: true });
        if (!options['json']) cli.out(`removed ${id}\n`);
      }
      if (options['json']) cli.out(`${JSON.stringify({ removed: ids })}\n`);
      cli.err('blobs that no other run needs go with `reprise cache gc`\n');
      return 0;
    });
  },
};

export const command: Command = {
  name: 'runs',
  summary: 'the history: list, show, diff, rm',
  commands: [list, show, diff, rm],
  default: 'list',
  examples: [
    { line: 'reprise runs', does: 'list the runs' },
    { line: 'reprise runs show latest', does: 'one of them' },
    { line: 'reprise runs diff latest~1', does: 'what changed since the run before' },
  ],
};
