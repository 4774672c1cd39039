import { globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { parse, type Token } from 'acorn';
import { expect, it } from 'vitest';
import { flaws } from './checks.ts';
import { withoutCommentLines } from './comments.ts';
import { preservable } from './protected-spans.ts';

const left = (text: string, force: string[] = []) => withoutCommentLines(text, force);

it('takes out lines of comments', () => {
  expect(left('# one\n#\nx = 1  # stays\n  # two\n')).toBe('x = 1  # stays\n');
  expect(left('// one\n//two\nint x; // stays\n/// three')).toBe('int x; // stays\n');
  expect(left('-- one\n--\nSELECT 1; -- stays\n')).toBe('SELECT 1; -- stays\n');
  expect(left("# don't\nx = 'a'\n# it's\n")).toBe("x = 'a'\n");
});

it.each([
  ['Rust', "#[derive(Debug, Clone)]\n#![allow(dead_code)]\nstruct A<'a>(&'a str);\n"],
  ['the preprocessor', '#ifndef FOO_H\n#undef A\n# define B 1\n#  ifdef B\n# error "no"\n#endif\n'],
  [
    'Python',
    'a = """\n# Title\n// x\n"""\nb = r\'\'\'\n# "quoted\n\'\'\'\nc = """a "b\\""""\nd = """\n# x\n"""\n',
  ],
  ['division in Python', 'def f(a):\n    return (a\n        // 2)\n'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the code that is tested
  ['JavaScript', 'class A {\n  #count = 0;\n}\nconst a = `\n// in it ${f(`\n# and in it\n`)}\n// too`;\n'],
  ['CSS', '#main {\n  color: #fff;\n}\n'],
  ['Go', '//go:build linux\n//export Sum\nvar a = `\n// text\n`\n'],
  ['a shell', '#!/bin/sh\ncat <<\'END\'\n# text\n  END\necho "\n# text\n"\n'],
  ['C++', 'auto a = R"x(\n// text "\n)x";\n'],
  ['Lua', 'a = [==[\n-- text\n]==]\n'],
  ['YAML', 'run: |\n  # text\n\n  - b\nname: a\n'],
  ['SQL', "INSERT INTO a VALUES ('\n-- text');\n"],
  ['an encoding', '# -*- coding: latin-1 -*-\n'],
])('leaves what only looks so: %s', (_, code) => {
  expect(left(code)).toBe(code);
});

it('leaves the lines with what is forced, and what is lost in the others is no flaw', () => {
  const code = '# since 2024: "a" is MUST\n# in 2023 "b"\nx = 5\n';
  expect(left(code, ['MUST'])).toBe('# since 2024: "a" is MUST\nx = 5\n');
  const options = { preserve: preservable, force: ['MUST'], domain: 'code', rewritten: false } as const;
  expect(flaws(code, left(code, ['MUST']), options)).toEqual([]);
  expect(flaws(code, 'x = 5\n', options)).toEqual(['lost: "\\"a\\"", "2024", "MUST"']);
});

it('changes nothing that a compiler reads', () => {
  const read = (text: string) => {
    const tokens: Token[] = [];
    const script = stripTypeScriptTypes(text);
    parse(script, { ecmaVersion: 'latest', sourceType: 'module', onToken: tokens });
    return tokens.map(({ type, start, end }) => [type.label, script.slice(start, end)]);
  };
  const root = join(import.meta.dirname, '..');
  for (const file of globSync('{compress,judge}/*.ts', { cwd: root })) {
    const text = readFileSync(join(root, file), 'utf8');
    expect(read(left(text)), file).toEqual(read(text));
  }
});

it('reads a long text in one go', () => {
  for (const part of [
    '`${',
    '`',
    '"\\',
    "'",
    '"""a',
    'r#"a',
    '[=[',
    'R"(',
    '<<A1\n',
    '/*',
    '# \n',
    ': |\n ',
    '\\"',
  ])
    expect(left(part.repeat(100_000 / part.length)).length).toBeLessThanOrEqual(100_000);
});
