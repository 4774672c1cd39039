import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sqlTokens } from './sql-tokens.ts';

const tokensOf = (sql: string) => [...sqlTokens(sql)].map(({ kind, text }) => [kind, text]);

it('takes a text, a name or a comment for one, whatever it holds', () => {
  const content = fc.string({
    unit: fc.constantFrom('a', "'", '"', '\\', '$', '/', '*', '-', '\n', '(', '😀'),
  });
  fc.assert(
    fc.property(content, (inner) => {
      const texts = [
        `'${inner.replaceAll("'", "''")}'`,
        `E'${inner.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`,
        `$tag$${inner}$tag$`,
      ];
      for (const text of texts)
        expect(tokensOf(`f(${text})`)).toEqual([
          ['word', 'f'],
          ['sign', '('],
          ['text', text],
          ['sign', ')'],
        ]);
      expect(tokensOf(`"${inner.replaceAll('"', '""')}"+1`)).toEqual([
        ['quoted', inner.toLowerCase()],
        ['sign', '+'],
        ['number', '1'],
      ]);
      const [line, block] = [inner.replaceAll('\n', ''), inner.replaceAll('*', '')];
      expect(tokensOf(`x --${line}\n/* ${block} /* now() */ */ y`)).toEqual([
        ['word', 'x'],
        ['word', 'y'],
      ]);
    }),
  );
});

it('reads any text to its end', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (sql) => {
      let end = 0;
      for (const { at } of sqlTokens(sql)) {
        expect(at).toBeGreaterThanOrEqual(end);
        end = at + 1;
      }
      expect(end).toBeLessThanOrEqual(sql.length);
    }),
  );
});
