import { describe, expect, it } from 'vitest';
import { cleaned, jsonIn, OutputChecks } from './output.ts';

describe('cleaned', () => {
  it.each([
    ['plain text', 'plain text'],
    ['<think>hm</think>yes', 'yes'],
    ['<THINK>\nhm\n</THINK>\n\nyes', 'yes'],
    ['a <think>one</think> b <reasoning>two</reasoning> c', 'a  b  c'],
    ['<think>a <think>b</think> c</think>d', 'd'],
    ['thinking without a beginning</think>yes', 'yes'],
    ['<tool_call>{"name":"x"}</tool_call>done', 'done'],
    ['если <think>думаю</think>да', 'если да'],
    ['1 < 2 and <b>bold</b>', '1 < 2 and <b>bold</b>'],
    ['<think>never ends', null],
    ['yes <think>but then', null],
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
