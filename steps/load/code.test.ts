import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import { folderWith, runStep, type StepOutputs } from '../../test/run-step.ts';
import load from './index.ts';

const fixtures = join(import.meta.dirname, 'fixtures', 'code');
const python = readFileSync(join(fixtures, 'kettle.py'), 'utf8');
// Under another name, so that it is not taken for a source of this project.
const typescript = readFileSync(join(fixtures, 'kettle.ts.txt'), 'utf8');

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
function loadFiles(files: Record<string, string>, parameters: JsonObject): Promise<StepOutputs> {
  const root = folderWith(files);
  folders.push(root);
  return runStep(load, { root, with: parameters });
}
const names = ({ tables }: StepOutputs): unknown[] =>
  tables['rows']!.map((row) => [row['kind'], row['name'], row['line'], row['end_line']]);
const rejected = ({ tables }: StepOutputs): unknown[] =>
  tables['rejected']!.map((row) => [row['code'], row['reason']]);

it('reads Python: functions, classes and methods', async () => {
  const result = await loadFiles({ 'kettle.py': python }, { path: 'kettle.py' });
  expect(names(result)).toEqual([
    ['function', 'boil', 7, 16],
    ['class', 'Kettle', 19, 37],
    ['method', 'Kettle.__init__', 24, 26],
    ['method', 'Kettle.size', 28, 30],
    ['method', 'Kettle.heat', 32, 34],
    ['class', 'Kettle.Lid', 36, 37],
    ['function', 'cool', 41, 42],
    ['function', 'test_boil', 45, 47],
  ]);
  const [boil, kettle, init] = result.tables['rows']!;
  expect(boil).toMatchObject({
    language: 'python',
    doc: 'Boils an egg 🥚.\n\nLonger is harder.',
    text: expect.stringMatching(/^@functools\.cache\ndef boil[\s\S]*inner\(\) \+ LIMIT$/),
    source: 'kettle.py',
  });
  expect(kettle!['doc']).toBe('Holds water.');
  expect(init).not.toHaveProperty('doc');
  const file = Array.from(python);
  for (const row of result.tables['rows']!)
    expect(file.slice(Number(row['start']), Number(row['end'])).join('')).toBe(row['text']);
});

it('reads TypeScript and JavaScript', async () => {
  const result = await loadFiles({ 'kettle.ts': typescript }, { path: 'kettle.ts' });
  expect(names(result)).toEqual([
    ['function', 'minutes', 3, 6],
    ['function', 'default', 8, 10],
    ['class', 'Kettle', 12, 29],
    ['method', 'Kettle.heat', 14, 17],
    ['method', 'Kettle.hot', 20, 22],
    ['method', 'Kettle.pour', 24, 28],
    ['function', 'Kitchen.clean', 32, 35],
    ['function', 'plain', 39, 41],
  ]);
  const [minutes, , , , hot, pour] = result.tables['rows']!;
  expect(minutes).toMatchObject({ language: 'typescript', doc: 'How long an egg takes.\nIn minutes.' });
  expect(minutes!['text']).toMatch(/^export const/);
  expect(hot!['doc']).toBe('Whether it is hot.');
  expect(pour!['text']).toMatch(/^@logged\n/);
  const file = Array.from(typescript);
  for (const row of result.tables['rows']!)
    expect(file.slice(Number(row['start']), Number(row['end'])).join('')).toBe(row['text']);
  const script = await loadFiles(
    {
      'a.jsx': 'var f = function () { return <p>{1}</p>; }\nclass A { x = 1; m() { f(); f(); } }',
      'b.tsx': 'const F = (p: P) => <b>{p.x}</b>;',
    },
    { path: '*', kinds: ['function', 'method'] },
  );
  expect(names(script)).toEqual([
    ['function', 'f', 1, 1],
    ['method', 'A.m', 2, 2],
    ['function', 'F', 1, 1],
  ]);
});

it('leaves out what is trivial, a test or a special method', async () => {
  const omit = ['trivial', 'tests', 'dunders'];
  const left = await loadFiles(
    { 'src/kettle.py': python, 'src/tests/a.py': 'def f(x):\n    y = x + 1\n    return y\n' },
    { path: 'src', omit },
  );
  expect(names(left).map((row) => (row as unknown[])[1])).toEqual(['boil', 'Kettle', 'Kettle.heat']);
  expect(rejected(left)).toEqual([
    ['dunder', 'method Kettle.__init__ is a special method'],
    ['trivial', 'method Kettle.size does nothing of its own'],
    ['trivial', 'class Kettle.Lid does nothing of its own'],
    ['trivial', 'function cool does nothing of its own'],
    ['test', 'function test_boil is a test'],
    ['test', 'function f is a test'],
  ]);
  const ts = await loadFiles(
    { 'kettle.ts': typescript, 'kettle.test.ts': 'function f() { a(); b(); }' },
    { path: '*.ts', omit },
  );
  expect(rejected(ts)).toEqual([
    ['test', 'function f is a test'],
    ['trivial', 'function default does nothing of its own'],
    ['trivial', 'method Kettle.hot does nothing of its own'],
    ['trivial', 'function plain does nothing of its own'],
  ]);
});

it('keeps to the lengths asked for', async () => {
  const limits = { min_lines: 3, max_lines: 10, min_chars: 70, max_chars: 300 };
  const result = await loadFiles({ 'kettle.py': python }, { path: 'kettle.py', ...limits });
  expect(names(result).map((row) => (row as unknown[])[1])).toEqual([
    'boil',
    'Kettle.__init__',
    'Kettle.heat',
  ]);
  expect(rejected(result)).toEqual([
    ['too_long', '19 lines; max_lines is 10'],
    ['too_short', '56 characters; min_chars is 70'],
    ['too_short', '2 lines; min_lines is 3'],
    ['too_short', '2 lines; min_lines is 3'],
    ['too_short', '64 characters; min_chars is 70'],
  ]);
});

it('says where code is none', async () => {
  const code = 'def good():\n    x = 1\n    return x\n\ndef bad(:\n    return (\n';
  const { tables, warnings } = await loadFiles({ 'a.py': code }, { path: 'a.py' });
  expect(tables['rows']!.map((row) => row['name'])).toContain('good');
  expect(warnings[0]).toMatch(/^a\.py(:[56])?: not python: functions may be missing$/);
  expect((await loadFiles({ 'a.py': '' }, { path: 'a.py' })).tables['rows']).toEqual([]);
  await expect(loadFiles({ 'a.rs': 'fn f() {}' }, { path: 'a.rs', format: 'code' })).rejects.toMatchObject({
    code: 'unknown-format',
    message: 'a.rs has no extension of Python, TypeScript or JavaScript',
  });
});

it('reads anything, and 100 kB of it', async () => {
  const long = await loadFiles(
    { 'a.py': `def f():\n    return "${'слово '.repeat(17_000)}"\n` },
    { path: 'a.py' },
  );
  expect(long.tables['rows']).toHaveLength(1);
  const nested = await loadFiles(
    { 'a.js': `${'{'.repeat(3000)}function f() {}${'}'.repeat(3000)}` },
    { path: 'a.js', max_rejected: 1 },
  );
  expect(nested.tables['rows']).toEqual([]);
  const piece = fc.constantFrom(
    'def f():', 'class A:', '\n', '    ', 'pass', 'return 1', '"""', '(', ')', '{', '}', 'function g() ', 'class B ',
    '=> ', 'const x = ', 'export ', '@d ', '/** x */', '🥚', '\0', 'if a:', ';',
  ); // biome-ignore format: a list of pieces
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 25 }),
      fc.constantFrom('a.py', 'a.ts', 'a.jsx'),
      async (pieces, name) => {
        const all = { path: name, omit: ['trivial'], max_rejected: '100%' };
        const { metrics } = await loadFiles({ [name]: pieces.join('') }, all);
        expect(metrics['records']).toBe(Number(metrics['rows']) + Number(metrics['rejected']));
      },
    ),
    { numRuns: 60 },
  );
});
