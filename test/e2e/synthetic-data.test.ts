import { expect, it } from 'vitest';
import { ModelServer } from '../model-server.ts';
import { jsonl, TestProject } from '../project.ts';

const topics = Array.from({ length: 100 }, (_, index) => ({
  id: `t${index}`,
  text: `topic ${index}: ${['cards', 'loans', 'fees', 'transfers'][index % 4]} in ${['Berlin', 'Oslo', 'Rome'][index % 3]}`,
}));
/** Two texts in each of 100 clusters. */
const grouped = Array.from({ length: 200 }, (_, index) => ({
  id: `g${index}`,
  text: `text ${index} on subject ${index >> 1}`,
  cluster: index >> 1,
}));
const texts = Array.from({ length: 100 }, (_, index) => ({
  id: `p${index}`,
  text:
    index % 2 === 0
      ? `Please be so kind as to tell the customer with the number ${index} that the new card is going to arrive by the end of the week.`
      : `def area_${index}(width, height):\n    # The area of a rectangle.\n    result = width * height\n    return result + ${index}\n`,
}));
const words = 'moon river stone lamp cloud tiger apple glass paper train piano wheel'.split(' ');

it('makes 500 queries that fit a schema, are new and known by where they come from; 100 pairs of texts and code; 100 summaries by two models', async () => {
  let made = 0;
  const reply = ({ prompt, attempt }: { prompt: string; attempt: number }) => {
    const number = Number(/\d+/.exec(prompt)?.[0]);
    if (prompt.startsWith('Shorter code'))
      return `\`\`\`python\ndef area_${number}(w,h): return w*h+${number}\n\`\`\``;
    if (prompt.startsWith('Shorter')) return `Tell customer ${number}: new card arrives this week.`;
    if (prompt.startsWith('Name'))
      return JSON.stringify({ title: `Subject ${number}`, description: 'What it is.' });
    if (!prompt.startsWith('Invent'))
      return JSON.stringify({ query: 'mended query of its own', intent: 'other' });
    // Every tenth repeats the one before it, nearly; every seventh is no JSON, and has to be repaired.
    if (++made % 7 === 0) return 'Here you are!';
    const salt = made % 10 === 0 ? made - 1 : made;
    const query = Array.from(
      { length: 9 },
      (_, at) => words[(salt * (at + 3) + (salt >> (at % 5)) + at * at) % 12],
    );
    return JSON.stringify({ query: `${query.join(' ')} ${number} ${attempt}`, intent: 'ask' });
  };
  await using server = await ModelServer.start({ latencyMs: 50, reply });
  const model = (name: string) =>
    `{ provider: openai, base_url: "${server.url('openai')}", model: ${name}, concurrency: 8, price: { input: 1, output: 2 } }`;
  using project = new TestProject({
    'topics.jsonl': jsonl(topics),
    'grouped.jsonl': jsonl(grouped),
    'texts.jsonl': jsonl(texts),
    'w.yaml': `
models: { fast: ${model('fast').replace('concurrency: 8', 'concurrency: 64')}, one: ${model('one')}, two: ${model('two')} }
steps:
  topics: { use: load, with: { path: topics.jsonl, text: text, id: id } }
  queries:
    use: generate
    from: topics
    with:
      model: fast
      samples: 5
      unpack: true
      prompt: { text: "Invent a query about {{text}}" }
      schema: { type: object, properties: { query: { type: string, minLength: 5 }, intent: { enum: [ask, other] } }, required: [query, intent], additionalProperties: false }
  new: { use: dedupe, from: queries, with: { method: minhash, fields: [query], threshold: 0.8 } }
  texts: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  pairs:
    use: compress
    from: texts
    with: { method: model, model: fast, compress_nl: { text: "Shorter: {{text}}" }, compress_code: { text: "Shorter code: {{text}}" } }
  grouped: { use: load, with: { path: grouped.jsonl, text: text, id: id } }
  names:
    use: summarize
    from: grouped
    matrix: { model: [one, two] }
    with: { method: model, model: "\${{ matrix.model }}", outside: 0, prompt: { text: "Name {{texts.[0]}}" } }
`,
  });
  const run = await project.run('w.yaml');
  expect(run.code, run.err).toBe(0);
  const rows = async (step: string) =>
    (await project.reprise('show', run.run, step, '--format', 'jsonl')).out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);

  expect(run.step('queries')).toMatchObject({ rows: 500, rows_failed: 0 });
  const queries = await rows('queries');
  expect(queries.every(({ query, intent }) => query!.length >= 5 && ['ask', 'other'].includes(intent!))).toBe(
    true,
  );
  expect(new Set(queries.map(({ parent_id }) => parent_id))).toEqual(new Set(topics.map(({ id }) => id)));
  const answers = await rows('queries.answers');
  expect(answers).toHaveLength(500);
  expect(answers.every(({ row, model, provider }) => row && model === 'fast' && provider === 'openai')).toBe(
    true,
  );
  // What is left is new: no two are alike.
  expect(run.step('new').rows).toBeLessThan(500);
  expect(new Set((await rows('new')).map(({ query }) => query)).size).toBe(run.step('new').rows);

  expect(run.step('pairs').metrics).toMatchObject({ rows: 100, rejected: 0 });
  const pairs = await rows('pairs');
  expect(pairs.filter(({ domain }) => domain === 'code')).toHaveLength(50);
  expect(pairs[1]).toMatchObject({ compressed: 'def area_1(w,h): return w*h+1' });
  const costs = JSON.parse((await project.reprise('runs', 'cost', run.run, '--json')).out) as {
    steps: { step: string; cost: { usd: number }; latency_ms: (number | null)[] }[];
  };
  const cost = costs.steps.find(({ step }) => step === 'pairs')!;
  expect(cost.cost.usd).toBeGreaterThan(0);
  // The server takes 50 ms for an answer.
  expect(cost.latency_ms[0]).toBeGreaterThanOrEqual(50);

  for (const model of ['one', 'two']) {
    const { rows: count, metrics } = run.step(`names[model=${model}]`);
    expect({ count, metrics }).toMatchObject({ count: 100, metrics: { clusters: 100 } });
  }
  const asked = server.requests.length;
  const again = await project.run('w.yaml');
  const known = await project.reprise('runs', 'cost', again.run, '--json');
  expect((JSON.parse(known.out) as typeof costs).steps.every(({ latency_ms: [ms] }) => ms === null)).toBe(
    true,
  );
  expect(again.steps.every(({ status }) => status === 'cached')).toBe(true);
  expect(again.cost.saved_usd).toBeGreaterThan(0);
  expect(server.requests).toHaveLength(asked);
});
