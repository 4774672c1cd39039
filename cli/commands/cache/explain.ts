import type { Row, TableArtefact } from '../../../engine/artefacts.ts';
import { withNeeds } from '../../../engine/execute/order.ts';
import { explainStep, type StepExplanation } from '../../../engine/explain.ts';
import type { RowExplanation } from '../../../engine/explain-row.ts';
import { ProblemError } from '../../../engine/problems.ts';
import { listRuns, readRun } from '../../../engine/record/runs.ts';
import type { ResolvedWorkflow } from '../../../engine/workflow/resolved.ts';
import type { Cli, Command } from '../../command.ts';
import { columns, duration } from '../../format.ts';
import { paramOption } from '../../param-option.ts';
import { pastProducts } from '../../past-runs.ts';
import { profileOption } from '../../profile-option.ts';
import { folderOf, type OpenProject, readWorkflowFile, withProject } from '../../project.ts';
import { findSteps } from '../../step-choice.ts';
import { json } from '../runs/words.ts';

export const explain: Command = {
  name: 'explain',
  summary: 'why a step, or one row of it, hits or misses the cache',
  description:
    'Compares what the result of a step is filed under, part by part, with its last result, and says what differs. With the id of a row, looks its value up in the row cache. Nothing is run.',
  arguments: [
    { name: '<file>', description: 'the workflow' },
    { name: '<step>', description: 'a step of it' },
    { name: '[row]', description: "the id of a row of the step's input" },
  ],
  options: [paramOption, profileOption, json],
  examples: [
    { line: 'reprise cache explain pipeline.yaml topics', does: 'why would it run?' },
    { line: 'reprise cache explain pipeline.yaml vectors q17', does: 'is the value of row q17 there?' },
  ],
  async run([file, name, row], options, cli) {
    return withProject(cli, folderOf(file as string, cli), async (project) => {
      const { workspace } = project;
      const workflow = await readWorkflowFile(
        file as string,
        options['param'] as string[],
        project,
        cli,
        options['profile'] as string[],
      );
      const ids = [...findSteps(workflow, [name as string], 'step')];
      if (ids.length > 1)
        throw ProblemError.of('ambiguous-step', `${name as string} is ${ids.length} steps`, {
          hint: `name one of them: ${ids.slice(0, 3).join(', ')}`,
        });
      const [step] = ids as [string];
      const { looked, ...found } = await explainStep({
        workflow,
        workspace,
        step,
        only: withNeeds(workflow.steps, new Set([step])),
        productsOfRun: pastProducts(project),
      });
      let rowFound: RowExplanation | null = null;
      if (row !== undefined) {
        if (looked === null)
          throw ProblemError.of(
            'input-not-known',
            `what ${step} reads is not known yet: it ${found.reason}`,
            {
              hint: 'run the workflow first',
            },
          );
        const { explainRow } = await import('../../../engine/explain-row.ts');
        rowFound = await explainRow({
          looked,
          row: row as string,
          workflow,
          workspace,
          signal: cli.signal,
          earlier: () => earlierRow(step, row as string, workflow, project),
        });
      }
      if (options['json']) cli.out(`${JSON.stringify({ ...found, row: rowFound })}\n`);
      else cli.out(rowFound ? rowText(step, rowFound, cli) : stepText(found, cli));
      return 0;
    });
  },
};

/** The row with an id as the latest run of the workflow read it, of those whose blobs are still there. */
async function earlierRow(
  id: string,
  row: string,
  workflow: ResolvedWorkflow,
  { runsFolder, workspace }: OpenProject,
): Promise<Row | undefined> {
  const binding = Object.values(workflow.steps.find((step) => step.id === id)!.inputs)[0];
  const part = binding?.parts[0];
  if (!binding || !part || binding.run !== null) return undefined;
  const runs = listRuns(runsFolder).runs.filter(({ summary }) => summary.path === workflow.path);
  for (const { id: run } of runs.slice(0, 20)) {
    const record = readRun(runsFolder, run).steps.find((step) => step.id === part.step);
    const table = record?.outputs[binding.output] as TableArtefact | undefined;
    if (
      table?.kind !== 'table' ||
      workspace.store.check([{ digest: table.blob, bytes: table.bytes }]).length > 0
    )
      continue;
    for await (const found of workspace.store.readTable(table).read()) if (found.id === row) return found;
  }
  return undefined;
}

function stepText({ step, use, state, reason, key, last, parts }: StepExplanation, cli: Cli): string {
  const word = cli.paint(state === 'hit' ? 'green' : 'yellow', state);
  const lines = [`${step} (${use}): ${word}, ${reason}`];
  if (key) lines.push(`filed under  ${key}`);
  if (last) {
    const by = last.made_by ? ` by ${last.made_by.step} of ${last.made_by.workflow}` : '';
    lines.push(
      `last result  ${last.created.slice(0, 19).replace('T', ' ')}${by}, ${duration(last.duration_ms)}`,
    );
  }
  if (parts.length === 0) return `${lines.join('\n')}\n`;
  const rows = parts.map(({ part, changes }) => [
    `  ${part}`,
    changes.length === 0 ? cli.paint('dim', 'same') : cli.paint('yellow', changes.join(', ')),
  ]);
  return `${lines.join('\n')}\n${columns(rows)}`;
}

function rowText(
  step: string,
  { row, state, reason, fields, last_used: used }: RowExplanation,
  cli: Cli,
): string {
  const word = cli.paint(state === 'hit' ? 'green' : 'yellow', state);
  const rows = Object.entries(fields).map(([name, value]) => [`  ${name}`, shorten(JSON.stringify(value))]);
  const when = used ? `, used ${used.slice(0, 16).replace('T', ' ')}` : '';
  return `row ${row} of ${step}: ${word}, ${reason}${when}\n${columns(rows)}`;
}

function shorten(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 97)}…`;
}
