import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exampleRecord, exampleStep } from '../../test/run-record.ts';
import { temporaryFolder } from '../../test/temporary.ts';
import { unknownNames } from './known-names.ts';
import { readMembers } from './members.ts';
import { tagRun } from './notes.ts';
import { noCost, type RunRecord, serializeRecord } from './record.ts';
import { Redaction } from './redaction.ts';
import { type RunSearch, searchRuns } from './search.ts';

/** Runs `a` to `d`, an hour apart. `c` has no scores; the text of `d` is somebody's own. */
function history(): string {
  const folder = temporaryFolder();
  const add = (id: string, hour: number, change: Partial<RunRecord>, metrics: object | null) => {
    const scores = metrics ? [exampleStep('scores', { metrics: metrics as never })] : [];
    const record = exampleRecord({
      id,
      started: `2026-11-21T0${hour}:00:00.000Z`,
      steps: [exampleStep('topics[k=5]', { base: 'topics', matrix: { k: 5 } }), ...scores],
      ...change,
    });
    mkdirSync(join(folder, id));
    const text = id === 'd' ? JSON.stringify(record, null, 2) : serializeRecord(record, new Redaction());
    writeFileSync(join(folder, id, 'run.json'), text);
  };
  const costing = (usd: number) => ({ ...exampleRecord().summary, cost: { ...noCost, usd } });
  add('a', 1, { params: { topics: 77, name: 'x' }, duration_ms: 300 }, { v: 0.5, ok: true, method: 'k"1' });
  add('b', 2, { params: { topics: 50 }, summary: costing(2) }, { v: 0.9, ok: false });
  add('c', 3, { status: 'failed', duration_ms: null, params: { list: [1, 2] } }, null);
  add('d', 4, { params: { topics: 77 }, duration_ms: 200, summary: costing(1) }, { v: -1 });
  tagRun(folder, 'b', 'best');
  return folder;
}

it('finds runs by what is asked for, in the order that is asked for', () => {
  const folder = history();
  const found = (search: RunSearch) =>
    searchRuns(folder, search)
      .runs.map(({ id }) => id)
      .join('');
  const v = { step: 'scores', metric: 'v' };
  const is = (operator: never, value: string, metric = 'v') => ({
    metrics: [{ step: 'scores', metric, test: { operator, value } }],
  });
  expect(found({})).toBe('dcba');
  expect(found({ limit: 2 })).toBe('dc');
  expect(found({ reverse: true })).toBe('abcd');
  expect(found({ status: 'failed' })).toBe('c');
  expect(found({ workflow: 'other' })).toBe('');
  expect(found({ tag: 'best' })).toBe('b');
  expect(found({ tag: 'none' })).toBe('');
  const hour = (at: number) => Date.UTC(2026, 10, 21, at);
  expect(found({ since: hour(2) })).toBe('dcb');
  expect(found({ until: hour(2) })).toBe('a');
  expect(found({ params: [{ name: 'topics', value: '77' }] })).toBe('da');
  expect(found({ params: [{ name: 'topics', value: null }] })).toBe('dba');
  expect(found({ params: [{ name: 'name', value: 'x' }] })).toBe('a');
  expect(found({ params: [{ name: 'list', value: '[1,2]' }] })).toBe('c');
  expect(found({ params: [{ name: 'toString', value: null }] })).toBe('');
  expect(found(is('>' as never, '0.5'))).toBe('b');
  expect(found(is('>=' as never, '0.5'))).toBe('ba');
  expect(found(is('<' as never, '0'))).toBe('d');
  expect(found(is('<=' as never, '-1.0'))).toBe('d');
  expect(found(is('=' as never, '0.50'))).toBe('a');
  expect(found(is('!=' as never, '0.5'))).toBe('db');
  expect(found(is('=' as never, 'true', 'ok'))).toBe('a');
  expect(found(is('=' as never, 'k"1', 'method'))).toBe('a');
  expect(found({ sort: v })).toBe('badc');
  expect(found({ sort: v, reverse: true })).toBe('dabc');
  expect(found({ sort: 'cost' })).toBe('bdca');
  expect(found({ sort: 'duration' })).toBe('badc');
});

it('tells names that no run has from values that none has', () => {
  const folder = history();
  const unknown = (search: RunSearch) => unknownNames(folder, search, searchRuns(folder, search).runs);
  const test = { operator: '>' as const, value: '5' };
  expect(unknown({ params: [{ name: 'topics', value: '1' }] })).toEqual([]);
  expect(unknown({ metrics: [{ step: 'scores', metric: 'v', test }] })).toEqual([]);
  expect(unknown({ workflow: exampleRecord().summary.workflow })).toEqual([]);
  expect(
    unknown({
      workflow: 'suport_topics',
      params: [{ name: 'topic', value: '77' }],
      metrics: [{ step: 'scores', metric: 'w', test }],
      sort: { step: 'topics', metric: 'v_mesure' },
    }),
  ).toEqual([
    { kind: 'workflow', name: 'suport_topics', meant: 'support_topics' },
    { kind: 'param', name: 'topic', meant: 'topics' },
    { kind: 'metric', name: 'scores.w', meant: 'scores.v' },
    { kind: 'metric', name: 'topics.v_mesure', meant: 'topics.v_measure' },
  ]);
});

it('shows what was asked for, and the tags', () => {
  const { runs } = searchRuns(history(), {
    params: [{ name: 'topics', value: '50' }],
    metrics: [{ step: 'topics', metric: 'v_measure', test: null }],
    sort: { step: 'scores', metric: 'ok' },
  });
  expect(runs).toMatchObject([
    {
      id: 'b',
      tags: ['best'],
      params: { topics: 50 },
      metrics: { 'topics.v_measure': 0.77, 'scores.ok': false },
    },
  ]);
});

it('names runs whose params or metrics cannot be read, if they are asked for', () => {
  const folder = history();
  for (const [id, from, to] of [
    ['a', '"params":{', '"params":[{'],
    ['c', '"params":{"list":[1,2]}', '"params":null'],
  ] as const) {
    const path = join(folder, id, 'run.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace(`\n${from}`, `\n${to}`));
  }
  expect(searchRuns(folder).unreadable).toEqual([]);
  const found = searchRuns(folder, { params: [{ name: 'topics', value: null }] });
  expect(found.runs.map(({ id }) => id)).toEqual(['d', 'b']);
  expect(found.unreadable.sort()).toEqual(['a', 'c']);
});

it('parses only the lines that are asked for', () => {
  const folder = history();
  expect(readMembers(join(folder, 'a'), new Set(['topics']))).toMatchObject({
    params: { topics: 77, name: 'x' },
    steps: [{ id: 'topics[k=5]' }],
  });
  expect(readMembers(join(folder, 'a'), new Set())!.steps).toEqual([]);
  expect(readMembers(join(folder, 'd'), new Set(['scores']))!.steps).toMatchObject([{ id: 'scores' }]);
  expect(readMembers(join(folder, 'nowhere'), new Set())).toBeUndefined();
});
