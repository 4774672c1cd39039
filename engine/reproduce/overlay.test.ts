import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/temporary.ts';
import { writeInto } from './overlay.ts';

it('writes through no link: what a link leads to stays as it is', () => {
  const [tree, outside] = [temporaryFolder(), temporaryFolder()];
  writeFileSync(join(outside, 'a.txt'), 'theirs');
  symlinkSync(outside, join(tree, 'data'));
  mkdirSync(join(tree, 'more'));
  symlinkSync(join(outside, 'a.txt'), join(tree, 'more/b.txt'));
  writeInto(tree, join(tree, 'data/deep/a.txt'), 'ours');
  writeInto(tree, join(tree, 'data/a.txt'), 'ours');
  writeInto(tree, join(tree, 'more/b.txt'), 'ours');
  expect(readFileSync(join(outside, 'a.txt'), 'utf8')).toBe('theirs');
  expect(existsSync(join(outside, 'deep'))).toBe(false);
  expect(lstatSync(join(tree, 'data')).isDirectory()).toBe(true);
  expect(readFileSync(join(tree, 'more/b.txt'), 'utf8')).toBe('ours');
});

it('writes nothing outside of the folder', () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'tree'));
  expect(() => writeInto(join(folder, 'tree'), join(folder, 'x'), '')).toThrow('is not within');
  writeInto(join(folder, 'tree'), join(folder, 'tree/..notes'), 'ours');
  expect(readFileSync(join(folder, 'tree/..notes'), 'utf8')).toBe('ours');
});
