import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { commitAll, git } from '../../test/git-project.ts';
import { temporaryFolder } from '../../test/temporary.ts';
import { copiedIndex } from './git-index.ts';

it('leaves older copies to those who may be at work with them, and removes them later', () => {
  const [top, folder] = [temporaryFolder(), temporaryFolder()];
  git(top, 'init', '-q');
  const change = (text: string) => {
    writeFileSync(join(top, `${text}.txt`), text);
    commitAll(top);
  };
  change('first');
  const first = copiedIndex(top, folder)!;
  expect(copiedIndex(top, folder)).toBe(first);
  change('second');
  const second = copiedIndex(top, folder)!;
  expect(second).not.toBe(first);
  expect(existsSync(first)).toBe(true);
  change('third');
  copiedIndex(top, folder, Date.now() + 3_600_000);
  expect([first, second].some(existsSync)).toBe(false);
});
