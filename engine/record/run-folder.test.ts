import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { exampleRecord } from '../../test/run-record.ts';
import { folderWith } from '../../test/run-step.ts';
import type { RunEvent } from '../events.ts';
import { readEvents } from './event-log.ts';
import { Redaction } from './redaction.ts';
import { mayBeAlive, newRunId, RunFolder, thisProcess } from './run-folder.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
function makeRunsFolder(): string {
  const folder = folderWith({});
  folders.push(folder);
  return join(folder, 'runs');
}
const now = new Date('2026-11-21T09:15:02.987Z');

describe('the folder of a run', () => {
  it('is named by time and workflow', () => {
    expect(newRunId('support_topics', now)).toMatch(/^20261121-091502-support_topics-[0-9a-f]{4}$/);
    expect(newRunId('Grün & Co/../x', now)).toMatch(/^20261121-091502-gr_n_co_x-[0-9a-f]{4}$/);
    expect(newRunId('…', now)).toMatch(/^20261121-091502-run-[0-9a-f]{4}$/);
  });

  it('is the run’s alone, however many start in the same second', () => {
    const runsFolder = makeRunsFolder();
    // 65,536 names for 1,000 runs: some are drawn twice.
    const ids = Array.from({ length: 1000 }, () => RunFolder.create({ runsFolder, workflow: 'a', now }).id);
    expect(new Set(ids).size).toBe(1000);
    expect(readdirSync(runsFolder)).toHaveLength(1000);
  });

  it('holds the record, replaced at one stroke', () => {
    const run = RunFolder.create({ runsFolder: makeRunsFolder(), workflow: 'a', now });
    run.write(exampleRecord({ id: run.id, status: 'running' }), { durable: false });
    run.write(exampleRecord({ id: run.id }), { durable: true });
    expect(readdirSync(run.path)).toEqual(['run.json']);
    expect(JSON.parse(readFileSync(join(run.path, 'run.json'), 'utf8'))).toEqual(
      exampleRecord({ id: run.id }),
    );
  });

  it('keeps the record it has if a new one cannot be written', () => {
    const run = RunFolder.create({ runsFolder: makeRunsFolder(), workflow: 'a', now });
    run.write(exampleRecord({ id: run.id }), { durable: false });
    const before = readFileSync(join(run.path, 'run.json'), 'utf8');
    mkdirSync(join(run.path, 'run.json.tmp'));
    expect(() => run.write(exampleRecord({ seed: 7 }), { durable: false })).toThrow();
    expect(readFileSync(join(run.path, 'run.json'), 'utf8')).toBe(before);
  });

  it('holds no secret', () => {
    const redaction = new Redaction(['hunter2']);
    const run = RunFolder.create({ runsFolder: makeRunsFolder(), workflow: 'a', now, redaction });
    run.write(exampleRecord({ params: { key: 'hunter2' } }), { durable: false });
    run.events.append({ type: 'run-warning', time: 0, message: 'hunter2 is wrong' });
    run.events.close();
    for (const name of ['run.json', 'events.ndjson'])
      expect(readFileSync(join(run.path, name), 'utf8')).not.toContain('hunter2');
  });
});

describe('events.ndjson', () => {
  const event = (index: number): RunEvent => ({
    type: 'run-warning',
    time: now.getTime() + index,
    message: `${index}`,
  });

  it('has a line for each event, with its time first', () => {
    const run = RunFolder.create({ runsFolder: makeRunsFolder(), workflow: 'a', now });
    for (let index = 0; index < 5000; index++) run.events.append(event(index));
    run.events.close();
    const path = join(run.path, 'events.ndjson');
    expect(readFileSync(path, 'utf8').split('\n')[0]).toBe(
      '{"time":"2026-11-21T09:15:02.987Z","type":"run-warning","message":"0"}',
    );
    expect(readEvents(path)).toEqual(Array.from({ length: 5000 }, (_, index) => event(index)));
  });

  it('is read without a torn last line, and without what is no event', () => {
    const run = RunFolder.create({ runsFolder: makeRunsFolder(), workflow: 'a', now });
    run.events.append(event(1));
    run.events.close();
    const path = join(run.path, 'events.ndjson');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, `null\n{"type":"run-started"}\nno json\n${text}{"time":"2026-11-21T0`);
    expect(readEvents(path)).toEqual([event(1)]);
  });

  it('is written while the run goes on', async () => {
    const run = RunFolder.create({ runsFolder: makeRunsFolder(), workflow: 'a', now });
    run.events.append(event(1));
    const path = join(run.path, 'events.ndjson');
    await expect.poll(() => existsSync(path) && readEvents(path)).toEqual([event(1)]);
    run.events.close();
  });

  it('that cannot be written says so, and fails nothing', () => {
    const run = RunFolder.create({ runsFolder: makeRunsFolder(), workflow: 'a', now });
    rmSync(run.path, { recursive: true });
    run.events.append(event(1));
    run.events.close();
    expect(run.events.failure).toMatch(/events could not be written: ENOENT/);
  });
});

describe('the process of a run', () => {
  it('is alive as long as it runs', async () => {
    const folder = makeRunsFolder();
    expect(mayBeAlive(thisProcess(), folder)).toBe(true);
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log(1)'], {
      stdio: 'pipe',
    });
    await once(child.stdout, 'data');
    const identity = { pid: child.pid!, host: hostname(), start: null };
    expect(mayBeAlive(identity, folder)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(mayBeAlive(identity, folder)).toBe(false);
  });

  it.runIf(process.platform === 'linux')('is not a later one with the same number', () => {
    expect(mayBeAlive({ ...thisProcess(), start: '1' }, makeRunsFolder())).toBe(false);
  });

  it('on another machine is alive as long as it touches its record', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
    try {
      const run = RunFolder.create({ runsFolder: makeRunsFolder(), workflow: 'a', now });
      const record = join(run.path, 'run.json');
      const elsewhere = { ...thisProcess(), host: 'elsewhere' };
      expect(mayBeAlive(elsewhere, run.path)).toBe(false);
      run.write(exampleRecord({ id: run.id, status: 'running' }), { durable: false });
      const touched = () => Date.now() - statSync(record).mtimeMs;
      const long = new Date(Date.now() - 25 * 3_600_000);
      utimesSync(record, long, long);
      expect(mayBeAlive(elsewhere, run.path)).toBe(false);
      vi.advanceTimersByTime(3_600_000);
      expect(touched()).toBeLessThan(1000);
      expect(mayBeAlive(elsewhere, run.path)).toBe(true);
      run.write(exampleRecord({ id: run.id }), { durable: true });
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
