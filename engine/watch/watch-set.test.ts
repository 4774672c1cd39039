import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/temporary.ts';
import { Interest, mergedSets, type WatchSet } from './watch-set.ts';

const set: WatchSet = {
  root: '/p',
  sources: ['/p/flow.yaml', '/p/reprise.yaml', '/p/.env'],
  unkeyed: ['/p/reprise.yaml', '/p/.env'],
  inputs: [
    { path: 'data/*.jsonl', steps: ['rows'] },
    { path: 'deep/**/*.txt', steps: ['texts'] },
    { path: '../shared/words.csv', steps: ['words'] },
    { path: 'steps/mine.ts', steps: ['mine'] },
    { path: 'odd/[a].csv', steps: ['odd'] },
  ],
  own: { files: ['/p/data/out.jsonl'], folders: ['/p/runs', '/p/.reprise'] },
  needs: { rows: [], texts: [], words: [], odd: [], mine: ['rows'], page: ['mine', 'texts'] },
};

describe('what a watch looks at', () => {
  const interest = new Interest(set);

  it.each([
    ['/p/flow.yaml', true],
    ['/p/.env', true],
    ['/p/data/a.jsonl', true],
    ['/p/data/a.csv', false],
    ['/p/data/sub/a.jsonl', false],
    ['/p/deep/a.txt', true],
    ['/p/deep/x/y/a.txt', true],
    ['/shared/words.csv', true],
    ['/p/steps/mine.ts', true],
    ['/p/steps/other.ts', false],
    ['/p/odd/[a].csv', true],
    ['/p/odd/a.csv', true],
    ['/p/data/out.jsonl', false],
    ['/p/data/out.jsonl.4711.tmp', false],
    ['/p/runs/x/run.json', false],
    ['/p/.reprise/objects/ab', false],
  ])('%s counts: %s', (path, expected) => {
    expect(interest.wants(path)).toBe(expected);
  });

  it.each([
    ['/p', true],
    ['/p/data', true],
    ['/p/data/sub', false],
    ['/p/deep/x/y', true],
    ['/p/steps', true],
    ['/p/node_modules', false],
    ['/p/runs', false],
    ['/p/.reprise', false],
    ['/shared', true],
  ])('the folder %s is looked into: %s', (path, expected) => {
    expect(interest.watches(path)).toBe(expected);
  });

  it('a folder counts with all that is in it and below', () => {
    const root = temporaryFolder();
    mkdirSync(join(root, 'data'));
    const folder = new Interest({ ...set, root, inputs: [{ path: 'data', steps: ['rows'] }] });
    expect(folder.wants(join(root, 'data/sub/a.md'))).toBe(true);
    expect(folder.watches(join(root, 'data/sub'))).toBe(true);
    expect(folder.wants(join(root, 'other/a.md'))).toBe(false);
    expect(folder.staleBy(join(root, 'data/sub/a.md'), new Set())).toContain('rows');
  });

  it('watches the root, and what lies outside of it', () => {
    expect(interest.tops).toEqual(['/p', '/shared']);
  });

  it('never counts what runs write, wherever it lies', () => {
    const name = fc.stringMatching(/^[a-z]{1,6}$/);
    const folder = fc.constantFrom('/p/data', '/p/deep', '/p/deep/x', '/p');
    fc.assert(
      fc.property(folder, name, fc.constantFrom('.jsonl', '.txt'), fc.nat(99_999), (at, stem, end, pid) => {
        const output = `${at}/${stem}${end}`;
        const own = new Interest({
          ...set,
          inputs: [...set.inputs, { path: output, steps: ['rows'] }],
          own: { ...set.own, files: [output] },
        });
        expect(own.wants(output)).toBe(false);
        expect(own.wants(`${output}.${pid}.tmp`)).toBe(false);
        expect(own.wants(`/p/runs/${stem}${end}`)).toBe(false);
      }),
    );
  });
});

describe('what makes a run stale', () => {
  const interest = new Interest(set);

  it.each([
    ['a source', '/p/flow.yaml', [], []],
    ['an input of a step that is not done', '/p/data/a.jsonl', ['texts'], ['rows', 'mine', 'page']],
    [
      'an input of a step that is done, while one that hangs on it is not',
      '/p/data/a.jsonl',
      ['rows', 'mine'],
      ['page'],
    ],
    ['an input of steps that are all done', '/p/data/a.jsonl', ['rows', 'mine', 'page'], []],
    ['a step file', '/p/steps/mine.ts', ['rows'], ['mine', 'page']],
    ['an input that nothing hangs on', '/shared/words.csv', ['words'], []],
  ])('%s', (_, path, finished, expected) => {
    expect(interest.staleBy(path, new Set(finished))).toEqual(expected);
  });
});

it('a set that is merged into another adds its files and keeps the steps', () => {
  const merged = mergedSets(set, { ...set, sources: ['/p/part.yaml'], inputs: [], needs: {} });
  expect(merged.sources).toEqual([...set.sources, '/p/part.yaml']);
  expect(merged.inputs).toEqual(set.inputs);
  expect(merged.needs).toEqual(set.needs);
});
