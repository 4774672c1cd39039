import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { endOf, runModule, temporaryFolder } from '../../test/temporary.ts';
import { ProblemError } from '../problems.ts';
import { addNote, isTag, readNotes, readTags, runOfTag, tagRun, untagRun } from './notes.ts';

const [a, b] = ['20261120-080000-a-0001', '20261121-091502-b-3f9a'];

function runs(): string {
  const folder = temporaryFolder();
  for (const id of [a, b]) mkdirSync(join(folder, id));
  return folder;
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof ProblemError) return error.problems[0]!.code;
    throw error;
  }
  return undefined;
}

describe('tags and notes', () => {
  it('name one run each; moving a tag says where it was, taking it away too', () => {
    const folder = runs();
    expect(tagRun(folder, a, 'baseline')).toBeNull();
    expect(tagRun(folder, a, 'baseline')).toBeNull();
    expect(runOfTag(folder, 'baseline')).toBe(a);
    expect(tagRun(folder, b, 'baseline')).toBe(a);
    tagRun(folder, b, 'v1.0');
    expect(readTags(folder)).toEqual(
      new Map([
        ['baseline', b],
        ['v1.0', b],
      ]),
    );
    expect(readNotes(join(folder, a)).tags).toEqual([]);
    expect(readNotes(join(folder, b)).tags).toEqual(['baseline', 'v1.0']);
    expect(untagRun(folder, 'baseline')).toBe(b);
    expect(codeOf(() => untagRun(folder, 'baseline'))).toBe('unknown-tag');
    expect(tagRun(folder, a, 'baseline')).toBeNull();
    expect(runOfTag(folder, 'baseline')).toBe(a);
  });

  it('keep their order whatever the clock says', () => {
    const folder = runs();
    tagRun(folder, a, 'baseline', new Date('2030-01-01T00:00:00Z'));
    tagRun(folder, b, 'baseline', new Date('2020-01-01T00:00:00Z'));
    expect(runOfTag(folder, 'baseline')).toBe(b);
    const frozen = new Date('2020-01-01T00:00:00Z');
    expect(untagRun(folder, 'baseline', frozen)).toBe(b);
    tagRun(folder, b, 'baseline', frozen);
    expect(runOfTag(folder, 'baseline')).toBe(b);
  });

  it('say which run has a tag when a folder that was copied in says so as well', () => {
    const folder = runs();
    tagRun(folder, a, 'baseline', new Date('2026-01-01T00:00:00Z'));
    appendFileSync(join(folder, b, 'notes.ndjson'), '{"time":"2026-02-01T00:00:00.000Z","tag":"baseline"}\n');
    expect(runOfTag(folder, 'baseline')).toBe(b);
    expect(tagRun(folder, a, 'baseline')).toBe(b);
    expect(readTags(folder)).toEqual(new Map([['baseline', a]]));
  });

  it('keep notes as they were written, behind a torn line too', () => {
    const folder = runs();
    addNote(folder, a, 'first\nwith "two" lines');
    appendFileSync(join(folder, a, 'notes.ndjson'), '{"time":"2026');
    addNote(folder, a, 'second');
    expect(readNotes(join(folder, a)).notes.map(({ text }) => text)).toEqual([
      'first\nwith "two" lines',
      'second',
    ]);
    expect(readNotes(join(folder, b))).toEqual({ tags: [], notes: [] });
  });

  it('pass over what is no note', () => {
    const folder = runs();
    const time = '"time":"2026-11-21T00:00:00.000Z"';
    const lines = [
      'null',
      '5',
      `{${time},"note":5}`,
      `{${time},"tag":["x"]}`,
      `{${time},"tag":"../x"}`,
      `{${time},"tag":"v1","note":"x"}`,
      '{"note":"when?"}',
      `{${time}}`,
    ];
    appendFileSync(join(folder, a, 'notes.ndjson'), `${lines.join('\n')}\n`);
    addNote(folder, a, 'a note');
    expect(readNotes(join(folder, a))).toMatchObject({ tags: [], notes: [{ text: 'a note' }] });
    expect(readTags(folder)).toEqual(new Map());
  });

  it('refuse names that mean something else', () => {
    for (const name of ['baseline', 'v1.0', 'before_fix-2']) expect(isTag(name), name).toBe(true);
    for (const name of ['latest', 'latest~1', '2026', 'a/b', 'a b', '', '-x', 'x'.repeat(101)]) {
      expect(isTag(name), name).toBe(false);
      expect(
        codeOf(() => tagRun(runs(), a, name)),
        name,
      ).toBe('tag-form');
    }
  });

  it('of several processes at once are all kept', async () => {
    const folder = runs();
    const program = `
      import { addNote, tagRun } from '#/engine/record/notes.ts';
      const [folder, name] = process.argv.slice(1);
      for (let n = 0; n < 50; n++) {
        addNote(folder, '${a}', name + n);
        tagRun(folder, n % 2 ? '${a}' : '${b}', 'shared');
        tagRun(folder, '${a}', name + n);
      }`;
    await Promise.all(['x', 'y', 'z'].map((name) => endOf(runModule(program, [folder, name]))));
    expect(readNotes(join(folder, a)).notes).toHaveLength(150);
    expect(readTags(folder).size).toBe(151);
    expect([a, b]).toContain(runOfTag(folder, 'shared'));
    expect(readFileSync(join(folder, a, 'notes.ndjson'), 'utf8')).toMatch(/^(\{.*\}\n)+$/);
  }, 30_000);
});
