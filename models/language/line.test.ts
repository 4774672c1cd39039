import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Line } from './line.ts';

it('is as a list to which is added at its ends, and from which is taken anywhere', () => {
  const step = fc.oneof(
    fc.record({ put: fc.constantFrom('push', 'unshift') }),
    fc.record({ leaves: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const line = new Line<number>();
      const list: { thing: number; leave(): void }[] = [];
      for (const [thing, one] of steps.entries()) {
        if ('put' in one) {
          const put = one.put === 'push' ? 'push' : 'unshift';
          list[put]({ thing, leave: line[put](thing) });
        } else if (list.length > 0) list.splice(one.leaves % list.length, 1)[0]?.leave();
        expect(line.first).toBe(list[0]?.thing);
      }
      for (const { thing, leave } of list) {
        expect(line.first).toBe(thing);
        leave();
      }
      expect(line.first).toBeUndefined();
    }),
  );
});
