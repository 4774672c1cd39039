import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServerLimit } from './server-limit.ts';

describe('what a server says is left', () => {
  it('holds nothing up before it says anything, and while there is enough', () => {
    const limit = new ServerLimit();
    expect(limit.waitMs(1e9, 0)).toBe(0);
    limit.heed({ remaining: 10, resetMs: 1000, limit: null }, 3, 0);
    expect(limit.waitMs(7, 0)).toBe(0);
    limit.spend(7);
    expect(limit.waitMs(1, 0)).toBe(1000);
    expect(limit.waitMs(1, 1000)).toBe(0);
  });

  it('fills up steadily where it is known what there is when it is full', () => {
    const limit = new ServerLimit();
    limit.heed({ remaining: 0, resetMs: 60_000, limit: 60 }, 0, 0);
    expect(limit.waitMs(1, 0)).toBe(1000);
    expect(limit.waitMs(10, 5000)).toBe(5000);
    // What is more than there ever is goes when it is full.
    expect(limit.waitMs(1000, 0)).toBe(60_000);
  });

  it('never says to wait for more than a minute, and lets through what has waited', () => {
    const said = fc.record({
      remaining: fc.integer({ min: -5, max: 1e6 }),
      resetMs: fc.integer({ min: 0, max: 1e9 }),
      limit: fc.option(fc.integer({ min: 1, max: 1e6 })),
    });
    fc.assert(
      fc.property(said, fc.nat(500), fc.nat(1e6), fc.nat(1e4), (left, uncounted, amount, spent) => {
        const limit = new ServerLimit();
        limit.heed(left, uncounted, 50);
        limit.spend(spent);
        const wait = limit.waitMs(amount, 50);
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThanOrEqual(60_050);
        expect(limit.waitMs(amount, 50 + wait)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
