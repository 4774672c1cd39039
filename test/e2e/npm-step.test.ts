import { expect, it } from 'vitest';
import { TestProject } from '../project.ts';

const step = (mark: string) => `
import { defineStep } from 'reprise';
import { ending } from './lib/ending.js';
export default defineStep({
  type: 'shout', summary: 'Louder', example: 'x',
  parameters: { type: 'object', properties: { mark: { type: 'string', default: '${mark}' } }, additionalProperties: false },
  inputs: { rows: { kind: 'table', description: 'Rows.' } },
  outputs: { rows: { kind: 'table', description: 'Louder rows.' } },
  async run({ parameters, inputs, outputs }) {
    for await (const row of inputs.rows.read())
      await outputs.rows.write({ ...row, text: row.text.toUpperCase() + parameters.mark + ending });
  },
});
`;

const description = (version: string) =>
  JSON.stringify({
    name: '@acme/loud',
    version,
    type: 'module',
    exports: { './shout': './steps/shout.js', './plain': './plain.ts' },
  });

it('runs a step of a package of the project; its files and its version count', async () => {
  using p = new TestProject({
    'node_modules/@acme/loud/package.json': description('1.0.0'),
    'node_modules/@acme/loud/steps/shout.js': step('!'),
    'node_modules/@acme/loud/steps/lib/ending.js': "export const ending = '?';\n",
    'node_modules/@acme/loud/plain.ts': step('.'),
    'data/rows.jsonl': '{"id":"a","text":"one"}\n',
    'w.yaml': `steps:
  rows: { use: load, with: { path: data/rows.jsonl, text: text } }
  loud: { use: npm:@acme/loud/shout, from: rows }
`,
  });
  const first = await p.run('w.yaml');
  expect(first.statuses).toEqual(['rows:ran', 'loud:ran']);
  expect((await p.reprise('show', 'latest', 'loud')).out).toContain('ONE!?');
  const record = JSON.parse(p.read(`runs/${first.run}/run.json`));
  expect(record.environment.packages).toMatchObject({ '@acme/loud': '1.0.0' });
  expect(record.workflow.sources.map(({ path }: { path: string }) => path)).toContain(
    'node_modules/@acme/loud/steps/lib/ending.js',
  );
  expect((await p.run('w.yaml')).statuses).toEqual(['rows:cached', 'loud:cached']);

  p.write({ 'node_modules/@acme/loud/steps/lib/ending.js': "export const ending = '??';\n" });
  expect((await p.run('w.yaml')).step('loud')).toMatchObject({
    status: 'ran',
    reason: 'code node_modules/@acme/loud/steps/lib/ending.js',
  });
  p.write({ 'node_modules/@acme/loud/package.json': description('1.1.0') });
  expect((await p.run('w.yaml')).step('loud')).toMatchObject({
    status: 'ran',
    reason: 'package @acme/loud 1.0.0 → 1.1.0',
  });

  p.write({
    'bad.yaml': `steps:
  rows: { use: load, with: { path: data/rows.jsonl, text: text } }
  a: { use: npm:@acme/loud/shout, from: rows, with: { marc: "!" } }
  b: { use: npm:@acme/loud/whisper, from: rows }
  c: { use: npm:@acme/loud/plain, from: rows }
  d: { use: npm:@acme/quiet/shout, from: rows }
`,
  });
  const { err, code } = await p.reprise('validate', 'bad.yaml');
  expect(code).toBe(2);
  expect(err).toMatch(
    /3:\d+ error unknown-key: npm:@acme\/loud\/shout has no parameter "marc"\n[\s\S]*did you mean "mark"/,
  );
  expect(err).toMatch(/4:\d+ error step-type-broken: .* its package exports no such module/);
  expect(err).toMatch(/5:\d+ error step-type-broken: .* it is TypeScript \(plain\.ts\)/);
  expect(err).toMatch(/6:\d+ error unknown-step-type: the package @acme\/quiet is not installed/);
});
