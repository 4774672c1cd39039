import { cpSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RunRecord } from '../../engine/record/record.ts';
import { ModelServer } from '../model-server.ts';
import { jsonl, numberedTexts, TestProject } from '../project.ts';
import { temporaryFolder } from '../temporary.ts';

it('a run with answers of a hosted model and an encoder of its own comes out the same elsewhere, with neither at hand', async () => {
  const pack = join(temporaryFolder(), 'run.tgz');
  let run: string;
  {
    await using server = await ModelServer.start();
    using p = new TestProject({
      'texts.jsonl': jsonl(numberedTexts(6)),
      '.env': 'OWN_KEY=sk-that-is-nowhere-else\n',
      'prompts/label.hbs': 'Label: {{text}}',
      'w.yaml': `
models: { writer: { provider: openai, base_url: "${server.url('openai')}", model: small, api_key_env: OWN_KEY } }
steps:
  texts: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  labels: { use: generate, from: texts, with: { model: writer, prompt: { file: ./prompts/label.hbs } } }
  vectors: { use: embed, from: labels, with: { model: encoders/tiny } }
`,
    });
    cpSync(join(import.meta.dirname, '../fixtures/encoders/tiny'), p.path('encoders/tiny'), {
      recursive: true,
    });
    ({ run } = await p.run('w.yaml'));
    expect((await p.reprise('runs', 'export', run, '-o', pack, '--with-outputs')).code).toBe(0);
  }
  using q = new TestProject({ 'home/.keep': '' });
  const away = { HOME: q.path('home'), OWN_KEY: '', http_proxy: 'http://127.0.0.1:9' };
  const calls = async (...args: string[]) => {
    const { code, out, err } = await q.start(args, away).ended;
    expect(code, `${args.join(' ')}\n${out}${err}`).toBe(0);
    return out;
  };
  await calls('runs', 'import', pack);
  expect(JSON.parse(await calls('reproduce', run, '--json'))).toMatchObject({
    verdict: 'identical',
    drift: null,
    score: { steps: { same: 3, of: 3 } },
  });
  expect(await calls('show', run, 'labels', '--format', 'jsonl')).toContain('text number 5');

  // The imported encoder is changed by hand: that is told, and mended by another import.
  const { models } = JSON.parse(q.read(`runs/${run}/run.json`)) as RunRecord;
  const digest = models.find(({ name }) => name === 'encoders/tiny')!.digest!.slice(7);
  const settings = q.path(`.reprise/models/${digest}/encoders/tiny/sentence_bert_config.json`);
  writeFileSync(settings, '{ "max_seq_length": 3 }');
  const changed = await q.start(['reproduce', run, '--json'], away).ended;
  expect(changed.code, changed.err).toBe(3);
  expect(JSON.parse(changed.out)).toMatchObject({
    first_difference: { step: 'vectors', causes: ['model encoders/tiny changed'] },
  });
  expect(await calls('runs', 'import', pack)).toContain('was here already');
  expect(JSON.parse(await calls('reproduce', run, '--json'))).toMatchObject({ verdict: 'identical' });

  // With the last run that names it, it goes.
  await calls('runs', 'rm', run);
  expect(await calls('cache', 'gc')).toContain(`removed the imported model ${digest.slice(0, 12)}`);
  expect(readdirSync(q.path('.reprise/models'))).toEqual([]);
});
