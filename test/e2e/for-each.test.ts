import { expect, it } from 'vitest';
import { jsonl, TestProject } from '../project.ts';

const workflow = `
params: { least: { type: integer, default: 3 } }
steps:
  models: { use: load, with: { path: data/models.jsonl, text: text, id: id } }
  texts: { use: load, with: { path: data/texts.jsonl, text: text, id: id } }
  answers:
    use: filter
    from: texts
    for_each: models.rows
    when: "item.on"
    with: { where: "size(row.text) > item.least && size(row.text) > params.least" }
  all: { use: dedupe, from: answers, with: { method: exact } }
  one: { use: filter, from: "answers[id=b]", with: { where: "true" } }
  told:
    use: exec
    from: { seen: answers }
    after: answers
    with: { run: [node, -e, "console.log(process.env.REPRISE_INPUT_SEEN)"] }
`;

const models = [
  { id: 'a', text: 'first', least: 2, on: true },
  { id: 'b', text: 'second', least: 4, on: true },
  { id: 'c d', text: 'third', least: 9, on: false },
];
const texts = ['one', 'three', 'fifteen'].map((text) => ({ id: text, text }));

function project(): TestProject {
  return new TestProject({
    'data/models.jsonl': jsonl(models),
    'data/texts.jsonl': jsonl(texts),
    'w.yaml': workflow,
  });
}

it('runs a step for each row of a table that another step makes, and gathers them as a matrix is gathered', async () => {
  using p = project();
  const plan = JSON.parse((await p.reprise('plan', 'w.yaml', '--json')).out);
  const plannedStep = (id: string) => plan.steps.find((step: { id: string }) => step.id === id);
  expect(plannedStep('answers')).toMatchObject({
    state: 'unknown',
    reason: 'runs for each row of models: unknown until that is done',
    causes: ['models'],
  });

  const first = await p.run('w.yaml');
  expect(first.statuses).toEqual([
    'models:ran',
    'texts:ran',
    'answers[id=a]:ran',
    'answers[id=b]:ran',
    'answers[id=c d]:skipped',
    'all:skipped',
    'one:ran',
    'told:skipped',
  ]);
  expect(first.step('answers[id=c d]').reason).toBe('when is false: item.on (item.on = false)');
  p.write({
    'w.yaml': workflow
      .replace('after: answers', 'if_skipped: run')
      .replace('from: answers, with', 'from: answers, if_skipped: run, with'),
  });
  const second = await p.run('w.yaml');
  expect(second.statuses.filter((text) => /all|told|one/.test(text))).toEqual([
    'all:ran',
    'one:cached',
    'told:ran',
  ]);
  const rows = (await p.reprise('show', 'latest', 'all', '--format', 'jsonl')).out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  // Duplicates by their text go: what is left came from the first.
  expect(rows.map(({ id, item, row_id }) => [id, item, row_id])).toEqual([
    ['three@item=a', 'a', 'three'],
    ['fifteen@item=a', 'a', 'fifteen'],
  ]);
  const gathered = (await p.reprise('show', 'latest', 'answers', '--format', 'jsonl')).out.trim().split('\n');
  expect(gathered.map((line) => JSON.parse(line))).toEqual(expect.arrayContaining(rows));
  expect(
    (await p.reprise('show', 'latest', 'answers[id=b]', '--format', 'jsonl')).out.trim().split('\n'),
  ).toHaveLength(2);
  const record = JSON.parse(p.read(`runs/${second.run}/run.json`));
  expect(record.steps.find(({ id }: { id: string }) => id === 'answers[id=a]')).toMatchObject({
    base: 'answers',
    matrix: { id: 'a' },
  });

  // Now the table is known: the plan has the steps.
  const later = JSON.parse((await p.reprise('plan', 'w.yaml', '--param', 'least=4', '--json')).out);
  expect(later.steps.map(({ id, state }: { id: string; state: string }) => `${id}:${state}`)).toEqual([
    'models:cached',
    'texts:cached',
    'answers[id=a]:run',
    'answers[id=b]:run',
    'answers[id=c d]:skipped',
    'all:unknown',
    'one:unknown',
    // Its program is told of the params.
    'told:run',
  ]);

  // A row more, and one changed: only those run.
  p.write({
    'data/models.jsonl': jsonl([
      { ...models[0]!, text: 'other' },
      { ...models[1]!, least: 5 },
      models[2]!,
      { id: 'e', text: 'x', least: 1, on: true },
    ]),
  });
  const third = await p.run('w.yaml');
  expect(third.statuses.slice(2, 6)).toEqual([
    'answers[id=a]:cached',
    'answers[id=b]:ran',
    'answers[id=c d]:skipped',
    // It asks for the same as a does, since params.least is more.
    'answers[id=e]:ran',
  ]);
  expect(third.step('answers[id=b]').reason).toContain('with.where');

  expect(
    (await p.run('w.yaml', '--force', 'answers[id=b]')).statuses.filter((text) => text.endsWith(':ran')),
  ).toEqual(['answers[id=b]:ran']);
  const explained = await p.reprise('cache', 'explain', 'w.yaml', 'answers[id=b]', '--json');
  expect(JSON.parse(explained.out)).toMatchObject({ step: 'answers[id=b]', state: 'hit' });
  expect((await p.reprise('cache', 'explain', 'w.yaml', 'answers')).err).toContain(
    'answers stands for 4 steps',
  );
  expect((await p.reprise('cache', 'explain', 'w.yaml', 'answers[id=x]')).err).toContain(
    'there is no step answers[id=x]',
  );
  const one = await p.run('w.yaml', '--only', 'answers[id=b]', '--force', 'answers');
  expect(one.statuses.slice(2)).toEqual(['answers[id=b]:ran']);
  const planned = await p.reprise('plan', 'w.yaml', '--only', 'answers[id=b]', '--json');
  expect(
    JSON.parse(planned.out)
      .steps.map(({ id }: { id: string }) => id)
      .slice(2),
  ).toEqual(['answers[id=b]']);
  const none = await p.run('w.yaml', '--only', 'answers[id=zz]');
  expect(none.step('answers').error).toMatchObject({
    code: 'no-such-instance',
    message: expect.stringContaining('there is no answers[id=zz]'),
  });
  const only = await p.run('w.yaml', '--only', 'answers', '--force', 'answers');
  expect(only.statuses.slice(2)).toEqual([
    'answers[id=a]:ran',
    'answers[id=b]:ran',
    'answers[id=c d]:skipped',
    'answers[id=e]:ran',
  ]);
});

it('goes with a matrix, follows a failure and an empty table, and may hang on another for_each', async () => {
  using p = project();
  p.write({
    'm.yaml': `
steps:
  models: { use: load, with: { path: data/models.jsonl, text: text, id: id } }
  texts: { use: load, with: { path: data/texts.jsonl, text: text, id: id } }
  cut:
    use: filter
    from: texts
    for_each: models
    matrix: { more: [0, 3] }
    with: { where: "size(row.text) > item.least + matrix.more" }
  some: { use: dedupe, from: "cut[more=3]" }
  single: { use: dedupe, from: "cut[more=0,id=a]" }
  each: { use: filter, from: texts, for_each: some.rows, with: { where: "row.text == item.text" } }
  last: { use: dedupe, from: each }
`,
  });
  const run = await p.run('m.yaml');
  expect(run.status).toBe('succeeded');
  expect(run.statuses.filter((text) => text.startsWith('cut'))).toHaveLength(6);
  expect(run.step('cut[more=3,id=c d]')).toMatchObject({ status: 'ran', rows: 0 });
  expect(run.step('single').rows).toBe(3);
  const ids = run.statuses.filter((text) => text.startsWith('each'));
  expect(ids[0]).toBe('each[id=fifteen@item=a]:ran');
  expect(run.step('last').status).toBe('ran');
  expect((await p.run('m.yaml')).statuses.every((text) => text.endsWith(':cached'))).toBe(true);

  p.write({ 'm.yaml': p.read('m.yaml').replace('for_each: models', 'for_each: models.rejected') });
  const none = await p.run('m.yaml');
  expect(none.step('cut[more=0]')).toMatchObject({ status: 'skipped', reason: 'models has no rows' });
  expect(none.step('last').status).toBe('skipped');

  p.write({
    'm.yaml': p
      .read('m.yaml')
      .replace('for_each: models.rejected', 'for_each: models')
      .replace('id=a]', 'id=nobody]'),
  });
  const wrong = await p.run('m.yaml');
  expect(wrong.status).toBe('failed');
  expect(wrong.step('cut[more=0]').error).toMatchObject({
    code: 'no-such-instance',
    message: expect.stringContaining('cut[id=nobody]'),
  });
});

it('uses a template for each row: what its steps read of each other is of the same row', async () => {
  using p = project();
  p.write({
    't.yaml': `
templates:
  tried:
    inputs: [texts]
    steps:
      longer: { use: filter, from: texts, with: { where: "size(row.text) > item.least" } }
      tidy: { use: dedupe, from: longer, when: "steps.longer.metrics.rows > 1" }
steps:
  models: { use: load, with: { path: data/models.jsonl, text: text, id: id } }
  texts: { use: load, with: { path: data/texts.jsonl, text: text, id: id } }
  each: { use: template:tried, from: texts, for_each: models, when: "item.on" }
  all: { use: filter, from: each, if_skipped: run, with: { where: "true" } }
  longest: { use: filter, from: "each_longer[id=b]", with: { where: "true" } }
`,
  });
  const run = await p.run('t.yaml');
  expect(run.statuses).toEqual([
    'models:ran',
    'texts:ran',
    'each_longer[id=a]:ran',
    'each_longer[id=b]:ran',
    'each_longer[id=c d]:skipped',
    'each[id=a]:ran',
    'each[id=b]:ran',
    'each[id=c d]:skipped',
    'longest:ran',
    'all:ran',
  ]);
  expect([run.step('each[id=a]').rows, run.step('each[id=b]').rows, run.step('all').rows]).toEqual([3, 2, 5]);
  const again = JSON.parse((await p.reprise('plan', 't.yaml', '--json')).out);
  expect(again.steps.map(({ state }: { state: string }) => state).join()).not.toMatch(/run|unknown/);
  const one = await p.run('t.yaml', '--only', 'each[id=b]', '--force', 'each');
  expect(one.statuses.slice(2)).toEqual(['each_longer[id=b]:cached', 'each[id=b]:ran']);
  const wrong = await p.reprise('run', 't.yaml', '--only', 'each[id=zz]');
  expect(wrong.out + wrong.err).toContain('no-such-instance');

  // One row changes: its steps alone run.
  p.write({ 'data/models.jsonl': jsonl([models[0]!, { ...models[1]!, least: 3 }, models[2]!]) });
  const changed = await p.run('t.yaml');
  expect(changed.statuses.filter((text) => text.endsWith(':ran'))).toEqual([
    'models:ran',
    'each_longer[id=b]:ran',
  ]);
});
