import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Address, axisText, instanceId, isSelected, parseAddress } from './address.ts';

describe('parseAddress', () => {
  it.each<[string, Partial<Address>]>([
    ['unique', { run: null, step: 'unique', select: [], output: null }],
    [' unique.duplicates ', { step: 'unique', output: 'duplicates' }],
    ['answers[model=a]', { step: 'answers', select: [{ axis: 'model', value: 'a' }] }],
    [
      'answers[model=gpt-4.1 mini, n=2].failed',
      {
        select: [
          { axis: 'model', value: 'gpt-4.1 mini' },
          { axis: 'n', value: '2' },
        ],
        output: 'failed',
      },
    ],
    ['a[m="x,]y"]', { select: [{ axis: 'm', value: 'x,]y' }] }],
    ['run:latest~2/topics.rows', { run: 'latest~2', step: 'topics', output: 'rows' }],
  ])('%s', (text, expected) => {
    expect(parseAddress(text)).toMatchObject(expected);
  });

  it.each([
    '',
    ' ',
    '.rows',
    'a.',
    'a..b',
    'a[',
    'a[]',
    'a[m]',
    'a[m=]',
    'a[m=x',
    'a[m="x]',
    'run:',
    'run:x',
    'run:/a',
    'run:x/',
    'a b',
    'a,b',
    '1a',
  ])('refuses "%s"', (text) => {
    const { error } = parseAddress(text) as Exclude<ReturnType<typeof parseAddress>, Address>;
    expect(error.message).not.toBe('');
    expect(error.start).toBeLessThanOrEqual(error.end);
    expect(error.end).toBeLessThanOrEqual(text.length);
  });

  it('reads back the ids of instances, whatever their values', () => {
    const value = fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean());
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a', 'b_2', 'model'), value, { minKeys: 1 }), (matrix) => {
        const address = parseAddress(instanceId('step', matrix));
        expect(address).toMatchObject({ step: 'step', output: null });
        expect(isSelected(matrix, (address as Address).select)).toBe(true);
        expect((address as Address).select).toHaveLength(Object.keys(matrix).length);
      }),
    );
  });
});

it('values are written plainly where they can be', () => {
  expect([axisText('gpt-5 mini'), axisText(3), axisText('a,b'), axisText(' x'), axisText('')]).toEqual([
    'gpt-5 mini',
    '3',
    '"a,b"',
    '" x"',
    '""',
  ]);
});
