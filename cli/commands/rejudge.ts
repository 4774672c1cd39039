import { hash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { isLanguageModel } from '../../engine/language-model.ts';
import { suggestion } from '../../engine/nearest.ts';
import { ProblemError } from '../../engine/problems.ts';
import type { RunRecord, StepRecord } from '../../engine/record/record.ts';
import { readRun, resolveRun } from '../../engine/record/runs.ts';
import { parseAddress } from '../../engine/workflow/address.ts';
import type { ResolvedWorkflow } from '../../engine/workflow/resolved.ts';
import { budgetOption } from '../budget-option.ts';
import type { Cli, Command } from '../command.ts';
import { findStep } from '../past-artefact.ts';
import { type OpenProject, openProject, readWorkflowFile } from '../project.ts';
import { rejudgedWorkflow } from '../rejudged-workflow.ts';
import { recordedCall } from '../restored-project.ts';
import { command as run } from './run.ts';
import { runArgument } from './runs/words.ts';

export const command: Command = {
  name: 'rejudge',
  summary: "a past run's rows before another judge; nothing is generated again",
  description:
    'Runs a judge step of a past run again with other judges, on the rows that it had, and the steps that hang on it; everything before it is taken from the run. Models are those of the workflow file of now. Compare the two with runs diff.',
  arguments: [runArgument, { name: '<step>', description: 'the step that judged' }],
  options: [
    {
      flags: '--model <alias>',
      description: "a judge, from the workflow's models (may be repeated); without it the judges of then",
      repeat: true,
    },
    { flags: '--rubric <file>', description: 'another rubric' },
    budgetOption,
    { flags: '--jobs <n>', description: 'steps at once (default: one for each core)', atLeast: 1 },
    { flags: '--json', description: 'end with one JSON document on stdout' },
  ],
  examples: [
    { line: 'reprise rejudge latest verdicts --model strict', does: 'the same rows before the judge strict' },
    { line: 'reprise rejudge latest verdicts --rubric rubrics/tone.md', does: 'by another rubric' },
  ],
  async run([name, address], { model, rubric, ...options }, cli) {
    const project = await openProject(cli);
    const { workspace, runsFolder } = project;
    const { root } = workspace;
    let path: string;
    let record: RunRecord;
    try {
      record = readRun(runsFolder, resolveRun(runsFolder, name as string));
      const step = judgeStep(record, address as string);
      const current = await currentWorkflow(record, project, cli);
      const judges = model as string[];
      const known = languageModels(current);
      const unknown = judges.find((alias) => !known.includes(alias));
      if (unknown !== undefined)
        throw ProblemError.of('unknown-model', `${current.path} has no language model "${unknown}"`, {
          hint: suggestion(unknown, known, 'it has') ?? 'name one under models',
        });
      const { text, leftOut } = await rejudgedWorkflow({
        record,
        step,
        judges: judges.length > 0 ? judges : (step.fingerprint!.parameters['judges'] as string[]),
        rubric: typeof rubric === 'string' ? relative(root, resolve(cli.cwd, rubric)) : null,
        current,
        registry: workspace.registry,
      });
      for (const { step: id, reason } of leftOut) cli.err(`${id} is not done again: ${reason}\n`);
      path = writeWorkflow(text, step, project);
    } finally {
      await workspace.close();
    }
    const code = await run.run!(
      [path],
      { ...noOptions, ...options, command: ['run', path] },
      { ...cli, cwd: root },
    );
    if (options['json'] !== true) cli.err(`compare: reprise runs diff ${record.id} latest\n`);
    return code;
  },
};

/** What the command run takes if nothing is said. */
const noOptions = { param: [], profile: [], only: [], force: [], reporter: [] };

function judgeStep(record: RunRecord, text: string): StepRecord {
  const address = parseAddress(text);
  if ('error' in address)
    throw ProblemError.of('address', address.error.message, { hint: address.error.hint });
  const step = findStep(record, address);
  if (step.use !== 'judge') {
    const judges = record.steps.filter(({ use }) => use === 'judge').map(({ id }) => id);
    throw ProblemError.of('wrong-call', `${step.id} is a step of the type ${step.use}, not a judge`, {
      hint: judges.length > 0 ? `${record.id} has: ${judges.join(', ')}` : `${record.id} has no judge`,
    });
  }
  if (step.fingerprint === null)
    throw ProblemError.of(
      'wrong-call',
      `${record.id} does not say what ${step.id} was given: ${step.reason}`,
    );
  return step;
}

/** The run's workflow as it is now. */
async function currentWorkflow(record: RunRecord, project: OpenProject, cli: Cli): Promise<ResolvedWorkflow> {
  const { params, profiles } = await recordedCall(record);
  const given = params.map((name) => {
    const value = record.params[name] ?? null;
    return `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`;
  });
  const { root } = project.workspace;
  return readWorkflowFile(join(root, record.workflow.path), given, project, { ...cli, cwd: root }, profiles);
}

function languageModels({ models }: ResolvedWorkflow): string[] {
  return Object.keys(models).filter((alias) => isLanguageModel(models[alias]!));
}

/** Writes the workflow where the project keeps what it made itself; gives its path from the root. */
function writeWorkflow(text: string, step: StepRecord, { workspace }: OpenProject): string {
  const { root, store } = workspace;
  const own = relative(root, store.folder);
  const folder = join(own.startsWith('..') || isAbsolute(own) || own === '' ? '.reprise' : own, 'rejudge');
  mkdirSync(join(root, folder), { recursive: true });
  // Two calls at once write two files, unless they ask for the same.
  const path = join(folder, `${step.base}-${hash('sha256', text, 'hex').slice(0, 12)}.yaml`);
  writeFileSync(join(root, path), text);
  return path;
}
