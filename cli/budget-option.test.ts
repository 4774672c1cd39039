import { describe, expect, it } from 'vitest';
import { readBudget } from './budget-option.ts';

describe('--budget', () => {
  it.each([
    ['2.50', { usd: 2.5 }],
    ['$5', { usd: 5 }],
    ['0', { usd: 0 }],
    ['5usd', { usd: 5 }],
    ['200calls', { calls: 200 }],
    ['1 call', { calls: 1 }],
    ['1Mtokens', { tokens: 1e6 }],
    ['1.5k tokens', { tokens: 1500 }],
    ['5usd,200calls, 1Mtokens', { usd: 5, calls: 200, tokens: 1e6 }],
  ])('%s', (text, limits) => {
    expect(readBudget(text)).toEqual(limits);
  });

  it.each([
    '',
    '-1',
    'five',
    'NaN',
    '1e999',
    '5eur',
    '1.5calls',
    '$5calls',
    '5usd,',
    '5,6usd',
    '200 requests',
  ])('cannot be "%s"', (text) => {
    expect(() => readBudget(text)).toThrow('--budget cannot be');
  });
});
