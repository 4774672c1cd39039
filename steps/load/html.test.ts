import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import { folderWith, runStep, type StepOutputs } from '../../test/run-step.ts';
import load from './index.ts';

const root = join(import.meta.dirname, 'fixtures', 'html');
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
function page(content: string | Uint8Array, more: JsonObject = {}): Promise<StepOutputs> {
  const folder = folderWith({ 'a.html': content });
  folders.push(folder);
  return runStep(load, { root: folder, with: { path: 'a.html', max_rejected: 1, ...more } });
}

it('reads the words of a page as one shows them', async () => {
  const { tables } = await runStep(load, { root, with: { path: 'eggs.htm' } });
  expect(tables['rows']).toEqual([
    {
      id: expect.any(String),
      source: 'eggs.htm',
      title: 'Eggs & more',
      language: 'en',
      text: [
        'Home',
        'Boiling eggs',
        'An egg 🥚 takes eight minutes.\nOr nine.',
        'boil --minutes 8\n  --soft',
        'Loose words',
        'Inner',
        'tail',
        'Times',
        'size\tminutes\nsmall\t7',
        'first\nsecond item',
        '<tags> © done',
      ].join('\n\n'),
    },
  ]);
});

it('reads its paragraphs, with headings and places', async () => {
  const { tables } = await runStep(load, { root, with: { path: 'eggs.htm', sample_by: 'paragraph' } });
  const rows = tables['rows']!;
  expect(rows.map((row) => [row['line'], row['headings'], row['text']])).toEqual([
    [5, [], 'Home'],
    [7, ['Boiling eggs'], 'An egg 🥚 takes eight minutes.\nOr nine.'],
    [11, ['Boiling eggs'], 'Loose words'],
    [11, ['Boiling eggs'], 'Inner'],
    [11, ['Boiling eggs'], 'tail'],
    [13, ['Boiling eggs', 'Times'], 'size\tminutes\nsmall\t7'],
    [14, ['Boiling eggs', 'Times'], 'first\nsecond item'],
    [15, ['Boiling eggs', 'Times'], '<tags> © done'],
  ]);
  const file = Array.from(readFileSync(join(root, 'eggs.htm'), 'utf8'));
  const source = (index: number): string =>
    file.slice(Number(rows[index]!['start']), Number(rows[index]!['end'])).join('').trim();
  expect(source(1)).toBe('An egg 🥚 takes\r\n  <b>eight</b> minutes.<br>Or nine.');
  expect(source(6)).toBe('first</li><li>second <i>item');
  const few = await runStep(load, {
    root,
    with: { path: 'eggs.htm', sample_by: 'paragraph', min_chars: 15, max_chars: 60 },
  });
  expect(few.tables['rows']!.map((row) => row['text'])).toContain('Loose words\n\nInner\n\ntail');
});

it('believes the charset that a page names, where it is not UTF-8', async () => {
  const cyrillic = Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]);
  const named = Buffer.concat([Buffer.from('<meta charset="windows-1251"><p>'), cyrillic]);
  expect((await page(named)).tables['rows']![0]!['text']).toBe('Привет');
  const unnamed = await page(Buffer.concat([Buffer.from('<p>'), cyrillic]));
  expect(unnamed.tables['rejected']![0]).toMatchObject({ code: 'invalid_encoding', line: 1 });
});

it('reads any page, however it is nested', async () => {
  const deep = await page(`${'<div>'.repeat(20_000)}deep${'<b>'.repeat(2000)}er`);
  expect(deep.tables['rows']![0]!['text']).toBe('deeper');
  const started = performance.now();
  for (const piece of ['<td>', 'x<b>', '<pre> ', ' ', '<br>', '<table>', '&amp;', '<p>', '<li>a', '<!--'])
    await page(`x${piece.repeat(Math.ceil(20_000 / piece.length))}x`, { sample_by: 'paragraph' });
  expect(performance.now() - started).toBeLessThan(5000);
  expect((await page('')).tables['rows']).toEqual([]);
  await expect(page('<p>x', { sample_by: 'page' })).rejects.toMatchObject({ code: 'unknown-format' });
  const piece = fc.constantFrom(
    '<p>', '</p>', '<table>', '<tr>', '<td>', '</table>', '<pre>', '</pre>', '<h2>', '</h2>', '<li>', '<br>', ' ',
    '\n', 'слово', '🥚', '<b>', '</b>', '<svg>', '</svg>', '<template>', '<!--', '-->', '<select>', '&amp;', '&#xD800;', '\0',
  ); // biome-ignore format: a list of pieces
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
      for (const sample_by of ['document', 'paragraph']) {
        const { metrics } = await page(pieces.join(''), { sample_by });
        expect(metrics['rejected']).toBe(0);
      }
    }),
    { numRuns: 40 },
  );
});
