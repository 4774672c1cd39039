import { expect, it } from 'vitest';
import { failureOf } from './failure.ts';

const hintOf = (stack: string, root = '/home/me/мой проект') =>
  failureOf(Object.assign(new TypeError('no'), { stack }), root).hint;
const folder = 'file:///home/me/%D0%BC%D0%BE%D0%B9%20%D0%BF%D1%80%D0%BE%D0%B5%D0%BA%D1%82';

it('names the innermost place of a defect in a file of the project', () => {
  const place = (stack: string) => /, at (.*); the stack/.exec(hintOf(`TypeError: no\n${stack}`)!)?.[1];
  expect(place(`    at run (${folder}/steps/mine.ts:12:7)\n    at other (${folder}/steps/b.ts:1:1)`)).toBe(
    'steps/mine.ts:12:7',
  );
  expect(place(`    at ${folder}/steps/mine.ts?v=2:12:7`)).toBe('steps/mine.ts:12:7');
  expect(
    place(
      `    at a (${folder}/node_modules/p/i.js:1:1)\n    at node:fs:3:4\n    at async b (${folder}/c.ts:5:6)`,
    ),
  ).toBe('c.ts:5:6');
  expect(place('    at run (file:///elsewhere/steps/mine.ts:12:7)')).toBeUndefined();
  expect(place('    at run (file:///a%2Fb.ts:1:1)')).toBeUndefined();
  expect(place('')).toBeUndefined();
});
