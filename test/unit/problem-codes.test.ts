import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** Codes as the sources write them: the first argument of what makes a problem or an error, or a member `code`. */
const calls =
  /(?:\.(?:error|warning|of)|\b(?:fail|report|StepError|CelError))\(\s*'([a-z]+(?:-[a-z0-9]+)*)',|\bcode: '([a-z]+(?:-[a-z0-9]+)+)'/g;

it('docs/problems.md explains every code, each once', () => {
  const codes = new Set<string>();
  for (const file of globSync('{engine,steps,models,cli}/**/*.ts', { cwd: root })) {
    if (file.endsWith('.test.ts')) continue;
    for (const match of readFileSync(join(root, file), 'utf8').matchAll(calls))
      codes.add((match[1] ?? match[2])!);
  }
  // In the corpus there may be codes that are not written as above.
  for (const file of globSync('test/broken/*.txt', { cwd: root }))
    for (const match of readFileSync(join(root, file), 'utf8').matchAll(
      /^(?:\S+:\d+:\d+ )?(?:error|warning) ([a-z-]+):/gm,
    ))
      codes.add(match[1]!);
  const text = readFileSync(join(root, 'docs/problems.md'), 'utf8');
  const lines = [...text.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map((match) => match[1]!);
  expect([...codes].filter((code) => !text.includes(`\`${code}\``)).sort()).toEqual([]);
  expect(lines.filter((code, index) => lines.indexOf(code) !== index)).toEqual([]);
});
