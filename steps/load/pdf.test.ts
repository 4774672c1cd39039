import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import { folderWith, runStep, type StepOutputs } from '../../test/run-step.ts';
import load from './index.ts';
import { pdfParagraphs } from './pdf-paragraphs.ts';

const root = join(import.meta.dirname, 'fixtures', 'pdf');
const pdf = (parameters: JsonObject): Promise<StepOutputs> => runStep(load, { root, with: parameters });

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const first =
  'Boiling eggs\n\nAn egg takes eight minutes in boiling\nwater, and a soft one takes five. Larger\nones take a little longer.\n\nЯйцо варят восемь минут. Ελληνικά.';

it('reads the text of a file, of its pages or of its paragraphs', async () => {
  expect((await pdf({ path: 'eggs.pdf' })).tables['rows']).toEqual([
    {
      id: expect.any(String),
      source: 'eggs.pdf',
      text: `${first}\n\nSmall: seven minutes.\n\nLarge: nine.`,
      pages: 3,
      title: 'Boiling eggs',
      author: 'A. Cook',
    },
  ]);
  const pages = await pdf({ path: 'eggs.pdf', sample_by: 'page' });
  expect(pages.tables['rows']!.map((row) => [row['page'], row['text']])).toEqual([
    [1, first],
    [3, 'Small: seven minutes.\n\nLarge: nine.'],
  ]);
  const chunks = await pdf({ path: 'eggs.pdf', sample_by: 'paragraph', min_chars: 20, max_chars: 90 });
  expect(chunks.tables['rows']!.map((row) => [row['page'], row['text']])).toEqual([
    [1, expect.stringMatching(/^Boiling eggs\n\nAn egg/)],
    [1, expect.stringMatching(/longer\.$/)],
    [1, 'Яйцо варят восемь минут. Ελληνικά.'],
    [3, 'Small: seven minutes.\n\nLarge: nine.'],
  ]);
});

it('turns away what has no text, and refuses what is locked or damaged', async () => {
  expect((await pdf({ path: 'scan.pdf', max_rejected: 1 })).tables['rejected']).toMatchObject([
    { code: 'missing_text', reason: 'no text on its page: scans, perhaps', line: null },
  ]);
  await expect(pdf({ path: 'locked.pdf' })).rejects.toMatchObject({
    code: 'damaged-file',
    message: 'locked.pdf is locked by a password',
  });
  await expect(pdf({ path: 'eggs.pdf', sample_by: 'line' })).rejects.toMatchObject({
    code: 'unknown-format',
  });
  const eggs = readFileSync(join(root, 'eggs.pdf'));
  const folder = folderWith({
    'a.pdf': 'not a PDF',
    'b.pdf': '',
    'c.pdf': eggs.subarray(0, 3000),
    'd.pdf.gz': gzipSync(eggs),
  });
  folders.push(folder);
  const { tables } = await runStep(load, { root: folder, with: { path: '*', on_bad_file: 'reject' } });
  expect(tables['rejected']!.map((row) => row['source'])).toEqual(
    expect.arrayContaining(['a.pdf', 'b.pdf', 'c.pdf']),
  );
  expect(tables['rows']!.map((row) => row['pages'])).toEqual([3]);
});

it('tells paragraphs by the space between lines, columns and sizes', () => {
  const lines = (...ys: [number, number][]) =>
    ys.map(([y, height], index) => ({
      str: `${index}`,
      height,
      transform: [1, 0, 0, 1, 0, y],
      hasEOL: true,
    }));
  expect(pdfParagraphs(lines([100, 10], [88, 10], [76, 10], [58, 10], [46, 10], [34, 10]))).toEqual([
    '0\n1\n2',
    '3\n4\n5',
  ]);
  expect(pdfParagraphs(lines([100, 16], [84, 10], [72, 10]))).toEqual(['0', '1\n2']);
  expect(pdfParagraphs(lines([30, 10], [18, 10], [100, 10]))).toEqual(['0\n1', '2']);
  // Double-spaced: the space between all lines is no mark.
  expect(
    pdfParagraphs(lines([200, 10], [178, 10], [156, 10], [134, 10], [112, 10], [90, 10], [50, 10])),
  ).toEqual(['0\n1\n2\n3\n4\n5', '6']);
  expect(pdfParagraphs([])).toEqual([]);
});
