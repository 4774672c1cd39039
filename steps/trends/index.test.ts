import { afterAll, describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { WorkerPool } from '../../engine/execute/pool.ts';
import type { JsonObject } from '../../engine/json.ts';
import { uniform } from '../../numerics/random.ts';
import { shuffle } from '../../numerics/sampling.ts';
import { runStep } from '../../test/run-step.ts';
import { analyse } from './analyse.ts';
import trends from './index.ts';
import { cutTime } from './slices.ts';

const pool = new WorkerPool({ threads: 2 });
afterAll(() => pool.close());

const run = (rows: Row[], options: JsonObject = {}) =>
  runStep(trends, { pool, with: { time: 'at', ...options }, inputs: { rows } });

const days = 40;
const dayOf = (at: number) => new Date(Date.UTC(2026, 0, 1 + at, 12)).toISOString();

/** Eight topics over 40 days: topic 1 rises, topic 2 falls, topic 3 has three busy days; every seventh day is twice as busy. */
function planted(): Row[] {
  const next = uniform(4);
  const rows: Row[] = [];
  for (let day = 0; day < days; day++) {
    const busy = day % 7 === 0 ? 2 : 1;
    for (let cluster = 0; cluster < 8; cluster++) {
      const mean =
        busy *
        (cluster === 1
          ? 2 + day / 4
          : cluster === 2
            ? 12 - day / 4
            : cluster === 3 && day >= 20 && day < 23
              ? 24
              : 6);
      const count = Math.round(mean + (next() - 0.5) * 4);
      for (let at = 0; at < count; at++)
        rows.push({
          id: `${day}-${cluster}-${at}`,
          at: dayOf(day),
          cluster,
          text: `the ${['fee', 'card'][cluster % 2]} ${cluster === 3 && day === 21 ? 'outage' : 'question'}`,
        });
    }
  }
  return rows;
}

describe('trends', () => {
  it('finds the planted slopes and the planted burst, and nothing else', async () => {
    const rows = planted();
    const { tables, metrics, warnings } = await run(rows, { slice: 'day', keywords: 2 });
    expect(warnings).toEqual([]);
    expect(metrics).toEqual({
      clusters: 8,
      slices: days,
      rising: 1,
      falling: 1,
      bursts: 1,
      rows: rows.length,
      excluded: 0,
    });
    const directions = tables['rows']!.map((row) => row['direction']);
    expect(directions).toEqual(['steady', 'rising', 'falling', ...Array(5).fill('steady')]);
    const slope = (at: number) => Number(tables['rows']![at]!['slope']);
    // Of 48 rows or so a day a quarter more or fewer.
    expect(slope(1)).toBeCloseTo(0.25 / 49, 3);
    expect(slope(2)).toBeCloseTo(-0.25 / 49, 3);
    const { slope_low: low, slope_high: high } = tables['rows']![1]!;
    expect(Number(low)).toBeLessThan(slope(1));
    expect(Number(high)).toBeGreaterThan(slope(1));
    expect(tables['bursts']).toHaveLength(1);
    expect(tables['bursts']![0]).toMatchObject({
      id: '3@2026-01-21',
      cluster: 3,
      from: '2026-01-21',
      to: '2026-01-23',
      slices: 3,
    });
    expect(tables['rows']![3]).toMatchObject({ bursts: 1, peak: expect.stringMatching(/^2026-01-2[123]$/) });
    const slices = tables['slices']!;
    expect(slices).toHaveLength(8 * days);
    expect(slices.filter((row) => row['burst'])).toHaveLength(3);
    for (const day of ['2026-01-01', '2026-02-09']) {
      const own = slices.filter((row) => row['slice'] === day);
      expect(own.reduce((sum, row) => sum + Number(row['rows']), 0)).toBe(own[0]!['of']);
    }
    const said = (id: string) => slices.find((row) => row.id === id)!['keywords'];
    expect(said('3@2026-01-22')).toContain('outage');
    expect(said('3@2026-01-10')).not.toContain('outage');
    expect(said('2@2026-01-10')).toContain('fee question');
  });

  it('finds nothing in 19 of 20 tables whose times are shuffled', () => {
    const rows = planted();
    const totals = new Float64Array(days);
    const of = Int32Array.from(rows, (row) =>
      Math.round((Date.parse(String(row['at'])) - Date.parse(dayOf(0))) / 86_400_000),
    );
    for (const day of of) totals[day]!++;
    let wrong = 0;
    for (let seed = 0; seed < 200; seed++) {
      const shuffled = shuffle([...of], seed);
      const counts = new Float64Array(8 * days);
      rows.forEach((row, at) => {
        counts[Number(row['cluster']) * days + shuffled[at]!]!++;
      });
      const found = analyse({ counts, totals, clusters: 8, alpha: 0.05, leastRows: 3 });
      if (found.some(({ direction, bursts }) => direction !== 'steady' || bursts.length > 0)) wrong++;
    }
    expect(wrong).toBeLessThanOrEqual(10);
  });

  it('gives the same tables again, and counts rows without a time or a cluster apart', async () => {
    const rows: Row[] = [
      { id: 'a', at: 1_767_225_600, cluster: 0, text: 'one' },
      { id: 'b', at: 1_767_225_600_000, cluster: 1, text: 'two' },
      { id: 'c', at: '2026-01-03', cluster: -1, text: 'three' },
      { id: 'd', at: null, cluster: 0, text: 'four' },
    ];
    const { tables, metrics, warnings } = await run(rows, { slice: 'day' });
    expect(warnings).toEqual(['1 of 4 rows have no at; they are left out']);
    expect(metrics).toMatchObject({ clusters: 2, slices: 3, rows: 3, excluded: 1 });
    expect(tables['slices']!.slice(0, 3)).toMatchObject([
      { id: '0@2026-01-01', rows: 1, of: 2, share: 0.5 },
      { id: '0@2026-01-02', rows: 0, of: 0, share: null, keywords: [] },
      { id: '0@2026-01-03', rows: 0, of: 1, share: 0 },
    ]);
    expect((await run(rows, { slice: 'day' })).tables).toEqual(tables);
  });

  it('takes no rows and one; refuses what is no time, and too many slices', async () => {
    expect((await run([])).tables).toEqual({ rows: [], slices: [], bursts: [] });
    const one = await run([{ id: 'a', at: '2026-01-01', cluster: 4, text: 'x' }]);
    expect(one.metrics).toMatchObject({ clusters: 1, slices: 1, rising: 0, falling: 0, bursts: 0 });
    expect(one.tables['rows']![0]).toMatchObject({ cluster: 4, direction: 'steady', p_value: 1 });
    await expect(run([{ id: 'a', at: 'soon', cluster: 0, text: '' }])).rejects.toMatchObject({
      code: 'bad-time',
      message: 'row a: at is "soon", which is no time',
    });
    // Nanoseconds since 1970.
    await expect(run([{ id: 'a', at: 1_767_225_600e9, cluster: 0, text: '' }])).rejects.toMatchObject({
      code: 'bad-time',
      hint: expect.stringContaining('nanoseconds by 1,000,000'),
    });
    await expect(
      run(
        [0, 4e9].map((at) => ({ id: String(at), at, cluster: 0, text: '' })),
        { slice: 'hour' },
      ),
    ).rejects.toMatchObject({ code: 'too-many-slices' });
  });
});

describe('cutTime', () => {
  const times = (...texts: string[]) => Float64Array.from(texts, (text) => Date.parse(text));

  it('cuts at the calendar of UTC', () => {
    const given = times('2024-12-30T00:00:00Z', '2025-01-05T23:59:59Z', '2025-01-06T00:00:00Z');
    expect(cutTime(given, 'week')).toEqual({ names: ['2025-W01', '2025-W02'], of: Int32Array.of(0, 0, 1) });
    expect(cutTime(given, 'month').names).toEqual(['2024-12', '2025-01']);
    expect(cutTime(given, 'quarter').names).toEqual(['2024-Q4', '2025-Q1']);
    expect(cutTime(given, 'year').names).toEqual(['2024', '2025']);
    expect(cutTime(given, 'hour').names.at(-1)).toBe('2025-01-06T00:00Z');
    expect(cutTime(times('2020-12-31', '2021-01-04'), 'week').names).toEqual(['2020-W53', '2021-W01']);
    expect(cutTime(times('1969-12-31', '1970-01-01'), 'day').of).toEqual(Int32Array.of(0, 1));
  });

  it('cuts into equal parts, and by itself into 60 at most', () => {
    const given = times('2026-01-01', '2026-01-02', '2026-01-09');
    expect([...cutTime(given, 4).of]).toEqual([0, 0, 3]);
    expect(cutTime(given, 'auto').names).toHaveLength(9);
    expect(cutTime(times('2020-01-01', '2026-01-09'), 'auto').names.at(-1)).toBe('2026-Q1');
    expect(cutTime(times('2026-01-01', '2026-01-01'), 5).names).toHaveLength(1);
    const near = times('2026-01-01T00:00:00Z', '2026-01-01T00:00:00.010Z');
    expect(new Set(cutTime(near, 100).names).size).toBe(10);
    expect([...cutTime(near, 100).of]).toEqual([0, 9]);
  });
});
