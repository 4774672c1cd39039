import { expect, it } from 'vitest';
import { jsonl, TestProject } from '../project.ts';

const texts = (language: string) =>
  jsonl(
    ['cards', 'money', 'transfer', 'refund', 'fees', 'limits'].map((word, index) => ({
      id: `t${index}`,
      text: `${language} ${word} and ${word} again`,
    })),
  );

/** Answers with the question. */
const echo = `
let text = '';
for await (const part of process.stdin) text += part;
const { messages } = JSON.parse(text);
console.log(JSON.stringify({ text: messages.at(-1).content }));
`;

it('puts vectors of a matrix together as their rows are, and fills axes into prompts', async () => {
  using p = new TestProject({
    'data/en.jsonl': texts('english'),
    'data/de.jsonl': texts('german'),
    'echo.mjs': echo,
    'w.yaml': `
models: { echo: { provider: command, command: [node, echo.mjs] } }
templates:
  language:
    params: { lang: { type: string } }
    steps:
      texts: { use: load, with: { path: "data/\${{ params.lang }}.jsonl", text: text, id: id } }
      vectors: { use: embed, from: texts, with: { method: lexical, dimensions: 3 } }
      asked:
        use: generate
        from: texts
        with: { model: echo, prompt: { text: "{{matrix.lang}}: {{text}}" } }
steps:
  made: { use: template:language, matrix: { lang: [en, de] }, with: { lang: "\${{ matrix.lang }}" } }
  groups:
    use: cluster
    from: { rows: made_texts, vectors: made_vectors }
    with: { method: kmeans, k: 2 }
`,
  });
  const first = await p.run('w.yaml');
  expect(first.status).toBe('succeeded');
  const rows = async (address: string) =>
    (await p.reprise('show', 'latest', address, '--format', 'jsonl')).out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  const groups = await rows('groups');
  expect(groups).toHaveLength(12);
  expect(groups[7]).toMatchObject({ id: 't1@lang=de', row_id: 't1', lang: 'de' });
  expect((await rows('made[lang=de]'))[0]).toMatchObject({ id: 't0' });
  expect(JSON.stringify(await rows('made[lang=de]'))).toContain('de: german cards');
  expect((await p.run('w.yaml')).statuses.every((status) => status.endsWith(':cached'))).toBe(true);

  // Vectors of other lengths have no place below each other.
  p.write({
    'w.yaml': p.read('w.yaml').replace('dimensions: 3', 'dimensions: "${{ params.lang == \'en\' ? 3 : 2 }}"'),
  });
  const other = await p.run('w.yaml');
  expect(other.step('groups').error).toMatchObject({ code: 'dimensions-differ' });
});
