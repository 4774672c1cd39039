import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { folderWith } from '../../test/run-step.ts';
import { type CodeCache, CodeDigests, type CodeFingerprint } from './code.ts';
import { precomputeCode } from './precompute.ts';

const engineFolder = resolve(import.meta.dirname, '..');
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

type Files = Record<string, string | null>;

const project: Files = {
  'package.json': '{ "name": "mine", "type": "module" }',
  'steps/mine.ts': `import { readFileSync } from 'node:fs';
import { defineStep } from 'reprise';
import Words from 'words';
import type { Shape } from '../lib/shape.ts';
import { near } from '../lib/near.ts';
import labels from '../lib/labels.json' with { type: 'json' };

const worker = new URL('./worker.ts', import.meta.url);
const page = new URL('./page.html', import.meta.url);

export function distance(a: number, b: number): number {
  const shape = { x: a, y: b } as Shape;
  return near(shape.x, shape.y) + \`one  \${labels.length} two\`.length;
}
export default async () => [worker, readFileSync(page), Words, defineStep, await import('../lib/late.ts')];
`,
  'steps/worker.ts': 'export const work = (n: number) => n * 2;\n',
  'steps/page.html': '<p>hello</p>\n',
  'lib/shape.ts': 'export interface Shape { x: number; y: number }\n',
  'lib/near.ts': "export { far as near } from './far.ts';\n",
  'lib/far.ts': `// how far
export const far = (a: number, b: number) => Math.abs(a - b);
`,
  'lib/late.ts': "export * from './near.ts';\nexport const late = 1;\n",
  'lib/labels.json': '["a", "b"]\n',
  'lib/unused.ts': 'export const unused = 1;\n',
  'node_modules/words/package.json': '{ "name": "words", "version": "1.2.3", "main": "index.js" }',
  'node_modules/words/index.js': 'module.exports = 1;\n',
};

function write(root: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    if (content === null) rmSync(path, { recursive: true });
    else writeFileSync(path, content);
  }
}

function makeProject(changes: Files = {}): string {
  const root = folderWith({});
  folders.push(root);
  write(root, { ...project });
  write(root, changes);
  return root;
}

function codeOf(root: string, entry = 'steps/mine.ts', cache?: CodeCache): CodeFingerprint {
  return new CodeDigests({ engineFolder, root, cache }).of(join(root, entry));
}

function digestOf(code: CodeFingerprint): string {
  if ('problem' in code) throw new Error(code.problem);
  return code.digest;
}

const source = project['steps/mine.ts']!;
const edit = (from: string, to: string): string => {
  if (!source.includes(from)) throw new Error(`the fixture has no ${from}`);
  return source.replaceAll(from, to);
};
const original = digestOf(codeOf(makeProject()));

describe('what counts of a step type’s code', () => {
  const table: [what: string, outcome: 'same' | 'other', changes: Files][] = [
    ['nothing', 'same', {}],
    ['comments', 'same', { 'steps/mine.ts': `/* new */\n${edit('{\n  const', '{ // why\n  const')}` }],
    ['white space', 'same', { 'steps/mine.ts': edit('\n', '\n\n  ') }],
    ['Windows line ends', 'same', { 'steps/mine.ts': edit('\n', '\r\n') }],
    ['quotes', 'same', { 'steps/mine.ts': edit("'node:fs'", '"node:fs"') }],
    ['semicolons', 'same', { 'steps/mine.ts': edit(';\n', '\n') }],
    [
      'parentheses and commas',
      'same',
      { 'steps/mine.ts': edit('near(shape.x, shape.y)', '(near((shape.x), shape.y,))') },
    ],
    ['a quoted key', 'same', { 'steps/mine.ts': edit('{ x: a', "{ 'x': a") }],
    ['a type annotation', 'same', { 'steps/mine.ts': edit('a: number, b: number', 'a: 1 | 2, b: any') }],
    ['a type assertion', 'same', { 'steps/mine.ts': edit(' as Shape', '') }],
    [
      'an import of types',
      'same',
      { 'steps/mine.ts': edit("import type { Shape } from '../lib/shape.ts';", 'type Shape = any;') },
    ],
    [
      'a module of types only',
      'same',
      { 'lib/shape.ts': 'export type Shape = { x: number; y: number; z?: 1 };\n' },
    ],
    [
      'a comment in a helper two imports away',
      'same',
      { 'lib/far.ts': project['lib/far.ts']!.replace('how far', 'how very far') },
    ],
    ['a file nobody imports', 'same', { 'lib/unused.ts': 'export const unused = 2;\n' }],
    ['layout of a JSON module', 'same', { 'lib/labels.json': '[\n  "a",\n  "b"\n]\n' }],
    [
      'the version of a package',
      'same',
      { 'node_modules/words/package.json': '{ "name": "words", "version": "2.0.0" }' },
    ],
    [
      'which built-in of Node an import names',
      'other',
      { 'steps/mine.ts': edit("'node:fs'", "'node:fs/promises'") },
    ],
    ['an expression', 'other', { 'steps/mine.ts': edit('a, y: b', 'b, y: a') }],
    ['a stray semicolon', 'same', { 'lib/near.ts': `${project['lib/near.ts']};;\n` }],
    [
      'a type in a block of its own',
      'same',
      { 'lib/late.ts': `${project['lib/late.ts']}type Own = { a: 1 };\n` },
    ],
    ['a number', 'other', { 'lib/late.ts': project['lib/late.ts']!.replace('1', '2') }],
    ['a space in a template', 'other', { 'steps/mine.ts': edit('one  $', 'one $') }],
    ['the kind of a declaration', 'other', { 'steps/mine.ts': edit('const shape', 'let shape') }],
    [
      'parentheses that count',
      'other',
      { 'lib/far.ts': 'export const far = (a: number, b: number) => (Math.abs(a) - b);\n' },
    ],
    [
      'a helper two imports away',
      'other',
      { 'lib/far.ts': project['lib/far.ts']!.replace('a - b', 'b + a') },
    ],
    [
      'a module imported late',
      'other',
      { 'lib/late.ts': "export * from './near.ts';\nexport const later = 1;\n" },
    ],
    ['a worker’s module', 'other', { 'steps/worker.ts': 'export const work = (n: number) => n * 3;\n' }],
    ['a file beside the module', 'other', { 'steps/page.html': '<p>hello </p>\n' }],
    ['a value in a JSON module', 'other', { 'lib/labels.json': '["a", "c"]' }],
    ['order of members in a JSON module', 'other', { 'lib/labels.json': '["b", "a"]' }],
    ['an import for its effects', 'other', { 'steps/mine.ts': `import '../lib/unused.ts';\n${source}` }],
    ['another package', 'other', { 'steps/mine.ts': edit("'words'", "'words/index.js'") }],
    [
      'a helper under another name',
      'same',
      {
        'lib/near.ts': "export { far as near } from './afar.ts';\n",
        'lib/far.ts': null,
        'lib/afar.ts': project['lib/far.ts']!,
      },
    ],
  ];
  it.each(table)('%s: %s', (_, outcome, changes) => {
    const code = codeOf(makeProject(changes));
    if (outcome === 'same') expect(digestOf(code)).toBe(original);
    else expect(digestOf(code)).not.toBe(original);
  });

  it('counts which helper an import names', () => {
    const make = (helper: string) =>
      makeProject({
        'steps/mine.ts': "import './a.ts';\nimport './b.ts';\nexport { x as default } from './c.ts';\n",
        'steps/a.ts': 'export const x = 1;\n',
        'steps/b.ts': 'export const x = 2;\n',
        'steps/c.ts': `export { x } from './${helper}.ts';\n`,
      });
    expect(digestOf(codeOf(make('a')))).not.toBe(digestOf(codeOf(make('b'))));
  });

  it('counts the bytes of a JSON file that is read as a file', () => {
    const make = (text: string) =>
      makeProject({
        'steps/mine.ts': "export default new URL('./words.json', import.meta.url);\n",
        'steps/words.json': text,
      });
    expect(digestOf(codeOf(make('[1,2]')))).not.toBe(digestOf(codeOf(make('[1, 2]'))));
  });

  it('names packages with their versions, and modules by path', () => {
    const code = codeOf(makeProject());
    expect(code).toMatchObject({ packages: { words: '1.2.3' } });
    expect('modules' in code && code.modules.map(({ path }) => path)).toEqual([
      'steps/mine.ts',
      'lib/near.ts',
      'lib/far.ts',
      'lib/labels.json',
      'steps/worker.ts',
      'steps/page.html',
      'lib/late.ts',
    ]);
  });

  it('does not depend on where the project lies, nor on the name of the step file', () => {
    const root = makeProject();
    renameSync(join(root, 'steps'), join(root, 'types'));
    renameSync(join(root, 'types/mine.ts'), join(root, 'types/yours.ts'));
    expect(digestOf(codeOf(root, 'types/yours.ts'))).toBe(original);
  });

  it('shows the same paths in a project that was reached by a link', () => {
    const root = makeProject();
    const link = join(folderWith({}), 'link');
    folders.push(dirname(link));
    symlinkSync(root, link);
    expect(codeOf(link)).toEqual(codeOf(root));
  });

  it('says a package that is not installed, and sees it installed', () => {
    const cache = new Map<string, string>();
    const root = makeProject({ 'node_modules/words': null });
    expect(codeOf(root, 'steps/mine.ts', cache)).toMatchObject({ packages: { words: 'not installed' } });
    write(root, { 'node_modules/words/package.json': '{ "version": "3.0.0" }' });
    expect(codeOf(root, 'steps/mine.ts', cache)).toMatchObject({ packages: { words: '3.0.0' } });
    write(root, { 'steps/node_modules/words/package.json': '{ "version": "4.0.0" }' });
    expect(codeOf(root, 'steps/mine.ts', cache)).toMatchObject({ packages: { words: '4.0.0' } });
  });

  it('says the version of a package that is not beside the engine, but in the project', () => {
    const installed = makeProject({ 'node_modules/words': null });
    const cache = new Map<string, string>();
    for (const version of ['1.0.0', '1.0.1', 'not installed']) {
      const own = makeProject({
        'node_modules/words': null,
        ...(version.startsWith('1') && {
          'node_modules/words/package.json': JSON.stringify({ version }),
        }),
      });
      const digests = new CodeDigests({ engineFolder: join(installed, 'engine'), root: own, cache });
      expect(digests.of(join(installed, 'steps/mine.ts'))).toMatchObject({ packages: { words: version } });
    }
  });

  it('counts the code of a package that is linked from a workspace', () => {
    const root = makeProject({
      'node_modules/words': null,
      'packages/words/package.json':
        '{ "name": "words", "version": "1.0.0", "exports": { ".": { "types": "./x.d.ts", "import": "./src/index.js" } } }',
      'packages/words/src/index.js': "export { default } from './words.js';\n",
      'packages/words/src/words.js': 'export default 1;\n',
    });
    symlinkSync(join(root, 'packages/words'), join(root, 'node_modules/words'));
    const before = codeOf(root);
    expect(before).toMatchObject({ packages: {} });
    expect('modules' in before && before.modules.map(({ path }) => path)).toContain(
      'packages/words/src/words.js',
    );
    write(root, { 'packages/words/src/words.js': 'export default 2;\n' });
    expect(digestOf(codeOf(root))).not.toBe(digestOf(before));
  });

  it('follows package imports, self-references, CommonJS and workers chosen by extension', () => {
    const files = (value: number): Files => ({
      'package.json':
        '{ "name": "mine", "imports": { "#lib/*": "./lib/*.ts" }, "exports": { "./own": "./lib/own.ts" } }',
      'steps/mine.ts': `import '#lib/inner';
import 'mine/own';
import old from '../lib/old.cjs';
const name = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
export default [new URL(name, import.meta.url), old];`,
      'lib/inner.ts': 'export {};',
      'lib/own.ts': 'export const own = 1;',
      'lib/old.cjs': "module.exports = require('./older');",
      'lib/older.js': `module.exports = ${value};`,
    });
    const code = codeOf(makeProject(files(1)));
    expect('modules' in code && code.modules.map(({ path }) => path)).toEqual([
      'steps/mine.ts',
      'lib/inner.ts',
      'lib/own.ts',
      'lib/old.cjs',
      'lib/older.js',
      'steps/worker.ts',
    ]);
    expect(digestOf(codeOf(makeProject(files(2))))).not.toBe(digestOf(code));
  });

  it('stops at the engine, by name or by path', () => {
    const root = makeProject({
      'steps/mine.ts': `import 'reprise';
import '${join(engineFolder, 'step.ts')}';
import '${join(engineFolder, '../index.ts')}';`,
    });
    expect(codeOf(root)).toMatchObject({ packages: {}, modules: [{ path: 'steps/mine.ts' }] });
  });

  it('has the modules of the engine that compute results in it, with their packages', () => {
    const files = (cel: string, seam: string): Files => ({
      'steps/mine.ts': "import '../engine/cel.ts';\nimport '../engine/seam.ts';",
      'engine/cel.ts': `import 'words';\nimport './messages.ts';\nexport const sum = (a, b) => ${cel};`,
      'engine/messages.ts': 'export const said = 1;',
      'engine/seam.ts': `export const seam = ${seam};`,
    });
    const of = (cel: string, seam: string) => {
      const root = makeProject(files(cel, seam));
      return new CodeDigests({ engineFolder: join(root, 'engine'), root }).of(join(root, 'steps/mine.ts'));
    };
    const code = of('a + b', '1');
    expect(code).toMatchObject({
      packages: { words: '1.2.3' },
      modules: [{ path: 'steps/mine.ts' }, { path: 'engine/cel.ts' }],
    });
    expect(digestOf(of('a + b', '2'))).toBe(digestOf(code));
    expect(digestOf(of('b + a', '1'))).not.toBe(digestOf(code));
  });

  it.each([
    ['filter', true],
    ['assert', true],
    ['dedupe', false],
  ])('of %s knows whether it evaluates expressions', (use, evaluates) => {
    const digests = new CodeDigests({ engineFolder, root: dirname(engineFolder) });
    const code = digests.of(join(engineFolder, `../steps/${use}/index.ts`), use);
    if ('problem' in code) throw new Error(code.problem);
    expect(code.modules.some(({ path }) => path === 'engine/cel.ts')).toBe(evaluates);
    expect('@marcbachmann/cel-js' in code.packages).toBe(evaluates);
  });

  it('reads modules that import each other', () => {
    const root = makeProject({
      'steps/mine.ts': "import { b } from './b.ts';\nexport const a = 1;\nexport default b;\n",
      'steps/b.ts': "import { a } from './mine.ts';\nexport const b = () => a;\n",
    });
    expect(codeOf(root)).toMatchObject({ modules: [{ path: 'steps/mine.ts' }, { path: 'steps/b.ts' }] });
  });
});

describe('code that cannot be known', () => {
  const table: [what: string, text: string, message: RegExp][] = [
    [
      'a computed import',
      'const name = process.argv[2];\nexport default await import(name);',
      /^steps\/mine\.ts:2 imports a module whose name is computed: import\(name\)$/,
    ],
    [
      'a computed URL',
      'export default (x) => new URL(x, import.meta.url);',
      /^steps\/mine\.ts:1 names a file by a computed URL/,
    ],
    ['a computed require', 'export default require(process.argv[2]);', /computed: require/],
    [
      'a shadowed name',
      "const x = './worker.ts';\nexport default (x) => import(x);",
      /:2 imports a module whose name is computed/,
    ],
    ['a missing module', "import './gone.ts';", /^steps\/mine\.ts imports \.\/gone\.ts, which is not there$/],
    ['a syntax error', 'export default {;', /^steps\/mine\.ts:1 /],
    ['TypeScript that is not erasable', 'enum A { B }', /enum/],
  ];
  it.each(table)('%s', (_, text, message) => {
    const cache = new Map<string, string>();
    const root = makeProject({ 'steps/mine.ts': text });
    for (const attempt of ['read', 'from the cache']) {
      const code = codeOf(root, 'steps/mine.ts', cache);
      expect('problem' in code && code.problem, attempt).toMatch(message);
    }
    write(root, { 'steps/mine.ts': source });
    expect(digestOf(codeOf(root, 'steps/mine.ts', cache))).toBe(original);
  });

  it('an entry that is not there', () => {
    expect(codeOf(makeProject(), 'steps/other.ts')).toMatchObject({
      problem: expect.stringContaining('ENOENT'),
    });
  });

  it('a missing module that appears', () => {
    const cache = new Map<string, string>();
    const root = makeProject({ 'steps/mine.ts': "import './gone.ts';" });
    expect(codeOf(root, 'steps/mine.ts', cache)).toHaveProperty('problem');
    write(root, { 'steps/gone.ts': 'export {};' });
    expect(codeOf(root, 'steps/mine.ts', cache)).toHaveProperty('digest');
  });
});

describe('code seen before', () => {
  const statesOf = (cache: Map<string, string>) => {
    const graph = [...cache].find(([key]) => key.startsWith('graph:'))!;
    return (JSON.parse(graph[1]) as { files: [string, number][] }).files;
  };
  /** ctime cannot be set back: waits until all files are older than the clock's grain, and the cache knows. */
  const settle = (root: string, cache: Map<string, string>) =>
    expect
      .poll(() => {
        codeOf(root, 'steps/mine.ts', cache);
        return statesOf(cache).every(([, size]) => size >= 0);
      })
      .toBe(true);

  it('is verified without being read', async () => {
    const root = makeProject();
    const cache = new Map<string, string>();
    await settle(root, cache);
    let gets = 0;
    const counting: CodeCache = {
      get: (key) => {
        gets++;
        return cache.get(key);
      },
      set: () => {
        throw new Error('nothing changed');
      },
    };
    expect(digestOf(codeOf(root, 'steps/mine.ts', counting))).toBe(original);
    expect(gets).toBe(1);
  });

  it('is read again when a file changed, whatever its size and time say', async () => {
    const root = makeProject();
    const cache = new Map<string, string>();
    const path = join(root, 'lib/late.ts');
    const old = new Date(Date.now() - 60_000);
    utimesSync(path, old, old);
    await settle(root, cache);
    write(root, { 'lib/late.ts': project['lib/late.ts']!.replace('1', '2') });
    utimesSync(path, old, old);
    expect(digestOf(codeOf(root, 'steps/mine.ts', cache))).not.toBe(original);
  });

  it('is not trusted by the time of a file that may change again within that time', () => {
    const root = makeProject();
    const cache = new Map<string, string>();
    const later = new Date(Date.now() + 3_600_000);
    utimesSync(join(root, 'lib/late.ts'), later, later);
    for (const attempt of ['read', 'verified']) {
      expect(digestOf(codeOf(root, 'steps/mine.ts', cache)), attempt).toBe(original);
      expect(statesOf(cache).find(([path]) => path.endsWith('late.ts'))![1]).toBe(-1);
    }
  });

  it('is known by its modules', () => {
    const root = makeProject();
    const cache = new Map<string, string>();
    const code = codeOf(root, 'steps/mine.ts', cache);
    if ('problem' in code) throw new Error(code.problem);
    const later = new CodeDigests({ engineFolder, root, cache });
    expect(later.modulesOf(code.digest)).toEqual(code.modules);
    expect(later.modulesOf('sha256:00')).toBeUndefined();
  });

  it('gives the same digest with any sequence of edits as without a cache', () => {
    const root = makeProject();
    const cache = new Map<string, string>();
    const names = ['steps/mine.ts', 'lib/far.ts', 'lib/late.ts', 'steps/worker.ts'];
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            name: fc.constantFrom(...names),
            tail: fc.constantFrom('', '\n// x', '\nexport const z = 1;'),
          }),
          {
            minLength: 1,
            maxLength: 4,
          },
        ),
        (edits) => {
          for (const { name, tail } of edits) write(root, { [name]: project[name]! + tail });
          expect(digestOf(codeOf(root, 'steps/mine.ts', cache))).toBe(digestOf(codeOf(root)));
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('code digests made for the built package', () => {
  it('are those of the sources, and packages are looked up where the package is', () => {
    const root = makeProject({ 'package.json': '{ "name": "reprise" }' });
    const module = join(root, 'steps/mine.ts');
    const precomputed = precomputeCode([{ use: 'mine', module }], join(root, 'engine'));
    expect(precomputed['mine']).toMatchObject({ digest: original, packages: ['words'] });
    const installed = makeProject({ 'node_modules/words/package.json': '{ "version": "9.9.9" }' });
    const cache = new Map<string, string>();
    for (const attempt of ['read', 'from the cache']) {
      const digests = new CodeDigests({ engineFolder: join(installed, 'dist/engine'), precomputed, cache });
      const code = digests.of(join(installed, 'dist/steps/mine.js'), 'mine');
      expect(code, attempt).toMatchObject({ digest: original, packages: { words: '9.9.9' } });
    }
  });

  it('cannot be made of code that has none', () => {
    const root = makeProject({ 'steps/mine.ts': 'export default await import(process.argv[2]);' });
    expect(() =>
      precomputeCode([{ use: 'mine', module: join(root, 'steps/mine.ts') }], engineFolder),
    ).toThrow(/step type "mine"/);
  });
});
