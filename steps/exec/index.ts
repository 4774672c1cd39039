import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Metrics } from '../../engine/artefacts.ts';
import { compileCel } from '../../engine/cel.ts';
import type { Json } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import {
  anyInputs,
  defineStep,
  type FilesOutput,
  type MatrixOutput,
  type StepContext,
  type StepInput,
  type TableInput,
  type TableOutput,
} from '../../engine/step.ts';
import { copyDeps, writeInput } from './inputs.ts';
import { launch } from './launcher.ts';
import { outputPathFlaw, readFiles, readMatrix, requireOutput, specOf } from './outputs.ts';
import type { ProgramEnd } from './program.ts';

/** Variables of the surroundings without which few programs run. They do not count in the fingerprint. */
const inherited = [
  'PATH',
  'HOME',
  'LANG',
  'SystemRoot',
  'SYSTEMROOT',
  'PATHEXT',
  'ComSpec',
  'TEMP',
  'TMP',
  'USERPROFILE',
];

export default defineStep({
  type: 'exec',
  summary: 'Runs any program',
  description: `The program starts in an empty folder in which only the files of \`deps\` are, as copies at their places. It finds

- \`$REPRISE_INPUT_<NAME>\`: the path of each input (\`$REPRISE_INPUT\` too if there is one only): JSON Lines for a table,
  \`.npy\` (float32) for a matrix, a folder for files
- \`$REPRISE_OUTPUT_<NAME>\`: the path at which each output is expected; the same as the file that \`outputs\` names, for
  programs that change their folder
- \`$REPRISE_PARAMS\`: a JSON file with the workflow's params, or what \`params\` makes of them
- \`$REPRISE_METRICS\`: a file that it may write its metrics to, as one JSON object of numbers and texts
- the variables that \`env\` declares, and of the surroundings only PATH, HOME and LANG.

It succeeds with exit code 0 and all declared outputs written. What it prints is the step's log. When the run is interrupted or the step's
\`timeout\` is over, the program and all that it started get SIGTERM, and SIGKILL after 0.8 s.

Outputs are told by their extension: \`.jsonl\`, \`.ndjson\`, \`.csv\`, \`.tsv\` are tables, \`.npy\` matrices, anything else
(also a folder) files. A row keeps its \`id\`; without one it gets a hash of its \`text\`, or of the whole row, and a count for
repeats. A matrix belongs to the first table of its length, of the outputs, then of the inputs; without one its rows are numbered.`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    required: ['run'],
    properties: {
      run: {
        type: ['array', 'string'],
        items: { type: 'string' },
        minItems: 1,
        minLength: 1,
        description: 'The program and its arguments as a list, or one line for the shell.',
      },
      deps: {
        type: 'array',
        items: { type: 'string', minLength: 1, 'x-reprise': 'input-path' },
        default: [],
        description:
          'Files of the project (or globs) that the program needs; their content counts in the fingerprint.',
      },
      outputs: {
        type: 'object',
        propertyNames: { pattern: '^[a-z][a-z0-9_]*$' },
        additionalProperties: { type: 'string', minLength: 1 },
        default: {},
        description:
          'Files that the program writes, by output name, relative to the folder in which it starts.',
      },
      params: {
        type: 'string',
        default: 'params',
        'x-reprise': 'cel',
        description:
          'What the program finds in $REPRISE_PARAMS, such as `{"k": params.topics}`: the step runs again when that changes.',
      },
    },
  },
  inputs: anyInputs,
  outputs: {},
  outputsOf: ({ outputs }) =>
    Object.fromEntries(Object.entries(outputs).map(([name, file]) => [name, specOf(file)])),
  example: `cleaned:
  use: exec
  from: queries
  with:
    run: [python3, clean.py]      # reads $REPRISE_INPUT_QUERIES, writes cleaned.jsonl
    deps: [clean.py]
    outputs: { rows: cleaned.jsonl }`,
  check({ outputs, deps }) {
    const problems: { parameter: string; message: string }[] = [];
    const files = new Map<string, string>();
    for (const [name, file] of Object.entries(outputs)) {
      const flaw = outputPathFlaw(file);
      if (flaw) problems.push({ parameter: `outputs.${name}`, message: `outputs.${name}: ${file} ${flaw}` });
      const twin = files.get(file);
      if (twin)
        problems.push({
          parameter: `outputs.${name}`,
          message: `outputs.${name} is ${file}, and so is outputs.${twin}`,
        });
      files.set(file, name);
    }
    deps.forEach((dep, index) => {
      if (dep.split('/')[0] === '..')
        problems.push({
          parameter: `deps.${index}`,
          message: `deps.${index}: ${dep} is outside of the project; copy it into the project`,
        });
    });
    return problems;
  },

  async run({ parameters, inputs, outputs, context }) {
    const { run, deps } = parameters;
    const scratch = await context.scratch();
    const folder = join(scratch, 'work');
    const inputFolder = join(scratch, 'inputs');
    mkdirSync(folder);
    mkdirSync(inputFolder);

    const env: Record<string, string> = {};
    for (const name of inherited) if (process.env[name] !== undefined) env[name] = process.env[name];
    Object.assign(env, context.env);
    const tables: TableInput[] = [];
    for (const [name, input] of Object.entries(inputs)) {
      const artefact = input.outputs[input.output];
      if (!artefact) throw noOutput(name, input);
      if (artefact.kind === 'table') tables.push(artefact);
      env[`REPRISE_INPUT_${name.toUpperCase()}`] = await writeInput(artefact, inputFolder, name);
      if (Object.keys(inputs).length === 1)
        env['REPRISE_INPUT'] = env[`REPRISE_INPUT_${name.toUpperCase()}`]!;
    }
    if (deps.length > 0) await copyDeps(deps, folder, context);
    for (const [name, file] of Object.entries(parameters.outputs)) {
      const path = join(folder, file);
      env[`REPRISE_OUTPUT_${name.toUpperCase()}`] = path;
      if (file.includes('/')) mkdirSync(dirname(path), { recursive: true });
    }
    env['REPRISE_PARAMS'] = join(scratch, 'params.json');
    writeFileSync(env['REPRISE_PARAMS'], JSON.stringify(await paramsFor(parameters.params, context)));
    env['REPRISE_METRICS'] = join(scratch, 'metrics.json');

    let end: ProgramEnd;
    try {
      const onLines = (lines: string[]) => {
        for (const line of lines) context.log(line);
      };
      end = await launch({ run, cwd: folder, env, signal: context.signal, onLines });
    } catch (error) {
      context.signal.throwIfAborted();
      throw cannotStart(run, error as NodeJS.ErrnoException);
    }
    if (end.code !== 0) throw failed(run, end, deps, context.root);

    const files = Object.entries(parameters.outputs);
    const anyMatrix = files.some(([, file]) => specOf(file).kind === 'matrix');
    const written: string[][] = [];
    for (const kind of ['table', 'matrix', 'files'] as const) {
      for (const [name, file] of files) {
        if (specOf(file).kind !== kind) continue;
        await requireOutput(folder, name, file);
        const output = (outputs as Record<string, unknown>)[name];
        if (kind === 'table') {
          const { readTable } = await import('./table-output.ts'); // only then, since it loads the readers of `load`
          const ids: string[] = [];
          written.push(ids);
          const note = (id: string) => void (anyMatrix && ids.push(id));
          await readTable(folder, file, output as TableOutput, context.signal, note);
        } else if (kind === 'matrix') {
          await readMatrix(folder, file, output as MatrixOutput, [...written, ...tables]);
        } else await readFiles(folder, file, output as FilesOutput);
      }
    }
    return { metrics: metricsIn(env['REPRISE_METRICS']) };
  },
});

/** The engine writes the params' values into the expression, so that it is mostly plain JSON by now. */
async function paramsFor(expression: string, context: StepContext): Promise<Json> {
  if (expression === 'params') return context.params;
  try {
    return JSON.parse(expression) as Json;
  } catch {
    return (await compileCel(expression, { variables: ['params'] })).evaluate({ params: context.params });
  }
}

function noOutput(name: string, { step, output, outputs }: StepInput): StepError {
  const names = Object.keys(outputs);
  return new StepError(
    'no-such-output',
    names.length === 0
      ? `input "${name}": step ${step} has no outputs`
      : `input "${name}": step ${step} has no output "${output}"`,
    names.length === 0 ? `to run after it, write after: ${step}` : `it has: ${names.join(', ')}`,
  );
}

function shown(run: string | string[]): string {
  const line = typeof run === 'string' ? run.trim() : run.join(' ');
  const first = line.split('\n')[0]!;
  const cut = first.length > 100 ? first.slice(0, 100) : first;
  return cut === line ? line : `${cut} …`;
}

function cannotStart(run: string | string[], error: NodeJS.ErrnoException): StepError {
  const program = typeof run === 'string' ? 'the shell' : run[0]!;
  if (error.code === 'ENOENT')
    return new StepError(
      'no-program',
      `there is no program "${program}"`,
      'is it installed and on the PATH? A program of the project stands in deps and is called as ./name',
    );
  if (error.code === 'EACCES')
    return new StepError('no-program', `${program} may not be executed`, `chmod +x ${program}`);
  if (error.code === 'E2BIG')
    return new StepError(
      'no-program',
      `the arguments of ${program} are too long`,
      'pass long values in a file: $REPRISE_PARAMS',
    );
  return new StepError('no-program', `${program} could not be started: ${error.message}`);
}

/** The failure of a program that ran: how it ended, its last lines and, if it shows, why. */
function failed(run: string | string[], end: ProgramEnd, deps: readonly string[], root: string): StepError {
  const how = end.signal ? `was ended by ${end.signal}` : `ended with exit code ${end.code}`;
  const lines = end.lastLines.map((line) => `\n  ${line}`).join('');
  // `retries` are there for programs: what failed may come out well the next time.
  return new StepError('program-failed', `${shown(run)} ${how}${lines}`, remedy(run, end, deps, root), {
    retryable: true,
  });
}

function remedy(
  run: string | string[],
  end: ProgramEnd,
  deps: readonly string[],
  root: string,
): string | undefined {
  if (end.signal === 'SIGKILL') return 'did the machine run out of memory?';
  if (end.lastLines.some((line) => /no space left on device|ENOSPC|disk quota exceeded/i.test(line)))
    return 'the disk is full: free some space, and run again';
  const words = typeof run === 'string' ? run.split(/[\s;|&<>()"'=]+/) : run;
  const undeclared = words.find(
    (word) =>
      /^[^-/$].*\w/.test(word) &&
      !word.split('/').includes('..') &&
      !deps.includes(word) &&
      existsSync(join(root, word)),
  );
  if (undeclared === undefined || deps.some((dep) => /[*?[{]/.test(dep))) return undefined;
  return `the program starts in an empty folder: add deps: [${undeclared.replace(/^\.\//, '')}]`;
}

/** The metrics that the program wrote, if it did. */
function metricsIn(path: string): Metrics {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  let metrics: unknown;
  try {
    metrics = JSON.parse(text);
  } catch (error) {
    throw new StepError('bad-metrics', `$REPRISE_METRICS is not JSON: ${(error as Error).message}`);
  }
  const example = 'write one object of numbers, texts, true and false: {"accuracy": 0.9}';
  if (metrics === null || typeof metrics !== 'object' || Array.isArray(metrics))
    throw new StepError('bad-metrics', '$REPRISE_METRICS is not a JSON object', example);
  for (const [name, value] of Object.entries(metrics)) {
    if (!/^[a-z][a-z0-9_]*$/.test(name))
      throw new StepError(
        'bad-metrics',
        `$REPRISE_METRICS: "${name}" is no name of a metric`,
        'use small letters, digits and _',
      );
    if (!['number', 'string', 'boolean'].includes(typeof value))
      throw new StepError('bad-metrics', `$REPRISE_METRICS: ${name} is ${JSON.stringify(value)}`, example);
  }
  return metrics as Metrics;
}
