import { expect, it } from 'vitest';
import { ModelServer, type SeenRequest } from '../model-server.ts';
import { jsonl, TestProject } from '../project.ts';

/** Answers by what the schema of a request wants; without one a shorter text. */
function reply({ body, prompt }: SeenRequest): string {
  const { json_schema: asked } = (body['response_format'] ?? {}) as {
    json_schema?: { schema: { properties: Record<string, { enum?: string[] }> } };
  };
  const properties = asked?.schema.properties ?? {};
  if ('label' in properties) return JSON.stringify({ label: prompt.includes('card') ? 'cards' : 'loans' });
  if ('product' in properties) return JSON.stringify({ product: prompt.includes('card') ? 'card' : 'loan' });
  if ('title' in properties)
    return JSON.stringify({
      description: 'Customers ask.',
      title: prompt.includes('card') ? 'Cards' : 'Loans',
    });
  if ('score' in properties) return JSON.stringify({ reason: 'nothing', score: 0.9 });
  return prompt.split(/\s+/).slice(0, 5).join(' ');
}

const rows = Array.from({ length: 6 }, (_, index) => ({
  id: `r${index}`,
  text: `Please tell me where in the world my ${index % 2 ? 'card' : 'loan'} has got to by now, since the message of day ${index} was the last`,
  cluster: index % 2,
}));

it('every step that asks is paid for once, and fails rows, clusters included, as max_row_failures allows', async () => {
  let broken = true;
  await using server = await ModelServer.start({
    reply,
    fault: ({ prompt }) =>
      broken && prompt.startsWith('- Please tell me where in the world my loan') ? 'cut-off' : null,
  });
  const model = `{ provider: openai, base_url: "${server.url('openai')}", model: small, price: { input: 1, output: 1 } }`;
  using p = new TestProject({
    'rows.jsonl': jsonl(rows),
    'pipeline.yaml': `
models: { one: ${model}, two: ${model.replace('small', 'other')} }
steps:
  rows: { use: load, with: { path: rows.jsonl, text: text, id: id } }
  classes: { use: classify, from: rows, with: { model: one, labels: [cards, loans], samples: 2 } }
  facts:
    use: extract
    from: rows
    with: { model: one, unpack: true, grounded: reject, schema: { type: object, required: [product], properties: { product: { type: string } } } }
  names: { use: summarize, from: rows, with: { method: model, model: one, outside: 0 }, max_row_failures: 1 }
  short:
    use: compress
    from: rows
    with: { method: model, model: one, preserve: [], equivalence: { models: [one, two] } }
  more: { use: augment, from: rows, with: { methods: [paraphrase], model: one } }
`,
  });
  const first = await p.run('pipeline.yaml');
  expect(first.status, first.err).toBe('succeeded');
  expect(first.step('classes')).toMatchObject({ rows: 6, metrics: { mean_confidence: 1 } });
  expect(first.step('facts').metrics).toMatchObject({ rows: 6, rejected: 0, grounded_share: 1 });
  expect(first.step('short').metrics).toMatchObject({ rows: 6, rejected: 0, equivalence: 0.9 });
  expect(first.step('more').metrics).toMatchObject({ rows: 6 });
  // A cluster is a row: one of the two failed.
  expect(first.step('names')).toMatchObject({ rows: 1, rows_failed: 1, metrics: { clusters: 1 } });
  const asked = server.requests.length;

  broken = false;
  const second = await p.run('pipeline.yaml');
  expect(second.statuses.filter((status) => !status.endsWith(':cached'))).toEqual(['names:ran']);
  expect(second.step('names')).toMatchObject({ rows: 2, rows_computed: 1, rows_cached: 1 });
  expect(server.requests).toHaveLength(asked + 1);
  expect((await p.reprise('reproduce', second.run)).code).toBe(0);
  expect(server.requests).toHaveLength(asked + 1);

  // A way to classify that lacks what it needs is told before anything runs.
  p.write({
    'wrong.yaml':
      'steps:\n  rows: { use: load, with: { path: rows.jsonl } }\n  x: { use: classify, from: rows }\n',
  });
  const wrong = await p.reprise('validate', 'wrong.yaml');
  expect(wrong.code).toBe(2);
  expect(wrong.err + wrong.out).toContain('missing-input');
});
