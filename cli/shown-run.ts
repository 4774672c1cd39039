import { type Artefact, blobsOf } from '../engine/artefacts.ts';
import type { StepBatch } from '../engine/events.ts';
import type { RunNotes } from '../engine/record/notes.ts';
import type { RunRecord, StepRecord } from '../engine/record/record.ts';
import type { Store } from '../engine/store/store.ts';
import type { Cli } from './command.ts';
import { statusStyles } from './commands/runs/words.ts';
import { columns, count, counted, duration, metric, size, usd } from './format.ts';
import { batchText, finishedLine } from './reporters/terminal.ts';

/** What stands around a record: what people added, and what is left of it. */
export interface RunSurroundings {
  notes: RunNotes;
  /** Batches of requests that had not ended when the run was last heard of them. */
  batches: readonly Pick<StepBatch, 'step' | 'batch'>[];
  store: Store;
  /** Paths as the user would type them: of the run's folder, and of its page; null without one. */
  folder: string;
  report: string | null;
}

/** A run on one page: what it was, what came of it, and how to go on from it. */
export function shownRun(record: RunRecord, around: RunSurroundings, cli: Cli): string {
  const { paint } = cli;
  const { tags, notes } = around.notes;
  const parts = [paint('bold', record.id), ...tags.map((tag) => ` ${paint('cyan', tag)}`), '\n'];
  const section = (title: string, text: string) => {
    if (text !== '') parts.push(`\n${paint('bold', title)}\n${text}`);
  };
  parts.push(columns(factsOf(record, cli).map(([name, value]) => [`  ${name}`, value])));
  section(
    'notes',
    notes.map(({ time, text }) => `  ${paint('dim', minute(time))}  ${indented(text)}\n`).join(''),
  );
  section(
    'params',
    columns(
      Object.entries(record.params).map(([name, value]) => [
        `  ${name}`,
        typeof value === 'string' ? value : JSON.stringify(value),
      ]),
    ),
  );
  section('read', columns(readOf(record)));
  section('steps', record.steps.length === 0 ? '  none\n' : stepsText(record.steps, cli));
  section(
    'batches at their provider',
    around.batches.map(({ step, batch }) => `  ${step}: ${batch.model}, ${batchText(batch)}\n`).join(''),
  );
  section('failures', record.steps.map((step) => failureText(step, cli)).join(''));
  section(
    'warnings',
    [
      ...record.warnings,
      ...record.steps.flatMap(({ id, warnings }) => warnings.map((text) => `${id}: ${text}`)),
    ]
      .map((text) => `  ${text}\n`)
      .join(''),
  );
  section('outputs', outputsText(record, around, cli));
  section('again', againText(record));
  return parts.join('');
}

function minute(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')}`;
}

function indented(text: string): string {
  return text.replaceAll('\n', `\n${' '.repeat(20)}`);
}

function factsOf(record: RunRecord, cli: Cli): [string, string][] {
  const { git, environment, workflow, summary } = record;
  const { cost } = summary;
  const facts: [string, string][] = [['workflow', `${workflow.name}  ${cli.paint('dim', workflow.path)}`]];
  if (workflow.description) facts.push(['', workflow.description]);
  facts.push(
    ['status', cli.paint(statusStyles[record.status], record.status)],
    [
      'started',
      `${record.started.slice(0, 19).replace('T', ' ')} UTC${record.duration_ms === null ? '' : `, took ${duration(record.duration_ms)}`}`,
    ],
    ['command', `reprise ${record.command.map(quoted).join(' ')}`],
    ['seed', String(record.seed)],
  );
  if (cost.input_tokens + cost.output_tokens + cost.usd + cost.saved_usd > 0) {
    const saved = cost.saved_usd > 0 ? `, ${usd(cost.saved_usd)} saved by the cache` : '';
    facts.push([
      'cost',
      `${usd(cost.usd)}, ${counted(cost.input_tokens, 'token')} in, ${count(cost.output_tokens)} out${saved}`,
    ]);
  }
  const uncommitted = git?.dirty
    ? `, with uncommitted changes${git.patch ? ` (patch of ${size(git.patch.bytes)} kept)` : ''}`
    : '';
  facts.push(
    [
      'git',
      git?.commit
        ? `${git.commit.slice(0, 12)}${git.branch ? ` on ${git.branch}` : ''}${uncommitted}`
        : 'no commit',
    ],
    [
      'machine',
      `${environment.os.type} ${environment.arch}, ${environment.cpu.model} × ${environment.cpu.count}${environment.gpus.map((gpu) => `, ${gpu}`).join('')}`,
    ],
    ['versions', `reprise ${environment.engine}, node ${environment.node}`],
  );
  return facts;
}

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function readOf({ files, models }: RunRecord): string[][] {
  return [
    ...files.map(({ path, digest, bytes, pinned }) => [
      `  ${path}`,
      size(bytes),
      `${digest.slice(0, 19)}…${pinned ? '' : ' (digest only)'}`,
    ]),
    ...models.map(({ name, asked, served, digest }) => [
      `  ${name}`,
      'model',
      digest ? `${digest.slice(0, 19)}…` : ((served.join(', ') || asked) ?? ''),
    ]),
  ];
}

function stepsText(steps: readonly StepRecord[], cli: Cli): string {
  const width = Math.min(28, Math.max(0, ...steps.map(({ id }) => id.length)));
  const room = cli.terminal.out ? cli.columns : Number.POSITIVE_INFINITY;
  return steps
    .map((step) => {
      const metrics = Object.entries(step.metrics).map(([name, value]) => `${name} ${metric(value)}`);
      const line = finishedLine({ ...step, metrics: {} }, width, cli, room);
      return `${line}\n${wrapped(metrics, room === Number.POSITIVE_INFINITY ? 100 : room)
        .map((text) => `      ${cli.paint('dim', text)}\n`)
        .join('')}`;
    })
    .join('');
}

/** Facts in lines of at most so many characters. */
function wrapped(facts: readonly string[], room: number): string[] {
  const lines: string[] = [];
  for (const fact of facts) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + fact.length + 9 <= room)
      lines[lines.length - 1] = `${last} · ${fact}`;
    else lines.push(fact);
  }
  return lines;
}

function failureText({ id, error, outputs, rows_failed }: StepRecord, cli: Cli): string {
  if (error === null)
    return rows_failed === 0
      ? ''
      : `  ${id}: ${counted(rows_failed, 'row')} failed${outputs['failed'] ? `, with reasons in ${id}.failed` : ''}\n`;
  const place = error.problem?.place;
  const where = place ? cli.paint('dim', `  ${place.file}:${place.line}:${place.column}`) : '';
  const hint = error.hint === null ? '' : `    → ${error.hint}\n`;
  return `  ${cli.paint('red', id)} ${error.code}: ${error.message}${where}\n${hint}`;
}

function outputsText(record: RunRecord, { store, folder, report }: RunSurroundings, cli: Cli): string {
  const outputs = record.steps.flatMap(({ id, outputs }) =>
    Object.entries(outputs).map(([name, artefact], index) => ({
      // The main output goes by the step's name alone, as in an address.
      address: index === 0 ? id : `${id}.${name}`,
      artefact,
    })),
  );
  if (outputs.length === 0) return '';
  const gone = new Set(
    store.check(outputs.flatMap(({ artefact }) => blobsOf(artefact))).map(({ digest }) => digest),
  );
  const lines = outputs.map(({ address, artefact }) => [
    `  ${address}`,
    shapeOf(artefact),
    cli.paint('dim', `${artefact.digest.slice(0, 19)}…`),
    blobsOf(artefact).some(({ digest }) => gone.has(digest))
      ? cli.paint('yellow', 'not in the store any more')
      : '',
  ]);
  const first = outputs.find(({ artefact }) => artefact.kind === 'table') ?? outputs[0]!;
  const hints = [
    ['  rows', `reprise show ${record.id} ${quoted(first.address)}`],
    ['  files', `${folder}/outputs`],
    ...(report === null ? [] : [['  report', report]]),
  ];
  return `${columns(lines)}\n${columns(hints)}`;
}

function shapeOf(artefact: Artefact): string {
  if (artefact.kind === 'table') return `${counted(artefact.rows, 'row')}`;
  if (artefact.kind === 'matrix') return `${count(artefact.rows)} × ${count(artefact.columns)}`;
  const [file] = artefact.files;
  return artefact.files.length === 1
    ? `${file!.name}, ${size(file!.bytes)}`
    : counted(artefact.files.length, 'file');
}

function againText(record: RunRecord): string {
  const lines = [[`  reprise reproduce ${record.id}`, 'from the record alone, and compare']];
  if (record.command[0] === 'run' && record.status === 'failed')
    lines.push([
      `  reprise retry ${record.id}`,
      'what failed and what hangs on it, with the files as they are now',
    ]);
  if (record.command[0] === 'run')
    lines.push([`  reprise ${record.command.map(quoted).join(' ')}`, 'with the files as they are now']);
  return columns(lines);
}
