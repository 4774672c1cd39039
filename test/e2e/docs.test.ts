import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { stepTypes } from '../../steps/index.ts';
import { docsExamples, filesOf, root } from '../docs-examples.ts';
import { TestProject } from '../project.ts';

/** Steps that fragments on the pages go on from. */
const before = {
  queries: { use: 'load', with: { path: 'data/queries.jsonl', text: 'text', id: 'id' } },
  unique: { use: 'dedupe', from: 'queries' },
  vectors: { use: 'embed', from: 'unique' },
  topics: { use: 'cluster', from: { rows: 'unique', vectors: 'vectors' }, with: { k: 77 } },
  names: { use: 'summarize', from: 'topics' },
  scores: { use: 'evaluate', from: 'topics', with: { truth: 'label' } },
  parts: { use: 'split', from: { rows: 'unique', vectors: 'vectors' }, with: { stratify: 'label' } },
  head: {
    use: 'train',
    from: { rows: 'parts.train', vectors: 'parts.train_vectors' },
    with: { label: 'label' },
  },
  questions: { use: 'sample', from: 'queries', with: { size: 10 } },
  articles: { use: 'filter', from: 'queries', with: { where: 'true' } },
};

/** A language model that fragments name. */
const models = { writer: { provider: 'openai', model: 'gpt-5-mini' } };

/** A whole workflow as it stands; of a fragment (steps, or a step) one that goes on from the steps above. */
function asWorkflow(text: string): string {
  const value = parse(text) as Record<string, unknown>;
  if ('name' in value) return text;
  const said = 'steps' in value ? value : { steps: value };
  return stringify({ models, ...said, steps: { ...before, ...(said['steps'] as object) } });
}

it('every example in README.md and docs/, and that of every step type, is valid', async () => {
  const examples = docsExamples();
  const workflows = new Map<string, string>();
  for (const { page, line, language, text } of examples)
    if (language === 'yaml') workflows.set(`${page.replaceAll('/', '-')}-${line}.yaml`, asWorkflow(text));
  for (const [use, load] of Object.entries(stepTypes)) {
    const { example } = (await load()).default;
    expect(example).toContain(`use: ${use}\n`);
    workflows.set(`${use}.yaml`, asWorkflow(example));
  }
  expect(workflows.size).toBeGreaterThan(30);

  using p = new TestProject({
    ...filesOf(examples),
    'reprise.yaml': 'pools: { gpu: 1, openai: 20/min }\n',
    'parts/cleaning.yaml': 'steps:\n  cleaned: { use: dedupe, from: queries }\n',
    'parts/language.yaml':
      'params: { lang: { type: string } }\nsteps:\n  topics: { use: filter, from: queries, with: { where: "row.lang == params.lang" } }\n',
    ...Object.fromEntries(workflows),
  });
  cpSync(join(root, 'test/fixtures/encoders/tiny'), p.path('models/my-encoder'), { recursive: true });
  const { out, err } = await p.reprise('validate', ...workflows.keys(), '--json');
  expect(err).toBe('');
  const { files } = JSON.parse(out) as {
    files: { file: string; steps: number | null; problems: unknown[] }[];
  };
  expect(files.filter(({ problems }) => problems.length > 0)).toEqual([]);
  expect(files).toHaveLength(workflows.size);
});
