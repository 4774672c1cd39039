import { CelError, loadCel } from '../../engine/cel.ts';
import { StepError } from '../../engine/problems.ts';
import { defineStep } from '../../engine/step.ts';
import { gatherRows } from '../../numerics/vectors.ts';
import { sameRows } from '../same-rows.ts';

export default defineStep({
  type: 'filter',
  summary: 'Keeps the rows for which a condition holds',
  description: `\`where\` is a CEL expression over \`row\` (with \`row.id\` and the row's fields), \`params\` and \`env\`. Rows for which it
is true stay, unchanged and in their order; the others are left out and counted.

A condition can fail on a row: a field that the row does not have, a text compared with a number. Then the step fails and
names the first such row, or, with \`on_error: reject\`, such rows go to the output \`rejected\` with the \`reason\`. To ask whether a
field is there: \`has(row.score) && row.score > 0.5\`.

With the input \`vectors\` the output \`vectors\` holds those of the rows that stay, so that \`from: long_enough\` gives a step both.`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    required: ['where'],
    properties: {
      where: {
        type: 'string',
        minLength: 1,
        'x-reprise': 'cel',
        description: 'The condition: `row.score > 0.5 && row.text.size() > 10`.',
      },
      on_error: {
        enum: ['fail', 'reject'],
        default: 'fail',
        description: 'What to do if the condition cannot be computed for a row.',
      },
    },
  },
  inputs: {
    rows: { kind: 'table', description: 'Any rows.' },
    vectors: { kind: 'matrix', optional: true, description: 'A vector for each of the rows.' },
  },
  outputs: {
    rows: { kind: 'table', description: 'The rows for which the condition is true.' },
    rejected: {
      kind: 'table',
      description:
        'Rows for which it could not be computed, with the `reason`; empty unless `on_error: reject`.',
    },
    vectors: { kind: 'matrix', optional: true, description: 'Vectors of the rows kept, if there are any.' },
  },
  metrics: {
    left_out: 'Rows for which the condition is false.',
    rejected: 'Rows for which it could not be computed.',
    rows: 'Rows kept.',
  },
  example: `long_enough:
  use: filter
  from: queries
  with: { where: "row.text.size() >= 10" }`,

  async run({ parameters, inputs, outputs, context }) {
    const { vectors } = inputs;
    if (vectors) sameRows(inputs.rows, vectors);
    const places: number[] = [];
    const ids: string[] = [];
    outputs.rows.expect(inputs.rows.fields);
    const scope = { row: {} as object, params: context.params, env: context.env };
    const program = (await loadCel())(parameters.where, { variables: Object.keys(scope) });
    let done = 0;
    let kept = 0;
    let rejected = 0;
    let firstReason = '';
    for await (const block of inputs.rows.blocks()) {
      context.signal.throwIfAborted();
      for (const row of block) {
        done++;
        scope.row = row;
        let passes: boolean;
        try {
          passes = program.test(scope);
        } catch (error) {
          if (!(error instanceof CelError)) throw error;
          const reason = `row ${row.id} (number ${done}): ${error.message}`;
          if (parameters.on_error === 'fail') throw new StepError(error.code, reason, error.hint);
          rejected++;
          firstReason ||= reason;
          const written = outputs.rejected.write({ ...row, reason: error.message });
          if (written) await written;
          continue;
        }
        if (!passes) continue;
        kept++;
        if (vectors) {
          places.push(done - 1);
          ids.push(row.id);
        }
        const written = outputs.rows.write(row);
        if (written) await written;
      }
      context.progress(done, inputs.rows.rows, 'rows');
    }
    if (vectors) await outputs.vectors.write(gatherRows(await vectors.read(), places), ids);
    if (rejected > 0)
      context.warn(
        `where could not be computed for ${rejected.toLocaleString('en')} of ${done.toLocaleString('en')} rows; the first is ${firstReason}`,
      );
    if (kept === 0 && done > 0)
      context.warn(`no row of ${done.toLocaleString('en')} is left by ${parameters.where}`);
    return { metrics: { left_out: done - kept - rejected, rejected, rows: kept } };
  },
});
