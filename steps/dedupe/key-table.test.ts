import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyTable } from './key-table.ts';

describe('KeyTable', () => {
  it('numbers keys by first appearance, as a Map would', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 2 }), { maxLength: 500 }), (keys) => {
        const table = new KeyTable();
        const map = new Map<string, number>();
        for (const key of keys) {
          if (!map.has(key)) map.set(key, map.size);
          expect(table.number(key)).toBe(map.get(key));
        }
        expect(table.size).toBe(map.size);
      }),
    );
  });

  it('grows past its first size', () => {
    const table = new KeyTable();
    for (let round = 0; round < 2; round++)
      for (let index = 0; index < 50_000; index++)
        if (table.number(`key ${index}`) !== index) throw new Error(`key ${index}`);
    expect(table.size).toBe(50_000);
  });
});
