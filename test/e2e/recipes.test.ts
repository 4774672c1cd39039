import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type DocsExample, docsExamples, filesOf, root } from '../docs-examples.ts';
import { jsonl, type RunSummary, summaryOf, TestProject } from '../project.ts';

const examples = docsExamples();

/** Sixty real questions of five intents, the classes being teams. */
const questions = readFileSync(join(root, 'use-cases/support-topics/data/queries.jsonl'), 'utf8')
  .split('\n', 4000)
  .map((line) => JSON.parse(line) as { id: string; text: string; label: string });
const intents = [...new Set(questions.map(({ label }) => label))].slice(0, 5);
const tickets = intents.flatMap((label) => questions.filter((row) => row.label === label).slice(0, 12));
const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;

const data = {
  'data/tickets.csv': `ticket,message,team\n${tickets
    .map(({ id, text, label }) => `${id},${cell(text)},${label}\n`)
    .join('')}`,
  'data/dated.jsonl': jsonl(
    tickets.map(({ id, text }, index) => ({
      id,
      text,
      // Five a week; the first intent's all in one.
      created_at: new Date(Date.UTC(2026, 2, 2 + 7 * (index < 12 ? 6 : index % 12))).toISOString(),
      quarter: index < 12 || index % 12 > 4 ? 'Q2' : 'Q1',
    })),
  ),
  'data/new.jsonl': jsonl(
    tickets.slice(0, 6).map(({ id, text }) => ({ id: `new-${id}`, text: `${text} Please help.` })),
  ),
  // Each of twelve questions, so that there is something to leave out.
  'data/contexts.jsonl': jsonl(
    intents.map((label, index) => ({
      id: label,
      text: tickets
        .slice(12 * index, 12 * index + 12)
        .map(({ text }) => text)
        .join('  '),
    })),
  ),
  'data/messages-en-ru.jsonl': jsonl([
    { id: 'e1', text: 'Where is the card that I ordered?', team: 'cards' },
    { id: 'e2', text: 'My card is lost, please block it', team: 'cards' },
    { id: 'e3', text: 'The transfer to my brother has not arrived', team: 'transfers' },
    { id: 'e4', text: 'How long does a transfer to Spain take?', team: 'transfers' },
    { id: 'e5', text: 'Tell me a joke', team: 'other' },
    { id: 'r1', text: 'Где карта, которую я заказал?', team: 'cards' },
    { id: 'r2', text: 'Моя карта сломалась, что делать?', team: 'cards' },
    { id: 'r3', text: 'Перевод брату не пришёл', team: 'transfers' },
    { id: 'r4', text: 'Сколько идёт перевод в Испанию?', team: 'transfers' },
    { id: 'r5', text: 'Перевод на карту другого банка', team: 'transfers' },
  ]),
  'data/questions.jsonl': jsonl([
    { text: 'Too short' },
    { text: 'Where is the card that I ordered two weeks ago?' },
    { text: 'Where is the card that I ordered two weeks ago?' },
  ]),
  'data/models.jsonl': jsonl([
    { name: 'small', active: true, longest: 40 },
    { name: 'large', active: true, longest: 400 },
    { name: 'old', active: false, longest: 10 },
  ]),
  'data/queries.jsonl': jsonl(tickets.map(({ id, text }) => ({ id, text }))),
  'data/answers.jsonl': jsonl(
    tickets.slice(0, 12).map(({ id, text, label }, index) => ({
      id,
      question: text,
      topic: label,
      answer: index === 3 ? 'No idea.' : 'Please wait for a day. '.repeat(1 + (index % 4)).trim(),
      person: index < 6 ? 1 + (index % 4) : null,
    })),
  ),
  'data/games.jsonl': jsonl(
    tickets.slice(0, 12).map(({ id, text }, index) => ({
      id,
      question: text,
      first: 'Please wait for a day. '.repeat(1 + (index % 3)),
      second: 'Please wait for a day. '.repeat(2),
      first_model: index % 2 === 0 ? 'one' : 'two',
      second_model: index % 2 === 0 ? 'two' : 'one',
    })),
  ),
  'data/chats.jsonl': jsonl(
    ['How do I boil an egg?', 'how do I  boil an egg?', 'Как сварить яйцо?'].map((content, index) => ({
      conversation_id: `c${index}`,
      model: 'one',
      language: index === 2 ? 'Russian' : 'English',
      conversation: [
        { role: 'user', content },
        { role: 'assistant', content: 'Eight minutes.' },
      ],
    })),
  ),
  'data/asked-for.jsonl': jsonl([{ text: 'boiled eggs' }, { text: 'the weather' }]),
  'data/messy.csv': [
    'ticket,message,score',
    '1,Where is my new card?,5',
    '2,"where is my new card",4',
    '3,short,5',
    '4,Why was my payment declined?,2',
    '5,How do I change my PIN at a machine?,high',
    '6,Can I top up by cheque?,3',
    '6,The same id again,3\n',
  ].join('\n'),
};

/** What each workflow must give, by its name. */
const expected: Record<string, (run: RunSummary, p: TestProject) => void> = {
  tickets(run, p) {
    expect(run.step('names').rows).toBe(5);
    expect(p.read('out/topics.csv').split('\n')[0]).toContain('cluster');
    expect(existsSync(p.path(`runs/${run.run}/report.html`))).toBe(true);
  },
  how_many_topics(run) {
    for (const k of [3, 5, 8]) expect(run.step(`topics[k=${k}]`).metrics['k']).toBe(k);
    const scores = [3, 5, 8].map((k) => Number(run.step(`scores[k=${k}]`).metrics['v_measure']));
    expect(Math.max(...scores)).toBeGreaterThan(0.4);
    expect(new Set(scores).size).toBe(3);
  },
  dense_topics(run, p) {
    expect(run.step('topics').metrics['k']).toBeGreaterThan(1);
    expect(run.step('names').rows).toBe(run.step('topics').metrics['k']);
    expect(run.step('map').metrics['trustworthiness']).toBeGreaterThan(0.7);
    expect(existsSync(p.path(`runs/${run.run}/report.html`))).toBe(true);
  },
  topics_over_time(run, p) {
    expect(run.step('over_time')).toMatchObject({ rows: 5, metrics: { slices: 12, bursts: 1 } });
    expect(run.step('quarters').metrics).toMatchObject({ sources: 2, rows: 60 });
    expect(run.step('quarters').metrics['domain_auc']).toBeGreaterThan(0.5);
    expect(p.read(`runs/${run.run}/report.html`)).toContain('Over time');
  },
  chat_search(run) {
    expect(run.step('found').metrics).toMatchObject({ queries: 2, documents: 2, left_out: 1 });
    expect(run.step('found').metrics['hits']).toBeGreaterThan(1);
  },
  asked_of_models(run, p) {
    expect(run.step('chats').rows).toBe(3);
    expect(run.step('unique').rows).toBe(1);
    expect(p.read('out/asked.csv')).toContain('How do I boil an egg?');
  },
  clean(run, p) {
    expect(run.step('raw').metrics).toMatchObject({ records: 7, rejected: 2 });
    expect(run.step('unique').rows).toBe(2);
    expect(p.read('out/rejected.csv')).toContain('high');
    expect(existsSync(p.path('out/clean.parquet'))).toBe(true);
  },
  training_gate(run, p) {
    expect(run.step('scored').metrics['dataset_score']).toBeGreaterThan(60);
    expect(run.step('checked').metrics).toMatchObject({ expectations: 4, failed: 0 });
    expect(run.step('suspects').metrics['error_share']).toBeLessThan(0.2);
    const kept = p.read('out/train.jsonl').trim().split('\n').length;
    expect(kept + Number(run.step('suspects').metrics['errors'])).toBe(run.step('checked').rows);
    expect(p.read('out/label-errors.csv')).toContain('suggested_label');
  },
  by_team(run, p) {
    expect(run.step('teams').rows).toBe(5);
    expect(existsSync(p.path('out/teams.xlsx'))).toBe(true);
  },
  with_python(run) {
    expect(run.step('words').rows).toBe(60);
    expect(run.step('long').rows).toBeGreaterThan(0);
    expect(run.step('long').rows).toBeLessThan(60);
  },
  judged_answers(run, p) {
    expect(run.step('verdicts')).toMatchObject({ rows: 12, rows_failed: 0 });
    expect(run.step('passes').metrics['pass_rate']).toBeGreaterThan(0);
    expect(run.step('people').metrics['accuracy']).toBeDefined();
    expect(run.step('worth').metrics).toMatchObject({ labelled: 6, rows: 12 });
    expect(existsSync(p.path(`runs/${run.run}/report.html`))).toBe(true);
  },
  arena(run) {
    expect(run.step('verdicts').metrics).toMatchObject({ first_wins: 4, ties: 4, consistency: 0.666667 });
    expect(run.step('table').metrics).toMatchObject({ games: 12, players: 2 });
  },
  no_model(run) {
    expect(run.step('old_vectors').metrics['dimensions']).toBe(16);
    expect(run.step('new_vectors')).toMatchObject({ rows: 6, metrics: { dimensions: 16 } });
  },
  shorter_contexts(run, p) {
    const rows = p
      .read('out/contexts.jsonl')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { text: string; compressed: string });
    expect(rows).toHaveLength(5);
    // The rate counts tokens: words that are kept are longer than those that go.
    for (const { text, compressed } of rows) expect(compressed.length).toBeLessThan(0.8 * text.length);
    expect(run.step('short').metrics).toMatchObject({ missed: 0, rejected: 0 });
  },
  labels_in_two_languages(run, p) {
    // Of the last message the script says now one, now the other; the joke is of no class.
    expect(p.read('out/for-people.csv').trim().split('\n')).toHaveLength(3);
    expect(run.step('labels').metrics).toMatchObject({ rows: 10, classes: 2 });
    expect(run.step('more').metrics).toMatchObject({ rows: 8 });
    expect(run.step('scores').metrics['accuracy']).toBe(0.9);
    expect(run.step('head').metrics).toMatchObject({ classes: 2 });
  },
  cross_validation(run) {
    expect(run.step('scores')).toMatchObject({ metrics: { rows: 60 } });
    expect(run.step('scores').metrics['accuracy']).toBeGreaterThan(0.7);
  },
  gate(run) {
    expect(run.step('gate')).toMatchObject({ status: 'ran', metrics: { failed: 0 } });
  },
  since_last_run(run, p) {
    expect(run.step('list').status).toBe('ran');
    expect(p.read('out/weak-classes.csv')).toContain('best_cluster');
  },
  ticket_topics(run) {
    expect(run.step('names').rows).toBe(12);
  },
  long_questions(run) {
    expect(run.step('questions').rows).toBe(3);
    expect(run.step('unique').rows).toBe(1);
  },
  answers_by_model(run) {
    expect(run.step('answers[id=old]').status).toBe('skipped');
    const [small, large] = ['small', 'large'].map((id) => run.step(`answers[id=${id}]`).rows!);
    expect(small).toBeLessThan(large!);
    expect(run.step('all').rows).toBeGreaterThanOrEqual(large!);
  },
  nightly(run) {
    expect(run.warnings).not.toContainEqual(expect.stringContaining('webhook'));
  },
  topics_of_questions(run) {
    expect(run.step('vectors').rows).toBe(3);
  },
  million_texts(run) {
    expect(run.step('static').metrics).toMatchObject({ tokens: 7, dimensions: 4 });
    expect(run.step('vectors').rows).toBe(60);
    expect(run.step('names').rows).toBe(5);
  },
  own_encoder(run) {
    expect(run.step('vectors').rows).toBe(6);
  },
};

const named = (example: DocsExample) => /^name: (\w+)$/m.exec(example.text)![1]!;
/** Whole workflows; fragments have no name. */
const workflows = examples.filter(({ language, text }) => language === 'yaml' && /^name: /m.test(text));
const hasPython = spawnSync('python3', ['--version']).status === 0;

it('runs every workflow in README.md and docs/ as it stands there', async ({ annotate }) => {
  expect(workflows.map(named).sort()).toEqual(Object.keys(expected).sort());
  using p = new TestProject({ ...data, ...filesOf(examples) });
  cpSync(join(root, 'test/fixtures/encoders/tiny'), p.path('models/my-encoder'), { recursive: true });
  for (const recipe of workflows) {
    const name = named(recipe);
    if (name === 'with_python' && !hasPython) {
      await annotate('python3 is not there: the recipe with Python was not run');
      continue;
    }
    p.write({ [`${name}.yaml`]: recipe.text });
    const run = summaryOf(await p.start(['run', `${name}.yaml`, '--json'], { HOOK: 'a-secret' }).ended);
    expect(run, `${name}: ${run.err}`).toMatchObject({ code: 0, status: 'succeeded' });
    expected[name]!(run, p);
  }
});
