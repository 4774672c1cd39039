import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { domainOf } from './domain.ts';
import { preservable, protectedSpans } from './protected-spans.ts';
import { applyRules, type Rule, ruleNames } from './rules.ts';

const shorten = (text: string, rules: readonly Rule[] = ruleNames, isCode = false) =>
  applyRules(text, { rules, preserve: preservable, force: ['by the way'], isCode });

it('takes out phrases that say nothing, articles, emphasis and white space', () => {
  expect(shorten('In order to   open the door, please note that **you** need a key.  ')).toBe(
    'To open door, you need key. ',
  );
  expect(shorten('В связи с тем, что дверь закрыта,  следует отметить, что нужен ключ.')).toBe(
    'Потому что дверь закрыта, нужен ключ.',
  );
  expect(shorten('one <!-- not\nshown --> two<!-- a --> <!-- open', ['markdown'])).toBe('one  two <!-- open');
  expect(shorten('by the way, a key', ['articles', 'fillers'])).toBe('by the way, key');
});

it('touches neither code nor quotes nor what only looks alike', () => {
  const kept = '`in order to  a` "please note that the" vitamin A, Theatre, annex';
  expect(shorten(kept)).toBe(kept);
});

it('writes JSON without white space, and comments of code only where asked', () => {
  const json = '{ "a b" : [1.50, "x  \\" y"],\n  "n": 1e3 }';
  expect(shorten(json)).toBe('{"a b":[1.50,"x  \\" y"],"n":1e3}');
  const code = '# what it does\ndef f(a):\n    # the sum\n    return a  +  1\n';
  expect(shorten(code, ruleNames, true)).toBe('def f(a):\n    return a  +  1\n');
  expect(shorten(code, ['white_space'], true)).toBe(code);
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(JSON.parse(shorten(text))).toEqual(JSON.parse(text));
      const wide = JSON.stringify(JSON.parse(text), null, 4);
      if (/^[[{]/.test(wide)) expect(shorten(wide)).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
});

it('tells code and JSON from texts', () => {
  const found = (text: string) => domainOf(text);
  expect(found('{ "a": 1 }')).toBe('json');
  expect(found('{ not json')).toBe('text');
  expect(found('Write a function that adds two numbers.\n\n```py\ndef f(): pass\n```')).toBe('text');
  expect(found('import os\n\ndef main():\n    x = os.getcwd()\n    print(x)\n')).toBe('code');
  expect(found('export function add(a: number) {\n  return a + 1;\n}\n')).toBe('code');
  expect(found('func main() {\n\tfmt.Println("x")\n}')).toBe('code');
  expect(found('Return the book for a friend; it was with him.\nIf you go there, tell them.')).toBe('text');
  expect(found('- one: two\n- three: four')).toBe('text');
  expect(found('')).toBe('text');
});

it('tells them apart where they are real: at least 98 of a hundred', () => {
  const root = join(import.meta.dirname, '../..');
  const files = globSync('{models,numerics}/**/*.ts', { cwd: root }).map((file) =>
    readFileSync(join(root, file), 'utf8'),
  );
  const pages = globSync('docs/*.md', { cwd: root })
    .flatMap((file) => readFileSync(join(root, file), 'utf8').split(/^```[\s\S]*?^```$/m))
    .filter((text) => text.trim().length > 200);
  const questions = readFileSync(join(root, 'use-cases/support-topics/data/queries.jsonl'), 'utf8')
    .split('\n', 500)
    .map((line) => (JSON.parse(line) as { text: string }).text);
  const share = (texts: readonly string[], domain: string) =>
    texts.filter((text) => domainOf(text) === domain).length / texts.length;
  expect(share(files, 'code')).toBeGreaterThanOrEqual(0.98);
  expect(share([...pages, ...questions], 'text')).toBeGreaterThanOrEqual(0.98);
});

it('looks through a long text of one kind in one go', () => {
  // Each took minutes, or the stack, with a pattern that looks back or ahead without a bound.
  for (const part of ['a', '`', ' ', '漢', '<!--', '``a', '{{a', 'a@', '" a '])
    for (const text of [part.repeat(200_000 / part.length)]) {
      expect(typeof domainOf(text)).toBe('string');
      expect(shorten(text).length).toBeLessThanOrEqual(text.length);
      expect(protectedSpans(text, preservable, ['a']).length).toBeLessThanOrEqual(text.length);
    }
});
