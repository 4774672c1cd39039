import { describe, expect, it } from 'vitest';
import { bradleyTerry, elo, type Games, isConnected, rate, ratingOf } from './paired-comparisons.ts';
import { wilsonInterval } from './proportion.ts';
import { uniform } from './random.ts';

function games(list: readonly (readonly [number, number, number])[], covariate?: readonly number[]): Games {
  return {
    first: Int32Array.from(list, ([a]) => a),
    second: Int32Array.from(list, ([, b]) => b),
    outcome: Float64Array.from(list, ([, , outcome]) => outcome),
    players: 1 + Math.max(...list.map(([a, b]) => Math.max(a, b))),
    ...(covariate && { covariate: Float64Array.from(covariate) }),
  };
}

const times = <T>(count: number, game: T): T[] => Array.from({ length: count }, () => game);

/** Zermelo's iteration (1929), which is slow and simple. */
function zermelo({ first, second, outcome, players }: Games): number[] {
  let worth = Array.from({ length: players }, () => 1);
  for (let round = 0; round < 5000; round++) {
    const wins = new Float64Array(players);
    const faced = new Float64Array(players);
    for (let game = 0; game < outcome.length; game++) {
      const [a, b] = [first[game]!, second[game]!];
      wins[a]! += outcome[game]!;
      wins[b]! += 1 - outcome[game]!;
      for (const player of [a, b]) faced[player]! += 1 / (worth[a]! + worth[b]!);
    }
    worth = worth.map((_, player) => wins[player]! / faced[player]!);
  }
  const mean = worth.reduce((sum, own) => sum + Math.log(own), 0) / players;
  return worth.map((own) => Math.log(own) - mean);
}

describe('bradleyTerry', () => {
  it('of two players gives the odds that they played', () => {
    const { strengths } = bradleyTerry(
      games([...times(30, [0, 1, 1] as const), ...times(10, [0, 1, 0] as const)]),
    );
    expect(strengths[0]! - strengths[1]!).toBeCloseTo(Math.log(3), 9);
    expect(ratingOf(strengths[0]!) - ratingOf(strengths[1]!)).toBeCloseTo(400 * Math.log10(3), 6);
  });

  it('is the point of greatest likelihood, as another algorithm finds it', () => {
    const next = uniform(7);
    const list = Array.from({ length: 400 }, () => {
      const a = Math.floor(next() * 5);
      const b = (a + 1 + Math.floor(next() * 4)) % 5;
      const draw = next();
      return [a, b, draw < 0.2 ? 0.5 : draw < 0.2 + 0.8 / (1 + Math.exp((b - a) / 3)) ? 1 : 0] as const;
    });
    const { strengths } = bradleyTerry(games(list));
    for (const [player, strength] of zermelo(games(list)).entries())
      expect(strengths[player]).toBeCloseTo(strength, 6);
  });

  it('tells strength from length', () => {
    // Both are equally good; whatever is longer wins three times out of four.
    const longFirst = [...times(30, [0, 1, 1] as const), ...times(10, [0, 1, 0] as const)];
    const shortFirst = [
      ...times(5, [0, 1, 0] as const).concat(times(5, [0, 1, 0])),
      ...times(5, [0, 1, 1] as const),
    ];
    const list = [...longFirst, ...shortFirst];
    const covariate = [...times(40, 1), ...times(15, -1)];
    const plain = bradleyTerry(games(list));
    const { strengths, effect } = bradleyTerry(games(list, covariate));
    expect(plain.strengths[0]! - plain.strengths[1]!).toBeGreaterThan(0.4);
    expect(effect).toBeCloseTo((Math.log(3) + Math.log(2)) / 2, 6);
    expect(strengths[0]! - strengths[1]!).toBeCloseTo((Math.log(3) - Math.log(2)) / 2, 6);
  });

  it('has no such point without defeats, and says so', () => {
    const unbeaten = games([
      [0, 1, 1],
      [1, 2, 1],
      [2, 1, 1],
    ]);
    expect(isConnected(unbeaten)).toBe(false);
    expect(isConnected(games([[0, 1, 0.5]]))).toBe(true);
    const { connected, bradleyTerry: ratings } = rate({
      games: unbeaten,
      prior: 1,
      k: 4,
      resamples: 0,
      confidence: 0.95,
      seed: 1,
    });
    expect(connected).toBe(false);
    expect(ratings[0]!).toBeGreaterThan(ratings[1]!);
    expect(ratings.every(Number.isFinite)).toBe(true);
    // Of one game and a tie of each player with a mean one, the gradient is 0: (1 − σ(2x)) + (½ − σ(x)) = 0.
    const { strengths } = bradleyTerry(games([[0, 1, 1]]), { prior: 1 });
    const sigmoid = (odds: number) => 1 / (1 + Math.exp(-odds));
    expect(strengths[0]!).toBeGreaterThan(0);
    expect(1 - sigmoid(2 * strengths[0]!) + 0.5 - sigmoid(strengths[0]!)).toBeCloseTo(0, 9);
  });
});

describe('elo', () => {
  it('moves by k times what was not expected', () => {
    const [a, b] = elo(games([[0, 1, 1]]), 32);
    expect([a, b]).toEqual([1016, 984]);
    const [stronger] = elo(
      games([
        [0, 1, 1],
        [0, 1, 1],
      ]),
      32,
    );
    expect(stronger).toBeCloseTo(1016 + 32 * (1 - 1 / (1 + 10 ** (-32 / 400))), 9);
  });
});

describe('rate', () => {
  const list = Array.from({ length: 200 }, (_, game) => [0, 1, game % 4 === 0 ? 0 : 1] as const);
  const task = { games: games(list), prior: 1, k: 4, resamples: 200, confidence: 0.95, seed: 3 };

  it('gives intervals that hold the estimate, the same ones for the same seed', () => {
    const { bradleyTerry: ratings, bradleyTerryBounds, elo: points, eloBounds } = rate(task);
    const [low, high] = bradleyTerryBounds!;
    expect(low[0]!).toBeLessThan(ratings[0]!);
    expect(high[0]!).toBeGreaterThan(ratings[0]!);
    // A standard error of the log-odds is √(1/150 + 1/50): half an interval is about 2·28 points, and half of that each.
    expect(high[0]! - low[0]!).toBeCloseTo(
      (2 * 1.96 * Math.sqrt(1 / 150 + 1 / 50) * 400) / Math.LN10 / 2,
      -1.3,
    );
    expect(eloBounds![0][0]!).toBeLessThan(points[0]!);
    expect(rate(task)).toEqual(rate(task));
  });
});

it("Wilson's interval is that of statsmodels", () => {
  // proportion_confint(95, 100, method='wilson')
  const [low, high] = wilsonInterval(95, 100);
  expect(low).toBeCloseTo(0.888247, 5);
  expect(high).toBeCloseTo(0.978456, 5);
});
