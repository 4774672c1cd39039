import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exampleRecord } from '../../test/run-record.ts';
import { folderWith } from '../../test/run-step.ts';
import { digestOf } from '../digest.ts';
import { ProblemError } from '../problems.ts';
import { tagRun } from './notes.ts';
import { type RunRecord, serializeRecord } from './record.ts';
import { Redaction } from './redaction.ts';
import { listRuns, pinnedBlobs, readHead, readRun, resolveRun } from './runs.ts';

const ids = [
  '20261120-080000-a-0001',
  '20261121-091502-support_topics-3f9a',
  '20261121-091502-support_topics-3f0b',
  '20261122-000000-b-00ff',
];
const started = [
  '2026-11-20T08:00:00.000Z',
  '2026-11-21T09:15:02.100Z',
  '2026-11-21T09:15:02.900Z',
  '2026-11-22T00:00:00.000Z',
];
const gone = { pid: 2 ** 22 + 1, host: hostname(), start: null };

let runsFolder: string;
beforeAll(() => {
  runsFolder = join(folderWith({}), 'runs');
  for (const [index, id] of ids.entries()) add({ id, started: started[index]!, pins: [digestOf(id)] });
  tagRun(runsFolder, ids[0]!, 'baseline');
  // What else people and accidents leave there.
  write('half-written/run.json', '{"format":1,"id":"half-written","status":"running","started":"2026');
  write('empty/run.json', '');
  write('somebodys-own/notes.txt', 'mine');
  write('other/run.json', '{"jobs": []}\n');
  write('renamed/run.json', serializeRecord(exampleRecord(), new Redaction()));
  write('.hidden/run.json', '{}');
  write('README.md', 'runs');
});
afterAll(() => rmSync(dirname(runsFolder), { recursive: true, force: true }));

function write(name: string, text: string): void {
  mkdirSync(dirname(join(runsFolder, name)), { recursive: true });
  writeFileSync(join(runsFolder, name), text);
}

function add(change: Partial<RunRecord>): void {
  write(`${change.id}/run.json`, serializeRecord(exampleRecord(change), new Redaction()));
}

function problemOf(action: () => unknown): { code: string; message: string; hint?: string } {
  try {
    action();
  } catch (error) {
    if (error instanceof ProblemError) return error.problems[0]!;
    throw error;
  }
  throw new Error('there was no problem');
}

describe('the list of runs', () => {
  it('has the newest first, and names what it cannot read', () => {
    const { runs, unreadable } = listRuns(runsFolder);
    expect(runs.map(({ id }) => id)).toEqual([ids[3], ids[2], ids[1], ids[0]]);
    expect(unreadable.sort()).toEqual(['empty', 'half-written', 'other', 'renamed', 'somebodys-own']);
    expect(runs[0]).toMatchObject({
      status: 'succeeded',
      summary: { workflow: 'support_topics', steps: { ran: 1 } },
    });
    expect(runs[0]).not.toHaveProperty('steps');
  });

  it('is empty where there is no folder', () => {
    expect(listRuns(join(runsFolder, 'nowhere'))).toEqual({ runs: [], unreadable: [] });
  });

  it('reads a run.json that an editor laid out anew, and one with a long first line', () => {
    const folder = join(folderWith({}), 'runs');
    for (const [id, text] of [
      ['pretty', JSON.stringify(exampleRecord({ id: 'pretty' }), null, 2)],
      [
        'long',
        serializeRecord(
          exampleRecord({ id: 'long', summary: { ...exampleRecord().summary, workflow: 'ä'.repeat(9000) } }),
          new Redaction(),
        ),
      ],
    ] as const) {
      mkdirSync(join(folder, id), { recursive: true });
      writeFileSync(join(folder, id, 'run.json'), text);
    }
    expect(
      listRuns(folder)
        .runs.map(({ id }) => id)
        .sort(),
    ).toEqual(['long', 'pretty']);
    expect(pinnedBlobs(folder)).toEqual(new Set(exampleRecord().pins));
    rmSync(dirname(folder), { recursive: true });
  });

  it('says interrupted for a run whose process is gone', () => {
    add({ id: 'dead', status: 'running', process: gone });
    add({ id: 'alive', status: 'running' });
    add({ id: 'ended', process: gone });
    expect(readHead(join(runsFolder, 'dead'))!.status).toBe('interrupted');
    expect(readHead(join(runsFolder, 'alive'))!.status).toBe('running');
    expect(readHead(join(runsFolder, 'ended'))!.status).toBe('succeeded');
    expect(readRun(runsFolder, 'dead').status).toBe('interrupted');
    for (const id of ['dead', 'alive', 'ended']) rmSync(join(runsFolder, id), { recursive: true });
  });

  it('says interrupted for a run of another machine that was silent for a day', () => {
    add({ id: 'far', status: 'running', process: { ...gone, host: 'elsewhere' } });
    expect(readHead(join(runsFolder, 'far'))!.status).toBe('running');
    const yesterday = new Date(Date.now() - 24 * 3_600_000 - 1000);
    utimesSync(join(runsFolder, 'far/run.json'), yesterday, yesterday);
    expect(readHead(join(runsFolder, 'far'))!.status).toBe('interrupted');
    expect(readRun(runsFolder, 'far').status).toBe('interrupted');
    rmSync(join(runsFolder, 'far'), { recursive: true });
  });
});

describe('pinned blobs', () => {
  it('are those of all runs', () => {
    expect(pinnedBlobs(runsFolder)).toEqual(
      new Set([...ids.map((id) => digestOf(id)), ...exampleRecord().pins]),
    );
  });
});

describe('a run that a user names', () => {
  it.each([
    ['its id', ids[1]!, ids[1]!],
    ['a unique prefix', '20261120', ids[0]!],
    ['a longer prefix', '20261121-091502-support_topics-3f0', ids[2]!],
    ['latest', 'latest', ids[3]!],
    ['latest~0', 'latest~0', ids[3]!],
    ['the one before, of two in a second', 'latest~1', ids[2]!],
    ['latest~3', 'latest~3', ids[0]!],
    ['a tag', 'baseline', ids[0]!],
  ])('by %s', (_, reference, id) => {
    expect(resolveRun(runsFolder, reference)).toBe(id);
  });

  it('by latest has ended, well or not', () => {
    add({ id: 'alive', status: 'running', started: '2026-11-24T00:00:00.000Z' });
    add({ id: 'dead', status: 'running', process: gone, started: '2026-11-23T00:00:00.000Z' });
    expect(resolveRun(runsFolder, 'latest')).toBe('dead');
    expect(resolveRun(runsFolder, 'latest~1')).toBe(ids[3]);
    expect(resolveRun(runsFolder, 'alive')).toBe('alive');
    for (const id of ['dead', 'alive']) rmSync(join(runsFolder, id), { recursive: true });
  });

  it('is asked for again if several fit, or none', () => {
    const of = (reference: string, folder = runsFolder) => problemOf(() => resolveRun(folder, reference));
    expect(of('20261121')).toMatchObject({
      code: 'ambiguous-run',
      message: '"20261121" may be any of 2 runs',
      hint: `write more of one: ${ids[1]}, ${ids[2]}`,
    });
    expect(of('lates')).toMatchObject({ code: 'unknown-run', hint: 'did you mean "latest"?' });
    expect(of('basline').hint).toBe('did you mean "baseline"?');
    expect(of('latest~9').message).toContain('there are 4 runs');
    expect(of('').code).toBe('unknown-run');
    expect(of('../runs').code).toBe('unknown-run');
    expect(of('toString').code).toBe('unknown-run');
    expect(of('latest', join(runsFolder, 'nowhere')).hint).toContain('reprise run');
    expect(of('2026', join(runsFolder, 'nowhere')).hint).toContain('there are no runs yet');
  });

  it('by latest~3 of one', () => {
    const folder = join(folderWith({}), 'runs');
    mkdirSync(join(folder, 'one'), { recursive: true });
    writeFileSync(
      join(folder, 'one/run.json'),
      serializeRecord(exampleRecord({ id: 'one' }), new Redaction()),
    );
    expect(problemOf(() => resolveRun(folder, 'latest~3')).message).toContain('there is one run');
    rmSync(dirname(folder), { recursive: true });
  });

  it('whose record is damaged is named with a remedy', () => {
    for (const id of ['half-written', 'other', 'gone'])
      expect(problemOf(() => readRun(runsFolder, id))).toMatchObject({
        code: 'damaged-run',
        hint: expect.stringContaining(`reprise runs rm ${id}`),
      });
  });

  it('whose record is damaged in its middle is refused: where, and what', () => {
    const record = JSON.parse(JSON.stringify(exampleRecord({ id: 'bent' })));
    record.steps[1].outputs = { rows: { kind: 'table' } };
    write('bent/run.json', JSON.stringify(record));
    write(
      'cut/run.json',
      serializeRecord(exampleRecord({ id: 'cut' }), new Redaction()).replace(
        '"pins":[',
        '"pins":['.repeat(2),
      ),
    );
    const said = (id: string) => problemOf(() => readRun(runsFolder, id));
    expect(said('bent')).toMatchObject({
      code: 'damaged-run',
      message: 'the record of run bent cannot be used: steps[1].outputs.rows.digest is missing',
      hint: expect.stringContaining(join(runsFolder, 'bent/run.json')),
    });
    expect(said('cut').message).toMatch(/it is no JSON: .*(line|position) \d+/);
    expect(said('renamed').message).toContain(`it is that of ${exampleRecord().id}`);
    // Its pins are kept all the same.
    expect(pinnedBlobs(runsFolder)).toContain(exampleRecord().pins[0]);
    for (const id of ['bent', 'cut']) rmSync(join(runsFolder, id), { recursive: true });
  });

  it('which a later version wrote is refused as such, and listed', () => {
    write(
      'later/run.json',
      serializeRecord({ ...exampleRecord({ id: 'later' }), format: 2 as 1 }, new Redaction()),
    );
    expect(problemOf(() => readRun(runsFolder, 'later'))).toMatchObject({ code: 'run-too-new' });
    expect(listRuns(runsFolder).runs.map(({ id }) => id)).toContain('later');
    rmSync(join(runsFolder, 'later'), { recursive: true });
  });

  it('is not listed if its first line is no head of a record', () => {
    const pin = digestOf('pinned by a bent head');
    const bent = { ...exampleRecord({ id: 'bent', pins: [pin] }), summary: null, process: 5 };
    write('bent/run.json', serializeRecord(bent as unknown as RunRecord, new Redaction()));
    expect(listRuns(runsFolder).unreadable).toContain('bent');
    expect(pinnedBlobs(runsFolder)).toContain(pin);
    rmSync(join(runsFolder, 'bent'), { recursive: true });
  });
});
