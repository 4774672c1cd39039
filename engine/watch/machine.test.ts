import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apartMs, type KnownFailure, type WatchAction, type WatchInput, WatchMachine } from './machine.ts';

/** What can happen to a watch: a save, time that passes, an attempt that ends (failing or not), a key. */
type Happening =
  | { kind: 'save'; stale: boolean }
  | { kind: 'pass'; ms: number }
  | { kind: 'end'; fails: boolean }
  | { kind: 'ask'; wish: 'run' | 'force' | 'plan' };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('save' as const), stale: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 1500 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('end' as const), fails: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      wish: fc.constantFrom('run' as const, 'force' as const, 'plan' as const),
    }),
  },
);

/** The world around a machine: a clock, a file with a content, and attempts that read it when they begin. */
class World {
  readonly machine = new WatchMachine();
  now = 0;
  /** What the file holds: a number for each save. */
  content = 0;
  timer: number | null = null;
  /** The attempt under way, and what it read. */
  running: { read: number; plan: boolean } | null = null;
  lastRun = -1;
  savedStarts: number[] = [];
  /** The content with which an attempt failed, as its key. */
  readonly failed = new Set<number>();
  over = false;

  tell(input: WatchInput): void {
    for (const action of this.machine.take(input)) this.#act(action);
  }

  #act(action: WatchAction): void {
    if (action.type === 'wait') this.timer = action.until;
    if (action.type === 'over') this.over = true;
    if (action.type !== 'attempt') return;
    expect(this.running, 'two attempts at once').toBeNull();
    if (action.cause === 'asked' && action.wish !== 'plan') this.failed.clear();
    expect(new Set(action.failures.map(({ key }) => Number(key.slice(7))))).toEqual(this.failed);
    if (action.cause === 'saved') this.savedStarts.push(this.now);
    this.running = { read: this.content, plan: action.wish === 'plan' };
    this.timer = null;
  }

  save(stale: boolean): void {
    this.content++;
    this.tell({ type: 'saved', at: this.now, files: ['data.jsonl'], stale, excuses: false });
  }

  pass(ms: number): void {
    const end = this.now + ms;
    while (this.timer !== null && this.timer <= end) {
      this.now = Math.max(this.now, this.timer);
      this.timer = null;
      this.tell({ type: 'time-up', at: this.now });
    }
    this.now = end;
  }

  end(fails = false): void {
    if (this.running === null) return;
    const { read, plan } = this.running;
    this.running = null;
    // A cancelled attempt has not run what is there; that it read something is no use.
    if (!plan) this.lastRun = read;
    const failures = fails && !plan ? [failure(read)] : [];
    if (fails && !plan) this.failed.add(read);
    this.tell({ type: 'ended', at: this.now, failures });
  }

  /** Lets everything come to rest. */
  rest(): void {
    for (let round = 0; round < 5; round++) {
      this.pass(2 * apartMs);
      this.end();
    }
  }
}

function failure(read: number): KnownFailure {
  return {
    step: 'a',
    key: `sha256:${read}`,
    failure: { code: 'x', message: 'x', hint: null, stack: null, problem: null },
  };
}

function happen(world: World, what: Happening): void {
  if (what.kind === 'save') world.save(what.stale);
  else if (what.kind === 'pass') world.pass(what.ms);
  else if (what.kind === 'end') world.end(what.fails);
  else world.tell({ type: 'asked', at: world.now, wish: what.wish });
}

describe('the state machine of watch', () => {
  it('never has two attempts at once, and always runs the last state', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
        const world = new World();
        world.tell({ type: 'start', at: 0 });
        for (const what of happenings) happen(world, what);
        world.rest();
        expect(world.running).toBeNull();
        expect(world.machine.state).toBe('idle');
        expect(world.lastRun).toBe(world.content);
      }),
      { numRuns: 500 },
    );
  });

  it('starts no two attempts within a second because of saves: a hundred saves in one lead to two at most', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ gap: fc.integer({ min: 0, max: 20 }), stale: fc.boolean() }), {
          minLength: 100,
          maxLength: 100,
        }),
        fc.integer({ min: 0, max: 300 }),
        (saves, runTime) => {
          const world = new World();
          world.now = 10 * apartMs;
          const started = world.now;
          let ends: number | null = null;
          for (const { gap, stale } of saves) {
            if (world.now + gap > started + apartMs) break;
            world.pass(gap);
            world.save(stale);
            if (world.running && ends === null) ends = world.now + runTime;
            if (ends !== null && world.now >= ends) {
              world.end();
              ends = null;
            }
          }
          world.rest();
          expect(world.savedStarts.length).toBeGreaterThan(0);
          expect(world.savedStarts.length).toBeLessThanOrEqual(2);
          expect(world.lastRun).toBe(world.content);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('tells every attempt of the failures that it should not repeat, until somebody asks for a run', () => {
    const world = new World();
    world.tell({ type: 'start', at: 0 });
    world.end(true);
    world.pass(5000);
    world.save(false);
    world.pass(5000);
    expect(world.running).not.toBeNull();
    expect(world.failed.size).toBe(1);
    world.end();
    world.tell({ type: 'asked', at: world.now, wish: 'plan' });
    expect(world.failed.size).toBe(1);
    world.end();
    world.tell({ type: 'asked', at: world.now, wish: 'run' });
    expect(world.failed.size).toBe(0);
  });

  it('forgets failures when something changes that counts in no key, also those of the attempt under way', () => {
    const machine = new WatchMachine();
    machine.take({ type: 'start', at: 0 });
    machine.take({ type: 'saved', at: 10, files: ['.env'], stale: true, excuses: true });
    machine.take({ type: 'ended', at: 20, failures: [failure(1)] });
    expect(machine.take({ type: 'time-up', at: apartMs })).toMatchObject([{ failures: [] }]);
    machine.take({ type: 'ended', at: 2000, failures: [failure(2)] });
    machine.take({ type: 'saved', at: 3000, files: ['a'], stale: false, excuses: false });
    expect(machine.take({ type: 'time-up', at: 4000 })).toMatchObject([{ failures: [failure(2)] }]);
    machine.take({ type: 'ended', at: 5000, failures: [] });
    machine.take({ type: 'saved', at: 6000, files: ['.env'], stale: false, excuses: true });
    expect(machine.take({ type: 'time-up', at: 7000 })).toMatchObject([{ failures: [] }]);
  });

  it('cancels only for what is stale; else it waits for the end', () => {
    const machine = new WatchMachine();
    machine.take({ type: 'start', at: 0 });
    expect(machine.take({ type: 'saved', at: 10, files: ['a'], stale: false, excuses: false })).toEqual([]);
    expect(machine.take({ type: 'saved', at: 20, files: ['b'], stale: true, excuses: false })).toEqual([
      { type: 'cancel', cause: 'saved', files: ['a', 'b'] },
    ]);
    expect(machine.take({ type: 'saved', at: 30, files: ['c'], stale: true, excuses: false })).toEqual([]);
    const [wait] = machine.take({ type: 'ended', at: 40, failures: [] });
    expect(wait).toEqual({ type: 'wait', until: apartMs });
    expect(machine.take({ type: 'time-up', at: apartMs })).toEqual([
      { type: 'attempt', wish: 'run', cause: 'saved', files: ['a', 'b', 'c'], failures: [] },
    ]);
  });

  it('runs a file that is written all the time, once a second', () => {
    const world = new World();
    world.now = 10 * apartMs;
    for (let save = 0; save < 500; save++) {
      world.pass(10);
      world.save(true);
      world.end();
    }
    expect(world.savedStarts.length).toBeGreaterThanOrEqual(4);
  });

  it('quits at once, or when what runs has ended', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 30 }), (happenings) => {
        const world = new World();
        world.tell({ type: 'start', at: 0 });
        for (const what of happenings) happen(world, what);
        world.tell({ type: 'quit' });
        expect(world.over).toBe(world.running === null);
        world.end();
        expect(world.over).toBe(true);
        world.save(true);
        world.pass(5000);
        expect(world.running).toBeNull();
      }),
    );
  });
});
