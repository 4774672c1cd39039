import { describe, expect, it } from 'vitest';
import type { Problem } from '../problems.ts';
import { renderProblem } from './render.ts';

function problem(column: number, length: number): Problem {
  return {
    code: 'unknown-key',
    severity: 'error',
    message: 'no such key',
    place: { file: 'a.yaml', line: 2, column, length },
  };
}

/** The source line and the marks beneath it. */
function marked(line: string, column: number, length: number, width = 80): string[] {
  return renderProblem(problem(column, length), `first\n${line}\nthird`, { width })
    .split('\n')
    .slice(1, 3)
    .map((text) => text.slice(7));
}

describe('renderProblem', () => {
  it('says where, what, why and how it came', () => {
    const text = renderProblem(
      {
        ...problem(3, 4),
        hint: 'did you mean "from"?',
        trail: [
          { place: { file: 'main.yaml', line: 1, column: 10, length: 3 }, message: 'included from here' },
        ],
      },
      'steps:\n  form: x\n',
    );
    expect(text).toBe(
      [
        'a.yaml:2:3 error unknown-key: no such key',
        '   2 │   form: x',
        '     │   ~~~~',
        '     → did you mean "from"?',
        '     main.yaml:1:10 included from here',
      ].join('\n'),
    );
  });

  it('does without the text, and without a place', () => {
    expect(renderProblem(problem(3, 4), undefined)).toBe('a.yaml:2:3 error unknown-key: no such key');
    expect(renderProblem({ code: 'x', severity: 'warning', message: 'm' }, undefined)).toBe('warning x: m');
  });

  it('marks what it shows: tabs, wide characters, emoji', () => {
    expect(marked('\tkey: x', 2, 3)).toEqual(['  key: x', '  ~~~']);
    expect(marked('名字: key', 5, 3)).toEqual(['名字: key', '      ~~~']);
    expect(marked('👩‍👩‍👧: key', 11, 3)).toEqual(['👩‍👩‍👧: key', '    ~~~']);
    expect(marked('e\u0301: 名字', 5, 2)).toEqual(['e\u0301: 名字', '   ~~~~']);
  });

  it('shows no control characters, nor any that turn the text around', () => {
    expect(marked('a: \u001B[31mred\u202E', 4, 5)[0]).toBe('a: \uFFFD[31mred\uFFFD');
  });

  it('cuts long lines around the mark', () => {
    const [line, marks] = marked(`${'x'.repeat(5_000)}KEY${'y'.repeat(5_000)}`, 5_001, 3);
    expect(line!.length).toBeLessThan(120);
    expect(line!.slice(marks!.indexOf('~'), marks!.lastIndexOf('~') + 1)).toBe('KEY');
    expect(line!.startsWith('…') && line!.endsWith('…')).toBe(true);
  });

  it('colours only on request', () => {
    expect(renderProblem(problem(1, 1), 'a\nb', { color: true })).toContain('\u001B[');
    expect(renderProblem(problem(1, 1), 'a\nb')).not.toContain('\u001B[');
  });
});
