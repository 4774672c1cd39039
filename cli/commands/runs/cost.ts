import { join } from 'node:path';
import { type Asked, addCost } from '../../../engine/asked.ts';
import type { Answer } from '../../../engine/language-model.ts';
import { type Cost, noCost, type RunRecord } from '../../../engine/record/record.ts';
import { listRuns, readRun, resolveRun } from '../../../engine/record/runs.ts';
import { searchRuns } from '../../../engine/record/search.ts';
import { askedSoFar, type Resumed, resumedRuns } from '../../../engine/record/spent.ts';
import type { Cli, Command } from '../../command.ts';
import { columns, count, counted, usd } from '../../format.ts';
import { findArtefact } from '../../past-artefact.ts';
import { type OpenProject, withProject } from '../../project.ts';
import { searchOf } from '../../run-search.ts';
import { json, runWords } from './words.ts';

export const cost: Command = {
  name: 'cost',
  summary: 'what language models cost: by workflow, by step of a run, by row of a step',
  description: `Without a run: what the runs of each workflow cost, and all of them together. With a run: each of its steps. With a step as
well: its rows, the dearest first, each with the answers that it was made from, whichever run paid for them. \`saved\` is what
answers that were known would have cost. Of a run that was killed, what it had spent until then; a run that goes on from others
that did not succeed is added up with them.`,
  arguments: [
    { name: '[run]', description: runWords },
    { name: '[step]', description: 'step or step[axis=value]' },
  ],
  options: [
    { flags: '--workflow <name>', description: 'only runs of this workflow' },
    {
      flags: '--since <date>',
      description: 'only runs from this day or moment on, or of the last so many days: `7d`',
    },
    { flags: '--until <date>', description: 'only runs up to the end of this day, or before this moment' },
    { flags: '-n, --limit <n>', description: 'of rows, so many at most', default: '20', atLeast: 1 },
    json,
  ],
  examples: [
    { line: 'reprise runs cost --since 30d', does: 'what each workflow cost in the last 30 days' },
    { line: 'reprise runs cost latest', does: 'each step of the last run' },
    { line: 'reprise runs cost latest labels -n 5', does: 'its five dearest rows' },
  ],
  async run([run, step], options, cli) {
    return withProject(cli, cli.cwd, async (project) => {
      if (run === undefined) {
        const { runs } = searchRuns(project.runsFolder, searchOf({ ...options, limit: undefined }));
        const shown = byWorkflow(runs.map(({ summary }) => summary));
        cli.out(options['json'] ? `${JSON.stringify(shown)}\n` : workflowTable(shown, cli));
      } else if (step === undefined) {
        const { runsFolder } = project;
        const record = readRun(runsFolder, resolveRun(runsFolder, run as string));
        const shown = byStep(record, runsFolder);
        cli.out(options['json'] ? `${JSON.stringify(shown)}\n` : stepTable(shown, cli));
      } else {
        const shown = await byRow(run as string, step as string, project);
        if (options['json']) cli.out(`${JSON.stringify(shown)}\n`);
        else cli.out(rowTable(shown, Number(options['limit']), cli));
      }
      return 0;
    });
  },
};

interface WorkflowCosts {
  workflows: { workflow: string; runs: number; cost: Cost }[];
  runs: number;
  cost: Cost;
}

function byWorkflow(summaries: readonly { workflow: string; cost: Cost }[]): WorkflowCosts {
  const workflows = new Map<string, { workflow: string; runs: number; cost: Cost }>();
  for (const { workflow, cost: spent } of summaries) {
    const known = workflows.get(workflow) ?? { workflow, runs: 0, cost: noCost };
    workflows.set(workflow, { workflow, runs: known.runs + 1, cost: addCost(known.cost, spent) });
  }
  const sorted = [...workflows.values()].sort((a, b) => b.cost.usd - a.cost.usd);
  return { workflows: sorted, runs: summaries.length, cost: sumOf(summaries) };
}

interface StepCosts {
  run: string;
  steps: {
    step: string;
    status: string;
    models: string[];
    cost: Cost;
    unpriced: number;
    latency_ms: (number | null)[];
  }[];
  cost: Cost;
  /** The runs before it that did not succeed, and what they cost together with it; null if there are none. */
  resumed: Resumed | null;
}

function byStep(record: RunRecord, runsFolder: string): StepCosts {
  const { id, status: ended, finished } = record;
  const folderOf = (run: string) => join(runsFolder, run);
  // The record of a run that has not ended knows no steps.
  const known: [string, string, Asked | undefined][] =
    finished === null
      ? [...askedSoFar(folderOf(id))].map(([step, asked]) => [step, ended, asked])
      : record.steps.map(({ id: step, status, asked }) => [step, status, asked]);
  const steps = known.flatMap(([step, status, asked]) => {
    if (asked === undefined) return [];
    const { models, cost: spent } = asked;
    return {
      step,
      status,
      models: models.map((model) => model.asked),
      cost: spent,
      unpriced: models.reduce((sum, { unpriced }) => sum + unpriced, 0),
      latency_ms: models.map((model) => model.latency_ms ?? null),
    };
  });
  const resumed = resumedRuns(record, listRuns(runsFolder).runs, folderOf);
  return { run: id, steps, cost: sumOf(steps), resumed };
}

interface RowCosts {
  run: string;
  step: string;
  rows: { row: string | null; answers: number; failed: number; cost: Omit<Cost, 'saved_usd'> }[];
}

/** Of each row the answers that it was made from; of several rows that are alike, they stand with the first. */
async function byRow(run: string, address: string, project: OpenProject): Promise<RowCosts> {
  const { record, step, artefact } = findArtefact(run, `${address}.answers`, project);
  const table = project.workspace.store.open(artefact);
  if (table.kind !== 'table') throw new Error(`${step.id}.answers is no table`);
  const rows = new Map<string | null, RowCosts['rows'][number]>();
  for await (const row of table.read()) {
    const { usage, usd: price, failure } = row as unknown as Answer;
    const name = typeof row['row'] === 'string' ? row['row'] : null;
    const known = rows.get(name);
    rows.set(name, {
      row: name,
      answers: (known?.answers ?? 0) + 1,
      failed: (known?.failed ?? 0) + (failure === undefined ? 0 : 1),
      cost: {
        usd: (known?.cost.usd ?? 0) + (price ?? 0),
        input_tokens: (known?.cost.input_tokens ?? 0) + usage.input_tokens,
        output_tokens: (known?.cost.output_tokens ?? 0) + usage.output_tokens,
      },
    });
  }
  const sorted = [...rows.values()].sort((a, b) => b.cost.usd - a.cost.usd || tokensOf(b) - tokensOf(a));
  return { run: record.id, step: step.id, rows: sorted };
}

function tokensOf({ cost: spent }: RowCosts['rows'][number]): number {
  return spent.input_tokens + spent.output_tokens;
}

function sumOf(parts: readonly { cost: Cost }[]): Cost {
  return parts.reduce((sum, { cost: spent }) => addCost(sum, spent), noCost);
}

const heads = ['$', 'tokens in', 'out', 'saved'];
const cells = ({ usd: spent, input_tokens, output_tokens, saved_usd }: Cost): string[] => [
  usd(spent),
  count(input_tokens),
  count(output_tokens),
  usd(saved_usd),
];
const bold = (cli: Cli, texts: readonly string[]): string[] => texts.map((text) => cli.paint('bold', text));

function workflowTable({ workflows, runs, cost: all }: WorkflowCosts, cli: Cli): string {
  if (runs === 0) return 'no runs\n';
  return columns([
    bold(cli, ['workflow', 'runs', ...heads]),
    ...workflows.map(({ workflow, runs: own, cost: spent }) => [workflow, count(own), ...cells(spent)]),
    bold(cli, ['altogether', count(runs), ...cells(all)]),
  ]);
}

function stepTable({ run, steps, cost: all, resumed }: StepCosts, cli: Cli): string {
  if (steps.length === 0 && resumed === null) return `no step of ${run} asked a language model\n`;
  return columns([
    bold(cli, ['step', ...heads, 'models']),
    ...steps.map(({ step, status, models, cost: spent, unpriced, latency_ms: took }) => [
      step,
      ...cells(spent),
      `${models.map((model, index) => (took[index] == null ? model : `${model} (${count(took[index])} ms)`)).join(', ')}${status === 'cached' ? ' (cached)' : ''}${unpriced > 0 ? `; no price is known for ${counted(unpriced, 'answer')}` : ''}`,
    ]),
    bold(cli, ['altogether', ...cells(all), '']),
    ...(resumed === null
      ? []
      : [
          [
            `with ${counted(resumed.runs.length, 'run')} before it`,
            ...cells(resumed.cost),
            resumed.runs.join(', '),
          ],
        ]),
  ]);
}

function rowTable({ step, rows }: RowCosts, limit: number, cli: Cli): string {
  if (rows.length === 0) return `${step} was made from no answer\n`;
  const shown = rows
    .slice(0, limit)
    .map(({ row, answers, failed, cost: spent }) => [
      row ?? '(the step itself)',
      usd(spent.usd),
      count(spent.input_tokens),
      count(spent.output_tokens),
      `${counted(answers, 'answer')}${failed > 0 ? `, ${count(failed)} of them failed` : ''}`,
    ]);
  const left = rows.length - shown.length;
  const table = columns([bold(cli, ['row', '$', 'tokens in', 'out', 'answers']), ...shown]);
  return left > 0 ? `${table}and ${counted(left, 'row')} more\n` : table;
}
