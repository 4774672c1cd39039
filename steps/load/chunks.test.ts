import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import { runStep, type StepOutputs } from '../../test/run-step.ts';
import { chunksOf, type Paragraph } from './chunks.ts';
import load from './index.ts';
import { stripMarkdown } from './markdown.ts';
import { markdownParagraphs } from './markdown-paragraphs.ts';

const root = join(import.meta.dirname, 'fixtures', 'markdown');
const guide = (more: JsonObject = {}): Promise<StepOutputs> =>
  runStep(load, { root, with: { path: 'guide.md', sample_by: 'paragraph', ...more } });
const chars = (text: string, start: number, end: number): string =>
  Array.from(text).slice(start, end).join('');

describe('Markdown by paragraph', () => {
  it('leaves front matter, code, headings and comments out, and says where a chunk stands', async () => {
    const { tables } = await guide();
    const rows = tables['rows']!;
    expect(rows.map((row) => [row['line'], row['headings'], row['text']])).toEqual([
      [9, ['Boiling eggs'], 'An egg takes **eight minutes** 🥚 in boiling water. See [the table](#times).'],
      [15, ['Boiling eggs'], 'A soft one takes five.'],
      [21, ['Boiling eggs', 'Times'], '| size | minutes |\n|---|---|\n| small | 7 |'],
      [28, ['Boiling eggs', 'Times'], '- first'],
      [30, ['Boiling eggs', 'Times'], 'still the first\n- second'],
      [36, ['Boiling eggs', 'Old heading'], 'Short.'],
    ]);
    expect(rows[0]).toMatchObject({
      source: 'guide.md',
      title: 'Eggs',
      tags: ['kitchen'],
      original_start: 7,
    });
    const file = readFileSync(join(root, 'guide.md'), 'utf8');
    for (const row of rows) expect(chars(file, Number(row['start']), Number(row['end']))).toBe(row['text']);
  });

  it('joins and cuts to the lengths asked for, and rejects what stays too short', async () => {
    const { tables, metrics } = await guide({ strip: true, min_chars: 20, max_chars: 45 });
    expect(tables['rows']!.map((row) => row['text'])).toEqual([
      'An egg takes eight minutes 🥚 in boiling',
      'water. See the table.',
      'A soft one takes five.',
      '| size | minutes |\n\n| small | 7 |',
      'first\n\nstill the first\nsecond',
    ]);
    expect(tables['rejected']!.map((row) => [row['line'], row['code'], row['reason'], row['raw']])).toEqual([
      [36, 'too_short', '6 characters; min_chars is 20', 'Short.'],
    ]);
    expect(metrics['records']).toBe(6);
  });

  it('gives nothing for an empty file, and refuses what it cannot do', async () => {
    const { tables, warnings } = await runStep(load, {
      root,
      with: { path: 'empty.md', sample_by: 'paragraph' },
    });
    expect(tables['rows']).toEqual([]);
    expect(warnings).toEqual(['no rows: there are no records in empty.md']);
    await expect(guide({ sample_by: 'line' })).rejects.toMatchObject({
      code: 'unknown-format',
      message: 'guide.md is Markdown, which has no sample_by: line',
    });
  });

  it('reads every text, and all of its places are right', () => {
    const piece = fc.constantFrom(
      '\n', '\n\n', '\r\n', '    ', '\t', '# A', '## B ##', '```', '~~~', '<!--', '-->', '- ', '1. ', '> ', '---',
      '===', '| a |', '[x]: y', 'слово', '文字。', '🥚', 'e\u0301', 'word. ', ' ',
    ); // biome-ignore format: a list of pieces
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 40 }).map((parts) => parts.join('')),
        (text) => {
          for (const { text: own, start, end, line } of markdownParagraphs(text, 0)) {
            expect(chars(text, start, end)).toBe(own);
            expect(own.trim()).toBe(own);
            expect(own).not.toBe('');
            expect(chars(text, 0, start).split('\n')).toHaveLength(line);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

it('takes no longer for a text made to be slow', () => {
  const started = performance.now();
  for (const piece of [
    '[',
    '[a](',
    '![',
    '<a',
    '<!--',
    '`',
    '# ',
    '#',
    ' ',
    '\t|',
    '- ',
    '**a',
    '[{"":',
    '> ',
    '---|',
    '    ',
  ])
    for (const [before, after] of [
      ['', ''],
      ['# ', 'x'],
    ]) {
      const text = `${before}${piece.repeat(Math.ceil(20_000 / piece.length))}${after}`;
      expect(typeof stripMarkdown(text)).toBe('string');
      chunksOf(markdownParagraphs(text, 0), { minChars: 50, maxChars: 500 });
    }
  expect(performance.now() - started).toBeLessThan(5000);
});

describe('chunks', () => {
  const paragraphs = (...texts: string[]): Paragraph[] =>
    texts.map((text, line) => ({ text, start: 0, end: Array.from(text).length, line, section: 0 }));

  it('stay within the limits', () => {
    const text = fc
      .array(fc.constantFrom('a', 'bcd', ' ', '. ', '\n', '。', '🥚', 'é', 'слово'), {
        minLength: 1,
        maxLength: 80,
      })
      .map((parts) => parts.join('').trim())
      .filter((joined) => joined !== '');
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 6 }),
        fc.nat(30),
        fc.integer({ min: 1, max: 60 }),
        (texts, least, more) => {
          const maxChars = least + more;
          const chunks = chunksOf(paragraphs(...texts), { minChars: least, maxChars });
          for (const chunk of chunks) {
            expect(Array.from(chunk.text)).toHaveLength(chunk.length);
            expect(chunk.length).toBeLessThanOrEqual(maxChars);
          }
          const bare = (parts: string[]): string => parts.join('').replace(/\s/g, '');
          expect(bare(chunks.map((chunk) => chunk.text))).toBe(bare(texts));
        },
      ),
    );
  });

  it('end where a reader would end them', () => {
    const parts = (text: string, maxChars: number): string[] =>
      chunksOf(paragraphs(text), { minChars: 1, maxChars }).map((chunk) => chunk.text);
    expect(parts('One sentence. Another one here.', 20)).toEqual(['One sentence.', 'Another one here.']);
    expect(parts('一二三。四五六七八', 6)).toEqual(['一二三。', '四五六七八']);
    expect(parts(`${'x'.repeat(9)}${'👍🏽'.repeat(3)}`, 12)).toEqual([`${'x'.repeat(9)}👍🏽`, '👍🏽👍🏽']);
  });

  it('are cut from 100 kB without a space in no time', () => {
    const chunks = chunksOf(paragraphs('x'.repeat(100_000)), { minChars: 100, maxChars: 1000 });
    expect(chunks.map((chunk) => chunk.length)).toEqual(Array(100).fill(1000));
  });
});
