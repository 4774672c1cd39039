import { defineStep } from 'reprise';

export default defineStep({
  type: 'shout',
  summary: 'Writes a text in capitals',
  parameters: {
    type: 'object',
    additionalProperties: false,
    properties: {
      mark: { type: 'string', default: '!', description: 'What stands at the end.' },
    },
  },
  inputs: { rows: { kind: 'table', description: 'Rows with a `text`.' } },
  outputs: { rows: { kind: 'table', description: 'The same rows, louder.' } },
  example: 'loud: { use: ./steps/shout.ts, from: texts }',
  async run({ parameters, inputs, outputs, context }) {
    let done = 0;
    for await (const row of inputs.rows.read()) {
      await outputs.rows.write({ ...row, text: `${String(row.text).toUpperCase()}${parameters.mark}` });
      if (++done % 1000 === 0) context.progress(done, inputs.rows.rows);
    }
    return { metrics: { texts: done } };
  },
});
