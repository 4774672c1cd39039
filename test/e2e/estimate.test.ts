import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { expect, it } from 'vitest';
import { ModelServer } from '../model-server.ts';
import { jsonl, TestProject } from '../project.ts';

const words = 'the card of a customer did not arrive in time and was charged twice abroad'.split(' ');
const someWords = (count: number, start: number) =>
  Array.from({ length: count }, (_, index) => words[(start + index * 7) % words.length]).join(' ');
/** Texts of 5 to 60 words, answers of 3 to 40. */
const rows = Array.from({ length: 200 }, (_, index) => ({
  id: `r${index}`,
  text: `${index} ${someWords(5 + ((index * 37) % 56), index)}`,
}));

it('a plan says within a tenth what a run then costs, tokens and dollars, and the run costs what the server counted', async () => {
  const counted = { input: 0, output: 0 };
  await using server = await ModelServer.start({
    reply: ({ prompt }) => someWords(3 + ((Number(/\d+/.exec(prompt)?.[0]) * 29) % 38), 3),
    usage: ({ body }, text) => {
      // Four tokens frame a message, three begin the answer, as OpenAI counts.
      const input = (body['messages'] as { content: string }[]).reduce(
        (sum, { content }) => sum + 4 + countTokens(content),
        3,
      );
      counted.input += input;
      counted.output += countTokens(text);
      return { prompt_tokens: input, completion_tokens: countTokens(text) };
    },
  });
  using project = new TestProject({
    'texts.jsonl': jsonl(rows.slice(0, 40)),
    'w.yaml': `
models: { writer: { provider: openai, base_url: "${server.url('openai')}", model: small, price: { input: 2, output: 8 } } }
steps:
  texts: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  labels:
    use: generate
    from: texts
    with: { model: writer, system: { text: "You sort the mail of a bank." }, prompt: { text: "What is it about? {{text}}" } }
`,
  });
  expect((await project.run('w.yaml')).code).toBe(0);
  project.write({ 'texts.jsonl': jsonl(rows) });
  // As long as the rows are not there, nobody knows; the plan says what to run for it.
  const early = await project.reprise('plan', 'w.yaml');
  expect(early.out).toContain('what that costs is known after texts (reprise run w.yaml --only texts)');
  expect((await project.run('w.yaml', '--only', 'texts')).code).toBe(0);
  const { asks } = JSON.parse((await project.reprise('plan', 'w.yaml', '--json')).out) as {
    asks: { calls: number; input_tokens: number; output_tokens: number; usd: number }[];
  };
  expect(asks).toMatchObject([{ calls: 160 }]);
  counted.input = 0;
  counted.output = 0;
  const run = await project.run('w.yaml');
  expect(run.cost).toMatchObject({ input_tokens: counted.input, output_tokens: counted.output });
  expect(run.cost.usd).toBeCloseTo((counted.input * 2 + counted.output * 8) / 1e6, 10);
  const off = (estimate: number, actual: number) => Math.abs(estimate / actual - 1);
  expect(off(asks[0]!.input_tokens, counted.input)).toBeLessThan(0.1);
  expect(off(asks[0]!.output_tokens, counted.output)).toBeLessThan(0.1);
  expect(off(asks[0]!.usd, run.cost.usd)).toBeLessThan(0.1);
});
