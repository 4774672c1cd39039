import { describe, expect, it } from 'vitest';
import { cleaned, jsonIn, OutputChecks } from './output.ts';

describe('cleaned', () => {
  it.each([
    ['plain text', 'plain text'],
    ['<think>hm</think>yes', 'yes'],
    ['<THINK>\nhm\n</THINK>\n\nyes', 'yes'],
    ['<think>one</think> <reasoning>two</reasoning>\nyes', 'yes'],
    ['a <think>one</think> b', 'a <think>one</think> b'],
    ['Put it between `<think>` and `</think>`.', 'Put it between `<think>` and `</think>`.'],
    ['{"code":"<think>x</think>"}', '{"code":"<think>x</think>"}'],
    ['<think>a <think>b</think> c</think>d', 'd'],
    ['thinking without a beginning\n</think>\n\nyes', 'yes'],
    ['thinking without <reasoning>\n</think>\nyes', 'yes'],
    [
      'Templates look like this:\n<think>\nreasons\n</think>\nThat is all.',
      'Templates look like this:\n<think>\nreasons\n</think>\nThat is all.',
    ],
    ['First\n<THINK>\na\n</think>\nThen', 'First\n<THINK>\na\n</think>\nThen'],
    ['The mark </think> ends it.', 'The mark </think> ends it.'],
    ['<think>a</think>Then write\n</think>\nalone.', 'Then write\n</think>\nalone.'],
    ['<tool_call>{"name":"x"}</tool_call>done', 'done'],
    ['<think>думаю</think>да', 'да'],
    ['1 < 2 and <b>bold</b>', '1 < 2 and <b>bold</b>'],
    ['<think>never ends', null],
    ['yes <think>but then', 'yes <think>but then'],
    ['<think>a</think><think>b', null],
    ['', ''],
  ])('%j gives %j', (text, expected) => expect(cleaned(text)).toBe(expected));
});

describe('jsonIn', () => {
  it.each([
    ['{"a":1}', { a: 1 }],
    ['```json\n{"a":1}\n```', { a: 1 }],
    ['Here it is:\n```\n[1,2]\n```\nBye', [1, 2]],
    ['The answer is {"a":{"b":"}"}} as asked.', { a: { b: '}' } }],
    ['"text"', 'text'],
    ['no json', undefined],
    ['{"a":', undefined],
    ['{broken} and {more}', undefined],
  ])('%j holds %j', (text, expected) => expect(jsonIn(text)).toEqual(expected));
});

describe('OutputChecks', () => {
  it('says what does not fit', async () => {
    const checks = new OutputChecks();
    const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
    expect(await checks.check('{"n":1}', schema)).toEqual({ json: { n: 1 } });
    expect(await checks.check('{"n":"1"}', schema)).toEqual({ wrong: '/n must be integer' });
    expect(await checks.check('{}', schema)).toEqual({ wrong: "it must have required property 'n'" });
    expect(await checks.check('nothing', schema)).toEqual({ wrong: 'it is no JSON' });
  });
});
