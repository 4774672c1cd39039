import { describe, expect, it } from 'vitest';
import { jsonIn, OutputChecks } from './output.ts';

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
