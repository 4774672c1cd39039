import { loadCel } from '../../engine/cel.ts';
import { saidValues, valuesIn } from '../../engine/cel-values.ts';
import type { Json } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import { type ArtefactInput, anyInputs, defineStep, type StepInput } from '../../engine/step.ts';

export default defineStep({
  type: 'assert',
  summary: 'Stops the run unless conditions hold',
  description: `Each condition in \`that\` is a CEL expression. In scope, of the one input:

- \`metrics\`: its metrics
- \`rows\`: the number of rows of the output that \`from\` takes
- \`outputs\`: its outputs, each with \`rows\` (and \`columns\` of a matrix, \`files\` of files): \`outputs.duplicates.rows < 100\`

With several inputs these have the input's name in between: \`metrics.scores.v_measure\`, \`rows.unique\`,
\`outputs.unique.duplicates.rows\`. Everywhere: \`steps.<id>.metrics\`, \`params\`, \`env\`. If a condition is false the step fails with
the values that it compared, the run ends with exit code 1, and what needs this step does not run.`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    required: ['that'],
    properties: {
      that: {
        type: ['string', 'array'],
        minLength: 1,
        'x-reprise': 'cel',
        items: { type: 'string', minLength: 1, 'x-reprise': 'cel' },
        minItems: 1,
        description: 'A condition, or a list of conditions that must all be true.',
      },
      message: {
        type: 'string',
        description: 'What to say first if one is false: what it means, what to do.',
      },
      severity: {
        enum: ['error', 'warn'],
        default: 'error',
        description: 'Fail, or only warn if a condition is false.',
      },
    },
  },
  inputs: anyInputs,
  outputs: {
    checks: {
      kind: 'table',
      description: 'A row for each condition: `that`, `passed` and the `values` that it read.',
    },
  },
  metrics: { failed: 'Conditions that are false.', checks: 'Conditions.' },
  example: `gate:
  use: assert
  from: scores
  with: { that: "metrics.v_measure >= 0.7" }`,

  async run({ parameters, inputs, outputs, context }) {
    const { message, severity } = parameters;
    const conditions = typeof parameters.that === 'string' ? [parameters.that] : parameters.that;
    const scope = { ...scopeOf(inputs), params: context.params, env: context.env };
    const compile = await loadCel();
    const failures: string[] = [];
    for (const [index, that] of conditions.entries()) {
      const program = compile(that, { variables: Object.keys(scope) });
      const passed = program.test(scope);
      const values = valuesIn(program, scope);
      if (!passed) failures.push(describe(that, values));
      const pending = outputs.checks.write({ id: String(index + 1), that, passed, values });
      if (pending) await pending;
    }
    if (failures.length > 0) {
      const text = [message, ...failures].filter((line) => line !== undefined).join('\n');
      if (severity === 'error') throw new StepError('assert-failed', text);
      context.warn(text);
    }
    return { metrics: { failed: failures.length, checks: conditions.length } };
  },
});

/** What the inputs give to the conditions: of one input as it is, of several by the input's name. */
function scopeOf(inputs: { readonly [name: string]: StepInput }): Record<string, unknown> {
  const each = Object.entries(inputs).map(([name, input]) => [name, viewOf(input)] as const);
  const steps = Object.fromEntries(
    Object.values(inputs).map(({ step, metrics }) => [step, { metrics }] as const),
  );
  if (each.length === 1) return { ...each[0]![1], steps };
  const member = (key: 'metrics' | 'rows' | 'outputs') =>
    Object.fromEntries(each.map(([name, view]) => [name, view[key]]));
  return { metrics: member('metrics'), rows: member('rows'), outputs: member('outputs'), steps };
}

function viewOf({ metrics, output, outputs }: StepInput) {
  const selected = outputs[output];
  return {
    metrics,
    rows: selected && selected.kind !== 'files' ? selected.rows : null,
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, artefact]) => [name, sizeOf(artefact)])),
  };
}

function sizeOf(artefact: ArtefactInput): Record<string, Json> {
  if (artefact.kind === 'files') return { files: artefact.names.length };
  return artefact.kind === 'table'
    ? { rows: artefact.rows }
    : { rows: artefact.rows, columns: artefact.columns };
}

/** `metrics.v_measure >= 0.7 is false: metrics.v_measure = 0.612` */
function describe(that: string, values: Record<string, Json>): string {
  const said = saidValues(values);
  return `${that} is false${said === '' ? '' : `: ${said}`}`;
}
