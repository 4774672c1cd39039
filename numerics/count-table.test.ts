import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CountTable } from './count-table.ts';

it('counts as a Map does, also in parts and in shared memory', () => {
  const key = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.maxSafeNat());
  fc.assert(
    fc.property(fc.array(key, { maxLength: 300 }), fc.nat(300), (keys, cut) => {
      const expected = new Map<number, number>();
      for (const each of keys) expected.set(each, (expected.get(each) ?? 0) + 1);
      const [table, part] = [new CountTable(), new CountTable()];
      for (const each of keys.slice(0, cut)) table.add(each);
      for (const each of keys.slice(cut)) part.add(each);
      table.addAll(part.counted());
      expect(table.size).toBe(expected.size);
      const { keys: found, counts } = table.counted();
      expect(new Map(Array.from(found, (each, at) => [each, counts[at]!]))).toEqual(expected);
      const shared = new CountTable(table.shared());
      for (const each of [...keys, 0, 41, 2 ** 50]) expect(shared.get(each)).toBe(expected.get(each) ?? 0);
      expect(table.counted(2).keys.length).toBe([...expected.values()].filter((count) => count > 1).length);
    }),
  );
});
