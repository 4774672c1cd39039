import { expect, it } from 'vitest';
import type { LanguageRequest } from '../../engine/language-model.ts';
import type { AskedModel } from '../../engine/step.ts';
import { runStep } from '../../test/run-step.ts';
import compress from './index.ts';

/**
 * Twenty texts and twenty pieces of code of 400 characters, each written shorter to a known length: 320, 324, … 396 characters
 * and, of code, 360, 362, …: 20 beyond its own length at most. In one of four the letters are of two bytes, so that more tokens
 * (four bytes each) are left than characters.
 */
const sizes = Array.from({ length: 20 }, (_, index) => ({
  index,
  text: 340 + index * 4,
  code: 380 + index * 2,
  wide: index % 4 === 3,
}));
const filled = (start: string, length: number, letter = 'a') =>
  (start + ' word'.replaceAll('w', letter).repeat(100))
    .slice(0, length - 1)
    .trimEnd()
    .padEnd(length, letter);
const rows = sizes.flatMap(({ index }) => [
  { id: `t${index}`, text: filled(`Text ${index} tells`, 400), domain: 'text' },
  { id: `c${index}`, text: filled(`def f${index}(): return`, 400), domain: 'code' },
]);
const writer: AskedModel = {
  name: 'writer',
  async ask(request: LanguageRequest) {
    const prompt = request.messages.at(-1)?.content ?? '';
    const found = /(Text |def f)(\d+)/.exec(prompt);
    const size = sizes[Number(found?.[2])];
    if (size === undefined) throw new Error(prompt);
    const isText = found?.[1] === 'Text ';
    const letter = size.wide ? 'ж' : 'b';
    const text = isText
      ? filled(`Text ${size.index} says`, size.text, letter)
      : filled(`def f${size.index}(): yield`, size.code, letter);
    return { text, json: null } as never;
  },
};
const run = (more: object, domain: 'text' | 'code') =>
  runStep(compress, {
    with: { method: 'model', model: 'writer', preserve: [], domain, ...more },
    inputs: { rows: rows.filter((row) => row.domain === domain) },
    languageModels: { writer },
  });

it('accepts what is within its share of characters and of tokens, 0.95 of a text and 1.0 of code, and keeps the rest with the reason', async () => {
  // Of texts 340 to 380 characters are within 0.95: eleven, of which two (index 3 and 7) have too many tokens.
  const texts = await run({}, 'text');
  expect(texts.metrics).toMatchObject({ rows: 9, rejected: 11, pass_rate: 0.45 });
  const reasons = texts.tables['rejected']!.map(({ id, reason }) => `${id} ${reason}`);
  expect(reasons.filter((reason) => reason.includes('characters'))).toHaveLength(9);
  expect(reasons.filter((reason) => !reason.includes('characters'))).toEqual([
    expect.stringMatching(/^t3 ratio: .* of its tokens are left, 95 % at most are allowed$/),
    expect.stringMatching(/^t7 ratio: .* of its tokens/),
  ]);
  // Of code 380 to 400 are within 1.0: eleven as well, the same two with too many tokens.
  const code = await run({}, 'code');
  expect(code.metrics).toMatchObject({ rows: 9, rejected: 11 });
  expect(code.tables['rows']!.map(({ id }) => id)).toEqual(
    [0, 1, 2, 4, 5, 6, 8, 9, 10].map((index) => `c${index}`),
  );
  // Limits of one's own.
  expect((await run({ max_char_ratio: 1, max_token_ratio: 2 }, 'text')).metrics).toMatchObject({
    rows: 16,
    rejected: 4,
  });
});
