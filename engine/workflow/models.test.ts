import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sampleModels, sampleRegistry } from '../../test/sample-types.ts';
import { temporaryFolder } from '../../test/temporary.ts';
import type { JsonObject } from '../json.ts';
import { compileWorkflow } from './compile.ts';

/** A catalogue of one provider that has two models. */
const otherModels = ({ provider, model }: JsonObject) =>
  provider === 'anthropic' && model !== 'tall-1' && model !== 'wide-1' ? ['tall-1', 'wide-1'] : null;

async function compile(models: string, env: Record<string, string> = {}) {
  const folder = temporaryFolder();
  const text = `params: { size: { type: string, default: small } }
env: [HOST]
models:
${models}
steps: { q: { use: load, with: { path: q.jsonl } } }
`;
  writeFileSync(join(folder, 'main.yaml'), text);
  return compileWorkflow(
    { file: join(folder, 'main.yaml'), cwd: folder, params: {}, env },
    { registry: sampleRegistry(), models: { ...sampleModels, otherModels }, root: folder },
  );
}

it('a key that is a secret becomes the name of its variable, and expressions are filled in', async () => {
  const { workflow, problems } = await compile(
    `  writer:
    provider: openai
    model: "gpt-\${{ params.size }}"
    base_url: "http://\${{ env.HOST }}/v1"
    api_key: "\${{ secrets.WRITER_KEY }}"
    fallback: [{ provider: openai, model: other, api_key: "\${{secrets.OTHER_KEY}}" }]
  own: { provider: local, path: ./model }
`,
    { HOST: 'here', WRITER_KEY: 'nobody-sees-this' },
  );
  expect(problems).toEqual([]);
  expect(workflow!.models).toEqual({
    writer: {
      provider: 'openai',
      model: 'gpt-small',
      base_url: 'http://here/v1',
      api_key_env: 'WRITER_KEY',
      fallback: [{ provider: 'openai', model: 'other', api_key_env: 'OTHER_KEY' }],
    },
    own: { provider: 'local', path: 'model' },
  });
  expect(JSON.stringify(workflow)).not.toContain('nobody-sees-this');
  // Whatever its length, a key that is said to be a secret is one for all that a run writes.
  expect(workflow!.secrets).toEqual(['OTHER_KEY', 'WRITER_KEY']);
});

it.each([
  ['a key in the file', 'api_key: sk-123', 'secret-not-allowed', 'a key does not stand in the file itself'],
  ['text around it', 'api_key: "Bearer ${{ secrets.K }}"', 'secret-form', 'an api_key is a secret by itself'],
  ['two of them', 'api_key: "${{ secrets.K }}", api_key_env: L', 'wrong-value', 'one of them is enough'],
  [
    'elsewhere',
    'base_url: "http://${{ secrets.K }}"',
    'secret-not-allowed',
    'base_url of a model holds no secret',
  ],
  ['an unknown param', 'api_key: "${{ params.k }}"', 'unknown-param', 'there is no param "k"'],
])('%s is refused', async (_, said, code, message) => {
  const { problems } = await compile(`  writer: { provider: openai, model: x, ${said} }`);
  expect(problems).toMatchObject([{ code, message: expect.stringContaining(message) }]);
});

it('a model that its provider does not have is refused, of a fallback as well, with the one that was meant', async () => {
  const { problems } = await compile(
    `  writer: { provider: anthropic, model: "tal-1", fallback: [{ provider: anthropic, model: wide-l }, { provider: anthropic, model: wide-1 }] }`,
  );
  expect(problems).toMatchObject([
    {
      code: 'unknown-model',
      message: 'anthropic has no model "tal-1" that is known here',
      hint: expect.stringMatching(/^did you mean "tall-1"\? for a newer one/),
    },
    { code: 'unknown-model', hint: expect.stringContaining('"wide-1"') },
  ]);
});
