import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { uniform } from '../../numerics/random.ts';
import { Gate, type Outcome } from './gate.ts';
import type { Limits } from './settings.ts';

const limits: Limits = {
  concurrency: undefined,
  requests_per_minute: undefined,
  tokens_per_minute: undefined,
  timeoutMs: 1000,
  retries: 0,
};
const never = new AbortController().signal;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A server that bears `capacity` requests at once and refuses more; answers take 100 ms. */
function work(gate: Gate, capacity: () => number) {
  let underway = 0;
  const seen = { answered: 0, refused: 0, most: 0 };
  const request = () =>
    gate.through({ tokens: 10 }, never, async (learn) => {
      seen.most = Math.max(seen.most, ++underway);
      const outcome: Outcome = underway > capacity() ? 'overloaded' : 'answered';
      await new Promise((resolve) => setTimeout(resolve, 100));
      underway--;
      seen[outcome === 'answered' ? 'answered' : 'refused']++;
      learn(outcome, null);
    });
  return { seen, request };
}

describe('the number of requests at once', () => {
  it('is never above the one that was asked for', async () => {
    const gate = new Gate({ ...limits, concurrency: 3 });
    const { seen, request } = work(gate, () => 100);
    const all = Array.from({ length: 50 }, request);
    await vi.runAllTimersAsync();
    await Promise.all(all);
    expect(seen).toEqual({ answered: 50, refused: 0, most: 3 });
  });

  it('grows to what the server bears, goes down under steady refusal, and recovers', async () => {
    const gate = new Gate(limits);
    let capacity = 40;
    const { request } = work(gate, () => capacity);
    const feed = async (count: number) => {
      const all = Array.from({ length: count }, request);
      await vi.runAllTimersAsync();
      await Promise.all(all);
    };
    await feed(3000);
    expect(gate.allowed).toBeGreaterThan(25);
    expect(gate.allowed).toBeLessThan(60);
    capacity = 0;
    await feed(300);
    expect(gate.allowed).toBe(1);
    capacity = 40;
    await feed(3000);
    expect(gate.allowed).toBeGreaterThan(15);
  });

  it('is not changed by a few refusals that are chance', async () => {
    const gate = new Gate({ ...limits, concurrency: 16 });
    for (let index = 0; index < 1000; index++)
      await gate.through({ tokens: 1 }, never, async (learn) =>
        learn(index % 12 === 0 ? 'overloaded' : 'answered', null),
      );
    expect(gate.allowed).toBe(16);
  });

  it('is hardly changed by as many refusals in no order', async () => {
    const gate = new Gate({ ...limits, concurrency: 32 });
    const random = uniform(3);
    let places = 0;
    for (let index = 0; index < 20_000; index++) {
      await gate.through({ tokens: 1 }, never, async (learn) =>
        learn(random() < 0.05 ? 'overloaded' : 'answered', null),
      );
      places += gate.allowed;
    }
    expect(places / 20_000).toBeGreaterThan(31);
  });

  it('lets those in first that have a higher priority, in their order', async () => {
    const gate = new Gate({ ...limits, concurrency: 1 });
    const seen: string[] = [];
    const one = (name: string, priority?: number, again = false) =>
      gate.through({ tokens: 1, ...(priority !== undefined && { priority }), again }, never, async () => {
        seen.push(name);
      });
    await Promise.all([
      one('a'),
      one('b'),
      one('c', 2),
      one('d', -1),
      one('e', 2),
      one('f', 0, true),
      one('g', 1),
    ]);
    expect(seen).toEqual(['a', 'c', 'e', 'g', 'f', 'b', 'd']);
  });

  it('hears each signal once for all that wait, and lets the others in', async () => {
    const gate = new Gate({ ...limits, concurrency: 1 });
    const held = Promise.withResolvers<void>();
    const first = gate.through({ tokens: 1 }, never, () => held.promise);
    const [left, kept] = [new AbortController(), new AbortController()];
    const seen: number[] = [];
    const all = Array.from({ length: 300 }, (_, index) =>
      gate.through({ tokens: 1 }, (index % 3 === 0 ? kept : left).signal, async () => void seen.push(index)),
    );
    const ends = Promise.allSettled(all);
    expect(getEventListeners(left.signal, 'abort')).toHaveLength(1);
    left.abort(new Error('called off'));
    held.resolve();
    const outcomes = (await ends).map(({ status }) => status);
    expect(outcomes).toEqual(all.map((_, index) => (index % 3 === 0 ? 'fulfilled' : 'rejected')));
    expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => index * 3));
    expect(getEventListeners(kept.signal, 'abort')).toHaveLength(0);
    await first;
  });

  it('lets those in first that were tried before, in their order', async () => {
    const gate = new Gate({ ...limits, concurrency: 1 });
    const seen: string[] = [];
    const one = (name: string, again = false) =>
      gate.through({ tokens: 1, again }, never, async () => void seen.push(name));
    await Promise.all([one('a'), one('b'), one('c', true), one('d'), one('e', true)]);
    expect(seen).toEqual(['a', 'c', 'e', 'b', 'd']);
  });
});

describe('limits of a minute', () => {
  const passed = async (gate: Gate, tokens: number, ms: number) => {
    const at: number[] = [];
    const started = performance.now();
    const stop = new AbortController();
    for (let index = 0; index < 500; index++)
      gate
        .through({ tokens }, stop.signal, async () => void at.push(performance.now() - started))
        .catch(() => {});
    await vi.advanceTimersByTimeAsync(ms);
    stop.abort();
    return at;
  };

  it('lets no more requests through in any minute than the limit, and nearly as many', async () => {
    const at = await passed(new Gate({ ...limits, requests_per_minute: 60 }), 1, 5 * 60_050 - 1);
    expect(at.length).toBe(300);
    for (const time of at)
      expect(at.filter((other) => other >= time && other < time + 60_000).length).toBeLessThanOrEqual(60);
  });

  it('counts tokens, and lets one that is larger than the limit through alone', async () => {
    expect(await passed(new Gate({ ...limits, tokens_per_minute: 100 }), 30, 60_000)).toHaveLength(3);
    expect(await passed(new Gate({ ...limits, tokens_per_minute: 100 }), 300, 60_000)).toHaveLength(1);
  });

  it('waits when the headers say that nothing is left', async () => {
    const gate = new Gate(limits);
    await gate.through({ tokens: 1 }, never, async (learn) =>
      learn('answered', { requests: { remaining: 0, resetMs: 2000, limit: null }, tokens: null }),
    );
    const at = await passed(gate, 1, 1999);
    expect(at).toEqual([]);
    await vi.advanceTimersByTimeAsync(10);
  });

  it('has nothing left to wait for when the last one is let in earlier than was said', async () => {
    const gate = new Gate({ ...limits, concurrency: 2 });
    const first = Promise.withResolvers<void>();
    const said = (remaining: number) => ({
      requests: { remaining, resetMs: 60_000, limit: null },
      tokens: null,
    });
    const ends = gate.through({ tokens: 1 }, never, async (learn) => {
      await first.promise;
      learn('answered', said(5));
    });
    await gate.through({ tokens: 1 }, never, async (learn) => learn('answered', said(0)));
    const last = gate.through({ tokens: 1 }, never, async () => {});
    expect(vi.getTimerCount()).toBe(1);
    first.resolve();
    await Promise.all([ends, last]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('keeps to what the headers say is left, of requests and of tokens', async () => {
    for (const tokens of [false, true]) {
      // A bucket of 60 that fills up in a minute, as the server sees it.
      let left = 60;
      let filled = performance.now();
      let refused = 0;
      const gate = new Gate({ ...limits, concurrency: 10 });
      const request = () =>
        gate.through({ tokens: tokens ? 5 : 1 }, never, async (learn) => {
          const now = performance.now();
          left = Math.min(60, left + (now - filled) / 1000);
          filled = now;
          const taken = tokens ? 5 : 1;
          const fits = left >= taken;
          if (fits) left -= taken;
          else refused++;
          const said = { remaining: Math.floor(left), resetMs: (60 - left) * 1000, limit: 60 };
          await new Promise((resolve) => setTimeout(resolve, 300));
          learn(
            fits ? 'answered' : 'overloaded',
            tokens ? { requests: null, tokens: said } : { requests: said, tokens: null },
          );
        });
      const count = tokens ? 24 : 120;
      const started = performance.now();
      const all = Array.from({ length: count }, request);
      await vi.runAllTimersAsync();
      await Promise.all(all);
      // 60 are there, 60 more take a minute.
      expect(performance.now() - started).toBeLessThan(66_000);
      expect(refused).toBeLessThan(count / 10);
    }
  });
});
