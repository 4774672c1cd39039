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
    json: true,
    images: false,
    languages: [],
    most_usd: null,
    priority: 'quality',
  };
  await using server = await ModelServer.start({
    reply: ({ prompt }) =>
      JSON.stringify(
        prompt.includes('cheap')
          ? { ...needs, priority: 'cost' }
          : prompt.includes('Russian')
            ? { ...needs, languages: ['ru'] }
            : prompt.includes('scans')
              ? { ...needs, images: true, languages: ['de', 'en'], most_usd: 2 }
              : needs,
      ),
  });
  const model = (more: string) => `{ provider: openai, base_url: "${server.url('openai')}", ${more} }`;
  using project = new TestProject({
    'USE-CASE.md': 'Sum up contracts.',
    'scans.md': 'Read scans of contracts in German and English, for two dollars.',
    'letters.md': 'Sum up letters in Russian.',
    'cheap.md': 'Sum up contracts. It must be cheap.',
    'w.yaml': `
models:
  small: ${model('model: s, context: 8000, price: { input: 0.1, output: 0.4 }')}
  middle: ${model('model: m, context: 32000, languages: [en, de, fr], price: { input: 1, output: 4 }')}
  large: ${model('model: l, context: 200000, price: { input: 5, output: 20 }')}
  own: { provider: local, path: own.gguf, context: 32000 }
  best:
    route:
      among: [small, middle, large]
      by: quality
      quality: { small: 0.7, middle: 0.8, large: 0.9 }
      latency: { small: 200, middle: 400, large: 900 }
steps:
  t: { use: load, with: { path: USE-CASE.md } }
`,
  });
  const select = async (file: string, ...more: string[]) => {
    const { out, code } = await project.reprise(
      'models',
      'select',
      'w.yaml',
      file,
      '--model',
      'middle',
      '--json',
      ...more,
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
        why: 'context of 200,000 tokens, json by a schema, images as the provider takes them, languages not said, price about $5.00 for 100 requests, score 0.9, latency of 900 ms',
        traits: expect.arrayContaining([
          { trait: 'context', wanted: '20,000 tokens', has: 'of 200,000 tokens', fits: true },
          { trait: 'json', wanted: 'JSON', has: 'by a schema', fits: true },
        ]),
      },
      { alias: 'middle', usd: 1, rejected: null },
      { alias: 'own', usd: null, rejected: null },
      { alias: 'small', rejected: 'context: of 8,000 tokens, and the task wants 20,000 tokens' },
    ],
  });
  expect(await select('USE-CASE.md')).toEqual(careful);
  expect(server.requests).toHaveLength(1);
  expect((await select('cheap.md')).candidates.map(({ alias }) => alias)).toEqual([
    'middle',
    'large',
    'own',
    'small',
  ]);
  // What counts most can be said on the command line: the description is not read again.
  const preferred = await select('USE-CASE.md', '--prefer', 'speed');
  expect(preferred.candidates.map(({ alias }) => alias)).toEqual(['middle', 'large', 'own', 'small']);
  expect(server.requests).toHaveLength(2);
  expect(await select('scans.md')).toMatchObject({
    candidates: [
      { alias: 'middle', rejected: null },
      { alias: 'large', rejected: 'price: about $5.00 for 100 requests, and the task wants $2.00 at most' },
      { alias: 'small' },
      { alias: 'own', rejected: 'images: not taken, and the task wants pictures' },
    ],
  });
  expect(await select('letters.md')).toMatchObject({
    candidates: [
      { alias: 'large', rejected: null },
      { alias: 'own', rejected: null },
      { alias: 'middle', rejected: 'languages: en, de, fr, and the task wants ru' },
      { alias: 'small' },
    ],
  });
  const wrong = await project.reprise('models', 'select', 'w.yaml', 'none.md');
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('none.md cannot be read') });
});
