import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Gates, HeldElsewhere } from './gates.ts';

describe('pools of a size', () => {
  it('let in as many as there is room for, the more urgent first, then who came first', async () => {
    const gates = new Gates({ gpu: { at_once: 2 } });
    const entered: string[] = [];
    const enter = async (name: string, priority: number, amount = 1) => {
      const leave = await gates.enter({ gpu: amount }, priority);
      entered.push(name);
      return leave;
    };
    const [a, b] = [await enter('a', 1), await enter('b', 1)];
    const waiting = [enter('low', 1), enter('first', 2), enter('second', 2)];
    expect(entered).toEqual(['a', 'b']);
    a();
    await waiting[1];
    b();
    await waiting[2];
    expect(entered).toEqual(['a', 'b', 'first', 'second']);
    // To give back twice frees nothing more.
    b();
    (await waiting[1]!)();
    (await waiting[0]!)();
    expect(entered.at(-1)).toBe('low');
  });

  it('count what others hold, until they let go of it', async () => {
    const held = new HeldElsewhere({ gpu: 2 });
    const gates = new Gates({ gpu: { at_once: 2 } }, { held });
    const told = vi.fn();
    const entered = gates.enter({ gpu: 1 }, 0, told);
    expect(told.mock.calls).toEqual([[['gpu']]]);
    held.set({ gpu: 1 });
    const leave = await entered;
    void gates.enter({ gpu: 1 }, 0, told);
    expect(told).toHaveBeenCalledTimes(2);
    leave();
  });

  it('say as long as somebody waits in a pool of which others hold something', async () => {
    const held = new HeldElsewhere({ gpu: 1 });
    const told = vi.fn();
    held.onAwaited = told;
    const gates = new Gates({ gpu: { at_once: 1 }, disk: { at_once: 1 } }, { held });
    const disk = await gates.enter({ disk: 1 }, 0);
    const behind = gates.enter({ disk: 1 }, 0);
    expect(told).not.toHaveBeenCalled();
    const first = gates.enter({ gpu: 1 }, 0);
    const second = gates.enter({ gpu: 1 }, 0);
    expect(told.mock.calls).toEqual([[true]]);
    // The one that still waits does so for a step of this run.
    held.set({});
    (await first)();
    (await second)();
    disk();
    (await behind)();
    expect(told.mock.calls).toEqual([[true], [false]]);
    held.set({ gpu: 1 });
    const last = gates.enter({ gpu: 1 }, 0);
    gates.open();
    await last;
    expect(told.mock.calls).toEqual([[true], [false], [true], [false]]);
  });

  it('tell who waits which pools are full', async () => {
    const gates = new Gates({ gpu: { at_once: 1 }, disk: { at_once: 1 } });
    await gates.enter({ gpu: 1 }, 0);
    const told = vi.fn();
    void gates.enter({ gpu: 1, disk: 1 }, 0, told);
    void gates.enter({ disk: 1 }, 0, told);
    // The disk is kept for the step before.
    expect(told.mock.calls).toEqual([[['gpu']], [['disk']]]);
  });

  it('are not passed by: a step that takes much comes before those behind it that take little', async () => {
    const gates = new Gates({ gpu: { at_once: 2 } });
    const first = await gates.enter({ gpu: 1 }, 0);
    const entered: string[] = [];
    const enter = async (name: string, amount: number) => {
      const leave = await gates.enter({ gpu: amount }, 0);
      entered.push(name);
      return leave;
    };
    const big = enter('big', 2);
    const small = enter('small', 1);
    first();
    (await big)();
    await small;
    expect(entered).toEqual(['big', 'small']);
  });

  it('never hold more than they have, and everybody gets in, whatever the steps take', async () => {
    const pools = { a: 1, b: 2, c: 3 };
    const amounts = fc.record(
      { a: fc.constant(1), b: fc.integer({ min: 1, max: 2 }), c: fc.integer({ min: 1, max: 3 }) },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(amounts, fc.nat(3), fc.nat(4)), { maxLength: 30 }),
        async (steps) => {
          const gates = new Gates({ a: { at_once: 1 }, b: { at_once: 2 }, c: { at_once: 3 } });
          const held: Record<string, number> = { a: 0, b: 0, c: 0 };
          let done = 0;
          await Promise.all(
            steps.map(async ([resources, priority, turns]) => {
              const leave = await gates.enter(resources, priority);
              for (const [name, amount] of Object.entries(resources)) held[name]! += amount;
              for (const [name, size] of Object.entries(pools)) expect(held[name]).toBeLessThanOrEqual(size);
              for (let turn = 0; turn < turns; turn++) await null;
              for (const [name, amount] of Object.entries(resources)) held[name]! -= amount;
              leave();
              done++;
            }),
          );
          expect(done).toBe(steps.length);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('let all in when the run ends', async () => {
    const gates = new Gates({ gpu: { at_once: 1 } });
    await gates.enter({ gpu: 1 }, 0);
    const waiting = [gates.enter({ gpu: 1 }, 0), gates.enter({ gpu: 1 }, 0)];
    gates.open();
    await Promise.all(waiting);
  });
});

describe('pools of starts', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('let no more than so many start in any period, however short the steps are', async () => {
    let now = 0;
    const gates = new Gates({ api: { starts: 3, per_ms: 1000 } }, { now: () => now });
    const starts: number[] = [];
    const steps = Array.from({ length: 8 }, async () => {
      const leave = await gates.enter({ api: 1 }, 0);
      starts.push(now);
      leave();
    });
    for (; now < 4000; now += 10) await vi.advanceTimersByTimeAsync(10);
    await Promise.all(steps);
    expect(starts).toEqual([0, 0, 0, 1000, 1000, 1000, 2000, 2000]);
  });

  it('leave no timer behind when nobody waits', async () => {
    const gates = new Gates({ api: { starts: 1, per_ms: 60_000 } });
    await gates.enter({ api: 1 }, 0);
    expect(vi.getTimerCount()).toBe(0);
    const second = gates.enter({ api: 1 }, 0);
    expect(vi.getTimerCount()).toBe(1);
    gates.open();
    await second;
    expect(vi.getTimerCount()).toBe(0);
  });
});
