import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { SchemaElement } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import { compileSchema } from '../../engine/workflow/schema-check.ts';
import { folderWith, runStep, type StepOutputs } from '../../test/run-step.ts';
import { conversationOf } from './conversation.ts';
import load from './index.ts';
import { shapeRecord } from './shape.ts';

const root = join(import.meta.dirname, 'fixtures', 'chats');
const chats = (parameters: JsonObject): Promise<StepOutputs> => runStep(load, { root, with: parameters });

describe('LMSYS', () => {
  const lmsys = (more: JsonObject): Promise<StepOutputs> =>
    chats({ path: 'lmsys.jsonl', id: 'conversation_id', shape: 'auto', ...more });

  it('gives the text that `turns` asks for, with the ids of its turns', async () => {
    const first = async (turns: string | number): Promise<unknown[]> => {
      const row = (await lmsys({ turns })).tables['rows']![0]!;
      return [row.id, row['text'], row['turn_ids']];
    };
    expect(await first('full')).toEqual([
      'c1',
      'user: How do I boil an egg?\n\nassistant: Eight minutes in boiling water.\n\nuser: And a soft one?\n\nassistant: Five.',
      ['c1#1', 'c1#2', 'c1#3', 'c1#4'],
    ]);
    expect(await first('first_user')).toEqual(['c1', 'How do I boil an egg?', ['c1#1']]);
    expect(await first(1)).toEqual(await first('first_user'));
    expect(await first(2)).toEqual(['c1', 'And a soft one?', ['c1#3']]);
    expect((await lmsys({ turns: 3, max_rejected: '100%' })).tables['rejected']![0]).toMatchObject({
      reason: 'there is no turn 3 of the user: there are 2',
    });
    expect(await first('all_user')).toEqual([
      'c1',
      'How do I boil an egg?\n\nAnd a soft one?',
      ['c1#1', 'c1#3'],
    ]);
  });

  it('keeps model, language and what else there is, and says the time', async () => {
    const [, row] = (await lmsys({ turns: 'first_user' })).tables['rows']!;
    expect(row).toEqual({
      id: 'c2',
      text: 'Привет! Как дела?',
      messages: [
        { role: 'user', content: 'Привет! Как дела?' },
        { role: 'assistant', content: 'Хорошо, спасибо!' },
      ],
      model: 'koala-13b',
      turn: 1,
      language: 'Russian',
      openai_moderation: [{ flagged: false }],
      redacted: false,
      tstamp: 1682351680,
      timestamp: '2023-04-24T15:54:40.000Z',
      turn_ids: ['c2#1'],
    });
  });

  it('makes a row of each turn of the user', async () => {
    const { tables, metrics } = await lmsys({ turns: 'each_user', columns: ['model'] });
    expect(tables['rows']).toEqual([
      { id: 'c1#1', model: 'vicuna-13b', text: 'How do I boil an egg?', parent_id: 'c1' },
      { id: 'c1#3', model: 'vicuna-13b', text: 'And a soft one?', parent_id: 'c1' },
      { id: 'c2#1', model: 'koala-13b', text: 'Привет! Как дела?', parent_id: 'c2' },
    ]);
    expect(metrics['records']).toBe(Number(metrics['rows']) + Number(metrics['rejected']));
  });

  it('rejects what is no conversation, with line and reason', async () => {
    const { tables, warnings } = await lmsys({ shape: 'lmsys', turns: 'first_user' });
    expect(tables['rejected']!.map((row) => [row['line'], row['code'], row['reason']])).toEqual([
      [3, 'invalid_conversation', 'conversation is a string, not an array'],
      [4, 'invalid_conversation', 'turn 1 has the role narrator, which is none of a conversation'],
      [5, 'invalid_conversation', 'the conversation has no turns'],
      [6, 'missing_text', 'no turn of the user has a text'],
      [7, 'invalid_conversation', 'turn 1 has no content'],
      [8, 'invalid_json', expect.stringContaining('not JSON')],
    ]);
    expect(warnings.join()).toContain('6 of 8 records rejected (4 no conversation');
  });

  it('has the same ids for every choice of turns, without ids of its own', async () => {
    const ids = async (turns: string): Promise<string[]> => {
      const { tables } = await chats({ path: 'lmsys.jsonl', shape: 'lmsys', turns, limit: 2 });
      return tables['rows']!.map((row) => (row['parent_id'] as string) ?? row.id);
    };
    const full = await ids('full');
    expect(await ids('first_user')).toEqual(full);
    expect(await ids('all_user')).toEqual(full);
    expect(await ids('each_user')).toEqual([full[0], full[0]]);
  });
});

describe('other formats', () => {
  const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' } as const;
  const schema: SchemaElement[] = [
    { name: 'root', num_children: 2 },
    { name: 'conversation_id', ...text },
    { name: 'conversation', repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'OPTIONAL', num_children: 2 },
    { name: 'content', ...text },
    { name: 'role', ...text },
  ];
  const conversation = [
    { content: 'hi', role: 'user' },
    { content: 'yo', role: 'assistant' },
  ];

  it('holds conversations, too: lists of Parquet, JSON in CSV', async () => {
    const columnData = [
      { name: 'conversation_id', data: ['a'] },
      { name: 'conversation', data: [conversation] },
    ];
    const folder = folderWith({
      'a.parquet': new Uint8Array(parquetWriteBuffer({ schema, columnData })),
      'a.csv': `conversation_id,conversation\na,"${JSON.stringify(conversation).replaceAll('"', '""')}"\n`,
    });
    const same = { shape: 'auto', id: 'conversation_id', turns: 'first_user' };
    const row = { id: 'a', text: 'hi', messages: conversation, turn_ids: ['a#1'] };
    for (const more of [{ path: 'a.parquet' }, { path: 'a.csv', cast: { conversation: 'json' } }]) {
      const { tables, warnings } = await runStep(load, {
        root: folder,
        with: { ...same, ...more } as JsonObject,
      });
      expect([tables['rows'], warnings]).toEqual([[row], []]);
    }
    rmSync(folder, { recursive: true });
  });
});

describe('message logs', () => {
  it('reads those of OpenAI', async () => {
    const { tables } = await chats({ path: 'openai.jsonl', shape: 'auto' });
    expect(tables['rows']!.map((row) => row['text'])).toEqual([
      'system: Be brief.\n\nuser: Capital of Chile?\n\nassistant: Santiago.',
      'developer: Use the tool.\n\nuser: Weather in\nOslo?\n\ntool: 4 degrees\n\nassistant: Four degrees.',
      'assistant: Yes.',
      'system: Be kind.\n\nuser: Who are you?\n\nassistant: A model.',
    ]);
    const [plain, log] = tables['rows']!;
    expect(plain!['messages']).toContainEqual({ role: 'assistant', content: 'Santiago.', weight: 1 });
    expect(log).toMatchObject({
      custom_id: 'r1',
      model: 'gpt-5-mini-2025-08-07',
      timestamp: '2025-08-06T17:06:40.000Z',
      request: { model: 'gpt-5-mini', temperature: 0 },
      response: { choices: [{ finish_reason: 'stop' }] },
    });
    expect(log!['request']).not.toHaveProperty('messages');
    const { turn_ids, messages } = log as unknown as { turn_ids: string[]; messages: JsonObject[] };
    expect(turn_ids).toEqual([1, 2, 4, 5].map((turn) => `${log!.id}#${turn}`));
    expect(messages[1]!['parts']).toHaveLength(3);
    expect(messages[2]!['tool_calls']).toHaveLength(1);
    expect(tables['rejected']!.map((row) => [row['line'], row['reason']])).toEqual([
      [4, 'the log has an error for a reply: It took too long.'],
    ]);
  });

  it('reads those of Anthropic: a result of a tool is nothing that the user said', async () => {
    const { tables } = await chats({ path: 'anthropic.jsonl', shape: 'auto', id: 'custom_id' });
    const [row] = tables['rows']!;
    expect(row!['text']).toBe(
      'system: Be brief.\n\nuser: List the files.\n\nassistant: I will look.\n\nassistant: One file: a.txt.',
    );
    expect(row!['turn_ids']).toEqual(['a1#1', 'a1#2', 'a1#3', 'a1#5']);
    expect(row!['model']).toBe('claude-opus-4-20250514');
    const users = await chats({ path: 'anthropic.jsonl', shape: 'messages', turns: 'all_user' });
    expect(users.tables['rows']![0]!['text']).toBe('List the files.');
    expect(tables['rejected']![0]!['reason']).toBe('the log has an error for a reply: Overloaded');
  });
});

describe('ShareGPT and Alpaca', () => {
  it('reads ShareGPT', async () => {
    const { tables } = await chats({ path: 'sharegpt.json', shape: 'auto', id: 'id' });
    expect(tables['rows']!.map((row) => row['text'])).toEqual([
      'user: Write a haiku.\n\nassistant: Leaves fall.',
      'system: Be a pirate.\n\nuser: Hello\n\nassistant: Arr\n\nuser: Bye',
    ]);
    expect(tables['rejected']![0]).toMatchObject({ line: 18, reason: 'turn 1 has no role' });
  });

  it('reads Alpaca', async () => {
    const { tables } = await chats({ path: 'alpaca.json', shape: 'auto', turns: 'all_user' });
    expect(tables['rows']!.map((row) => row['text'])).toEqual([
      'Translate to French.\n\nGood day',
      'Name a fruit.\n\nName a colour.',
    ]);
    expect(tables['rejected']![0]).toMatchObject({ line: 4, reason: 'instruction is null, not a text' });
  });
});

describe('MMLU', () => {
  it('reads a CSV file without a header', async () => {
    const { tables } = await chats({ path: 'abstract_algebra_test.csv', shape: 'mmlu' });
    expect(tables['rows']![1]).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
      text: 'Find the index of <p> in S_5, where p = (1, 2).',
      choices: ['8', '2', '24', '60'],
      answer: 'D',
      subject: 'abstract_algebra',
    });
    expect(tables['rejected']).toMatchObject([
      { line: 3, code: 'invalid_question', reason: 'the answer "E" is none of the 4 choices' },
    ]);
  });

  it('reads a header, lists of choices, numbers and labels for answers', () => {
    const question = (record: JsonObject) => shapeRecord(record, 'mmlu', 'full', 'x.csv');
    const fields = { text: 'Q?', choices: ['a', 'b'], answer: 'B' };
    const records: JsonObject[] = [
      { question: 'Q?', A: 'a', B: 'b', answer: 'b' },
      { question: 'Q?', choices: ['a', 'b'], answer: 1 },
      { question: 'Q?', choices: '["a", "b"]', answer: '1' },
      { question: 'Q?', choices: { text: ['a', 'b'], label: ['1', '2'] }, answerKey: '2' },
    ];
    for (const record of records) expect(question(record)).toMatchObject({ record: fields });
    expect(question({ question: 'Q?', choices: ['a'], answer: 0 })).toHaveProperty(
      'code',
      'invalid_question',
    );
    expect(question({ text: 'Q?' })).toMatchObject({ reason: 'question is missing, not a text' });
  });
});

describe('what could be said wrong', () => {
  it('is rejected or refused with what to say', async () => {
    const record = { messages: [], conversations: [] };
    expect(conversationOf(record, 'auto')).toMatchObject({
      reason: 'it could be sharegpt or messages: say which, as in shape: sharegpt',
    });
    expect(conversationOf({ a: 1, b: 2 }, 'auto')).toMatchObject({
      reason: 'no conversation: it has the fields a, b; say shape if it is one',
    });
    const check = (parameters: JsonObject): string[] =>
      load.check!(compileSchema(load.parameters).parse({ path: 'x', ...parameters })).map(
        ({ message }) => message,
      );
    expect(check({ turns: 'first_user' })).toEqual([
      'turns is about conversations: say shape: auto, or which shape it is',
    ]);
    expect(check({ shape: 'auto', text: 'text' })).toHaveLength(1);
  });

  it('never is more than a flaw', () => {
    const members = fc.constantFrom(
      'messages', 'conversation', 'conversations', 'instruction', 'output', 'input', 'history', 'system',
      'request', 'response', 'body', 'choices', 'message', 'result', 'role', 'content', 'from', 'value',
      'question', 'answer', 'tstamp', '__proto__', 'text', 'error', 'custom_id', 'type',
    ); // biome-ignore format: a list of words
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(null, 'user', 'assistant', 'text', '', 0, 1e12, true),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(members, tie('tree'), { maxKeys: 5 }),
      ),
    }));
    const records = fc.dictionary(members, tree, { maxKeys: 5 });
    const shape = fc.constantFrom('auto', 'lmsys', 'messages', 'sharegpt', 'alpaca', 'mmlu');
    const turns = fc.constantFrom('full', 'first_user', 'all_user', 'each_user', 2);
    fc.assert(
      fc.property(records, shape, turns, (record, asked, choice) => {
        const before = JSON.stringify(record);
        const shaped = shapeRecord(record as JsonObject, asked as 'auto', choice as 'full', 'x');
        expect(JSON.stringify(record)).toBe(before);
        if ('code' in shaped) expect(shaped.reason).toMatch(/\S/);
        else expect(typeof (shaped.rows?.[0]?.fields ?? shaped.record)['text']).toBe('string');
      }),
      { numRuns: 2000 },
    );
  });

  it('takes texts of 100 kB', async () => {
    const long = 'слово '.repeat(20_000);
    const turn = conversationOf(
      {
        conversations: [
          { from: 'human', value: long },
          { from: 'gpt', value: 'ok' },
        ],
      },
      'auto',
    );
    expect(turn).toMatchObject({ turns: [{ content: long }, { content: 'ok' }] });
  });
});
