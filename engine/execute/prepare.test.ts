import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/temporary.ts';
import { filesBehind } from './prepare.ts';

it('a pattern finds files and links to files; a name that is not UTF-8 is an error, not a gap', () => {
  const folder = temporaryFolder();
  const path = (name: string) => join(folder, name);
  writeFileSync(path('b.jsonl'), '');
  writeFileSync(path('\uFFFD.jsonl'), '');
  symlinkSync(path('b.jsonl'), path('a.jsonl'));
  symlinkSync(path('nowhere'), path('broken.jsonl'));
  expect(filesBehind(folder, '*.jsonl')).toEqual(['a.jsonl', 'b.jsonl', '\uFFFD.jsonl'].map(path));
  if (process.platform !== 'linux') return;
  writeFileSync(Buffer.concat([Buffer.from(path('c')), Buffer.of(0xff), Buffer.from('.jsonl')]), '');
  expect(() => filesBehind(folder, '*.jsonl')).toThrow(
    expect.objectContaining({
      code: 'file-name-not-utf8',
      message: expect.stringContaining('*.jsonl matches'),
    }),
  );
  expect(filesBehind(folder, 'b.*')).toEqual([path('b.jsonl')]);
});

it('a folder stands for what is in it and below, but for what is hidden', () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'data/sub/.git'), { recursive: true });
  for (const name of ['b', 'sub/a', '.hidden', 'sub/.git/config'])
    writeFileSync(join(folder, 'data', name), '');
  expect(filesBehind(folder, 'data')).toEqual(['data/b', 'data/sub/a'].map((name) => join(folder, name)));
  expect(filesBehind(folder, 'nothing')).toEqual([join(folder, 'nothing')]);
});
