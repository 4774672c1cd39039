import { defineStep } from 'reprise';

export default defineStep({
  type: 'train',
  summary: 'Stands for a step that learns from its rows',
  parameters: { type: 'object', properties: {}, additionalProperties: false },
  inputs: { rows: { kind: 'table', learnt: true, description: 'Rows to learn from.' } },
  outputs: { model: { kind: 'files', description: 'The model.' } },
  example: 'use: ./steps/train.ts',
  async run() {},
});
