import { expect, it } from 'vitest';
import { ModelServer } from '../model-server.ts';
import { TestProject } from '../project.ts';

it('models select ranks the models of a workflow for a use case, says of each why, and asks once', async () => {
  const needs = {
    reason: 'Long contracts are summed up. It must be right.',
    longest_tokens: 20_000,
    input_tokens: 8000,
    output_tokens: 500,
    requests: 100,
    priority: 'quality',
  };
  await using server = await ModelServer.start({
    reply: ({ prompt }) => JSON.stringify(prompt.includes('cheap') ? { ...needs, priority: 'cost' } : needs),
  });
  const model = (more: string) => `{ provider: openai, base_url: "${server.url('openai')}", ${more} }`;
  using project = new TestProject({
    'USE-CASE.md': 'Sum up contracts.',
    'cheap.md': 'Sum up contracts. It must be cheap.',
    'w.yaml': `
models:
  small: ${model('model: s, context: 8000, price: { input: 0.1, output: 0.4 }')}
  middle: ${model('model: m, context: 32000, price: { input: 1, output: 4 }')}
  large: ${model('model: l, context: 200000, price: { input: 5, output: 20 }')}
  best: { route: { among: [small, middle, large], by: quality, quality: { small: 0.7, middle: 0.8, large: 0.9 } } }
steps:
  t: { use: load, with: { path: USE-CASE.md } }
`,
  });
  const select = async (file: string) => {
    const { out, code } = await project.reprise(
      'models',
      'select',
      'w.yaml',
      file,
      '--model',
      'middle',
      '--json',
    );
    const { candidates } = JSON.parse(out) as { candidates: Record<string, unknown>[] };
    return { code, candidates };
  };
  const careful = await select('USE-CASE.md');
  expect(careful).toMatchObject({
    code: 0,
    candidates: [
      // 100 × (8000 × 5 + 500 × 20) / 1e6
      {
        alias: 'large',
        quality: 0.9,
        usd: 5,
        rejected: null,
        why: expect.stringContaining('20,000 tokens fit into its 200,000'),
      },
      { alias: 'middle', usd: 1, rejected: null },
      {
        alias: 'small',
        rejected: 'its context is too small',
        why: expect.stringContaining('20,000 tokens do not fit into its 8,000'),
      },
    ],
  });
  expect(await select('USE-CASE.md')).toEqual(careful);
  expect(server.requests).toHaveLength(1);
  expect((await select('cheap.md')).candidates.map(({ alias }) => alias)).toEqual([
    'middle',
    'large',
    'small',
  ]);
  const wrong = await project.reprise('models', 'select', 'w.yaml', 'none.md');
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('none.md cannot be read') });
});
