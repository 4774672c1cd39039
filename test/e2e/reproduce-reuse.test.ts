import { expect, it } from 'vitest';
import { jsonl, TestProject } from '../project.ts';

const language = `
params: { lang: { type: string } }
templates:
  cut:
    params: { n: { type: integer } }
    inputs: [rows]
    steps: { kept: { use: filter, from: rows, with: { where: "size(row.text) > params.n" } } }
steps:
  texts: { use: load, with: { path: "data/\${{ params.lang }}.jsonl", text: text } }
`;

const workflow = `
include:
  - { file: ./parts/language.yaml, prefix: en_, params: { lang: en } }
  - { file: ./parts/language.yaml, prefix: de_, params: { lang: de } }
params: { n: { type: integer, default: 2 } }
steps:
  long: { use: template:cut, from: en_texts, with: { n: "\${{ params.n }}" } }
  each: { use: filter, from: de_texts, for_each: long.rows, with: { where: "row.text != item.text" } }
  all: { use: dedupe, from: each }
  told:
    use: exec
    env: { KEY: "\${{ secrets.KEY }}" }
    with: { run: 'echo "{\\"id\\":\\"1\\",\\"text\\":\\"$KEY\\"}" > o.jsonl', outputs: { rows: o.jsonl } }
`;

it('reproduces includes with prefixes, templates, profiles, for_each and steps with secrets from the id alone', async () => {
  using p = new TestProject({
    'reprise.yaml': 'profiles: { few: { params: { n: 4 } } }\n',
    '.env': 'KEY=quite-secret\n',
    'parts/language.yaml': language,
    'w.yaml': workflow,
    'data/en.jsonl': jsonl([{ text: 'one' }, { text: 'three' }, { text: 'fifteen' }]),
    'data/de.jsonl': jsonl([{ text: 'eins' }, { text: 'drei' }]),
  });
  const run = await p.run('w.yaml', '--profile', 'few');
  expect(run.statuses.filter((text) => text.startsWith('each['))).toHaveLength(2);
  p.write({ 'w.yaml': 'steps: {}\n', 'reprise.yaml': '', 'parts/language.yaml': '', 'data/de.jsonl': '' });

  const { out, err, code } = await p.reprise('reproduce', run.run, '--json');
  expect(err + out).not.toContain('quite-secret');
  const { steps } = JSON.parse(out) as { steps: { id: string; verdict: string }[] };
  expect(steps.map(({ id, verdict }) => `${id}:${verdict}`)).toEqual(
    run.steps.map(({ id }) => `${id}:identical`),
  );
  expect(code).toBe(0);
});
