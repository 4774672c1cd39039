import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { Asking } from '../../engine/execute/asking.ts';
import type { JsonObject } from '../../engine/json.ts';
import { Caches } from '../../engine/store/caches.ts';
import { createLanguageModels } from '../../models/language/index.ts';
import { ModelServer, type SeenRequest } from '../../test/model-server.ts';
import { runStep } from '../../test/run-step.ts';
import { temporaryFolder } from '../../test/temporary.ts';
import generate from './index.ts';

let server: ModelServer;
let reply: (request: SeenRequest) => string = () => 'ok';

beforeEach(async () => {
  reply = () => 'ok';
  server = await ModelServer.start({ reply: (request) => reply(request) });
});
afterEach(() => server[Symbol.asyncDispose]());

/** The step with a model on the loopback server. */
function run(given: JsonObject, inputs: Record<string, Row[]>, alias: JsonObject = {}) {
  const own = { provider: 'openai', model: 'gpt-4o', base_url: server.url('openai'), ...alias };
  const models = createLanguageModels({
    root: process.cwd(),
    aliases: { writer: own },
    secret: () => undefined,
    answers: null,
    batches: Caches.open({ folder: temporaryFolder() }).batches,
  });
  const asking = new Asking({
    step: 'labels',
    models: new Map([['writer', models.find('writer')!]]),
    signal: new AbortController().signal,
    notify: () => {},
  });
  return runStep(generate, {
    with: { model: 'writer', prompt: { text: 'Label: {{text}}' }, ...given },
    inputs,
    languageModels: { writer: asking.model('writer')! },
    modelTokens: { writer: asking.tokens('writer')! },
  });
}

const said = ({ body }: SeenRequest) => body['messages'] as { role: string; content: string }[];

describe('examples', () => {
  const rows = [{ id: 'r', text: 'my card was stolen' }];
  const examples = [
    { id: 'a', text: 'top up failed', label: 'top_up' },
    { id: 'b', text: 'card was lost', label: { kind: 'card' } },
    { id: 'c', text: 'my card was stolen', label: 'given away' },
    { id: 'd', text: 'stolen card', label: null },
  ];

  it('are chosen among the rows of their input, behind the fixed ones', async () => {
    await run(
      { examples: [{ input: 'Q', output: { n: 1 } }], few_shot: { output: 'label', count: 2 } },
      { rows, examples },
    );
    expect(said(server.requests[0]!).map(({ role, content }) => [role, content])).toEqual([
      ['user', 'Q'],
      ['assistant', '{"n":1}'],
      ['user', 'Label: top up failed'],
      ['assistant', 'top_up'],
      ['user', 'Label: card was lost'],
      ['assistant', '{"kind":"card"}'],
      ['user', 'Label: my card was stolen'],
    ]);
  });

  it('and how they are chosen go together', async () => {
    await expect(run({ few_shot: { output: 'label' } }, { rows })).rejects.toThrow('there is none');
    await expect(run({}, { rows, examples })).rejects.toThrow('nothing says how');
    await expect(run({ few_shot: { output: 'lable' } }, { rows, examples })).rejects.toThrow('lable');
  });
});

describe('pictures', () => {
  const png = 'data:image/png;base64,iVBORw0KGgo=';

  it('go with the question', async () => {
    const rows = [
      { id: 'a', text: 'what is it', pictures: [png, png] },
      { id: 'b', text: 'and this', pictures: null },
      { id: 'c', text: 'and that', pictures: 'https://x.test/a.png' },
    ];
    const result = await run({ images: 'pictures' }, { rows });
    const contents = server.requests.map((request) => said(request)[0]!.content as unknown);
    expect(contents).toEqual([
      [
        { type: 'text', text: 'Label: what is it' },
        { type: 'image_url', image_url: { url: png } },
        { type: 'image_url', image_url: { url: png } },
      ],
      'Label: and this',
    ]);
    expect(result.tables['failed']![0]!['reason']).toContain('field pictures holds no picture');
  });
});

describe('a text that is too long', () => {
  const paragraph = (index: number) => `Paragraph ${index} says ${'some words more '.repeat(12)}.\n\n`;
  const text = Array.from({ length: 24 }, (_, index) => paragraph(index)).join('');
  const rows = [
    { id: 'long', text },
    { id: 'short', text: 'brief' },
  ];

  it('is asked about in parts, and the answers are put together', async () => {
    reply = ({ prompt }) =>
      prompt.includes('answers to one request') ? 'whole' : `part ${/Paragraph (\d+)/.exec(prompt)?.[1]}`;
    const result = await run({}, { rows }, { context: 250 });
    expect(result.tables['rows']!.map(({ answer }) => answer)).toEqual(['whole', 'part undefined']);
    const asked = server.requests.map((request) => said(request)[0]!.content);
    const parts = asked.filter((prompt) => prompt.startsWith('Label: Paragraph'));
    expect(parts.map((part) => part.slice('Label: '.length)).join('')).toBe(text);
    expect(parts.length).toBeGreaterThan(2);
    const combined = asked.find((prompt) => prompt.includes('answers to one request'))!;
    expect(combined).toContain('Label: […]');
    expect(combined).toMatch(/part 0[\s\S]*part \d+/);
    expect(result.metrics).toMatchObject({ rows: 2, rows_in_parts: 1 });
    expect(result.warnings).toEqual([
      `1 row was longer than 80 % of the context of writer (250 tokens), and asked about in parts: ${parts.length} at most`,
    ]);
  });

  it('is read on with the answer so far, where that is asked for', async () => {
    let count = 0;
    reply = () => `so far ${count++}`;
    const result = await run({ long_input: { method: 'refine' } }, { rows: [rows[0]!] }, { context: 300 });
    expect(result.tables['rows']![0]!['answer']).toBe(`so far ${server.requests.length - 1}`);
    expect(server.requests.length).toBeGreaterThan(2);
    expect(said(server.requests[1]!)[0]!.content).toMatch(
      /^Label: Paragraph[\s\S]*part 2 of \d[\s\S]*so far 0/,
    );
  });

  it('fails where it must, with the number of tokens', async () => {
    const failed = async (given: JsonObject, context = 250) =>
      (await run(given, { rows: [rows[0]!] }, { context })).tables['failed']![0]!['reason'];
    expect(await failed({ long_input: { method: 'fail' } })).toMatch(
      /has \d+ tokens, and the model takes 200/,
    );
    expect(await failed({ long_input: { field: 'no' } })).toContain(
      'its field no is no text that could be cut',
    );
    expect(await failed({}, 60)).toContain('without its field text');
    expect(server.requests).toEqual([]);
  });

  it('is asked about in batches: its parts in one, what they come to together in the next', async () => {
    const batch = { poll: 0.02 };
    const result = await run({}, { rows: [rows[0]!] }, { context: 300, batch });
    expect(result.tables['rows']).toMatchObject([{ answer: 'ok' }]);
    const [parts, whole] = server.batches.batches;
    expect(parts!.requests.length).toBeGreaterThan(2);
    expect(whole!.requests).toHaveLength(1);
    expect(server.batches.batches).toHaveLength(2);
    expect(server.requests).toEqual([]);
  });

  it('is asked about whole where the context is not known', async () => {
    await run({}, { rows: [rows[0]!] });
    expect(server.requests).toHaveLength(1);
  });
});

describe('the fields of an answer', () => {
  const schema = { type: 'object', properties: { id: {}, sample: {} } };

  it('are refused where they are those of the row', () => {
    const messages = (given: object) =>
      generate.check!({ prompt: { text: 'x' }, long_input: {}, unpack: true, schema, ...given } as never).map(
        ({ message }) => message.split(' would')[0],
      );
    expect(messages({ samples: 1 })).toEqual(["unpack: the schema's member id"]);
    expect(messages({ samples: 2 })).toHaveLength(2);
    expect(messages({ samples: 1, unpack: false, field: 'answer' })).toEqual([]);
  });

  it('leave the rows their ids', async () => {
    reply = () => '{"id": "theirs", "sample": 7, "a": 1}';
    const given = { schema: { type: 'object' }, unpack: true, samples: 2 };
    const { tables } = await run(given, { rows: [{ id: 'r', text: 'x' }] });
    expect(tables['rows']).toEqual([
      { id: 'r#1', text: 'x', parent_id: 'r', sample: 1, a: 1 },
      { id: 'r#2', text: 'x', parent_id: 'r', sample: 2, a: 1 },
    ]);
  });
});
