import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fill, table } from './docs/markdown.ts';
import { generatedPages } from './write-docs.ts';

const root = resolve(import.meta.dirname, '..');

it('the generated pages are current (npm run docs writes them)', async () => {
  const pages = await generatedPages();
  const stale = [...pages].filter(([path, text]) => readFileSync(join(root, path), 'utf8') !== text);
  expect(stale.map(([path]) => path)).toEqual([]);
  const there = globSync('docs/steps/*.md', { cwd: root }).sort();
  expect(there).toEqual([...pages.keys()].filter((path) => path.startsWith('docs/steps/')).sort());
});

describe('Markdown', () => {
  it('escapes what would end a cell', () => {
    expect(table(['a'], [['x | y\nz']])).toBe('| a |\n|---|\n| x \\| y z |\n');
  });

  it('fills its places, and nothing else', () => {
    const page = 'before\n<!-- t -->\nold\n<!-- /t -->\nafter';
    expect(fill(page, { t: 'new' })).toBe('before\n<!-- t -->\n\nnew\n<!-- /t -->\nafter');
    expect(fill(fill(page, { t: 'new' }), { t: 'new' })).toBe(fill(page, { t: 'new' }));
    expect(() => fill(page, { u: '' })).toThrow('no place <!-- u -->');
  });
});
