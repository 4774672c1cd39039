import fc from 'fast-check';
import { expect, it } from 'vitest';
import { lineChange, shownLineChange } from './changed-lines.ts';

const shown = (before: string, after: string) => {
  const change = lineChange(Buffer.from(before), Buffer.from(after));
  return change && shownLineChange(change);
};

it('counts lines that are others, wherever they stand', () => {
  expect(shown('a\nb\nc\n', 'a\nx\nc\n')).toBe('1 of 3 lines changed');
  expect(shown('a\nb\nc\n', 'x\nb\n')).toBe('1 of 3 lines changed, 1 removed');
  expect(shown('a\nb\n', 'y\na\nx\n')).toBe('1 of 2 lines changed, 1 added');
  expect(shown('a\nb\n', 'b\na\n')).toBe('its lines in another order, or with other ends');
  expect(shown('a\n', 'a\nb')).toBe('1 line added to 1');
  expect(shown('a\na\na\n', 'a\n')).toBe('2 of 3 lines removed');
  expect(shown('é\r\n', 'é\n')).toBe('its lines in another order, or with other ends');
  expect(shown('', 'a\n')).toBe('1 line added to 0');
  expect(shown('a\0', 'b')).toBeNull();
});

it('adds up', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd'));
  fc.assert(
    fc.property(text, text, (old, now) => {
      const [before, after] = [old, now].map((lines) =>
        Buffer.from(lines.map((line) => `${line}\n`).join('')),
      );
      const change = lineChange(before!, after!)!;
      expect(change.before).toBe(old.length);
      expect(change.before + change.added - change.removed).toBe(now.length);
      expect(Math.min(change.added, change.removed)).toBe(0);
    }),
  );
});
