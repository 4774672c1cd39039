import { quantile } from './quantile.ts';
import { uniform } from './random.ts';

/** URL of this module, for `pool.run`. */
export const moduleUrl = import.meta.url;

/** Games between two players each, in their order. */
export interface Games {
  first: Int32Array;
  second: Int32Array;
  /** 1: the first won, 0: the second, 0.5: a tie. */
  outcome: Float64Array;
  players: number;
  /** Something else that the outcome may hang on, of the first player less that of the second: length, say. */
  covariate?: Float64Array;
}

export interface Strengths {
  /** Log-odds against a player of mean strength; their sum is 0. */
  strengths: Float64Array;
  /** What a unit of the covariate adds to the log-odds; 0 without one. */
  effect: number;
}

/** Newton's steps at most, and the largest part of the gradient at the end. */
const mostSteps = 100;
const tolerance = 1e-10;

/**
 * Bradley and Terry's model (1952): P(a beats b) = σ(βa − βb + γ·x). The point of greatest likelihood by Newton's method with
 * halved steps; a tie is half a win of each. `prior`: ties of each player with a player of strength 0, without which there
 * is no greatest likelihood unless every player could be reached from every other one by wins and ties.
 */
export function bradleyTerry(games: Games, { prior = 0, weights }: FitOptions = {}): Strengths {
  const { players, covariate } = games;
  const size = players + (covariate ? 1 : 0);
  let point = new Float64Array(size);
  let state = derivatives(games, point, prior, weights);
  for (let step = 0; step < mostSteps && state.gradient.some((part) => Math.abs(part) > tolerance); step++) {
    const move = solve(state.hessian, state.gradient, size);
    let next = state;
    let tried = point;
    for (let length = 1; length > 1e-6; length /= 2) {
      tried = point.map((value, at) => value + length * move[at]!);
      next = derivatives(games, tried, prior, weights);
      if (next.likelihood >= state.likelihood) break;
    }
    if (!(next.likelihood >= state.likelihood)) break;
    const gained = next.likelihood - state.likelihood;
    [point, state] = [tried, next];
    if (gained < 1e-14 * Math.abs(state.likelihood)) break;
  }
  const strengths = point.slice(0, players);
  const mean = strengths.reduce((sum, value) => sum + value, 0) / players;
  return { strengths: strengths.map((value) => value - mean), effect: covariate ? point[players]! : 0 };
}

interface FitOptions {
  prior?: number;
  /** How often each game counts; each once if not given. */
  weights?: Float64Array | undefined;
}

/** The log-likelihood at a point, its gradient, and minus its Hessian, which is made regular along equal strengths. */
function derivatives(
  { first, second, outcome, players, covariate }: Games,
  point: Float64Array,
  prior: number,
  weights: Float64Array | undefined,
) {
  const size = point.length;
  const gradient = new Float64Array(size);
  const hessian = new Float64Array(size * size);
  let likelihood = 0;
  for (let game = 0; game < outcome.length; game++) {
    const weight = weights?.[game] ?? 1;
    if (weight === 0) continue;
    const [a, b, won] = [first[game]!, second[game]!, outcome[game]!];
    const more = covariate?.[game] ?? 0;
    const odds = point[a]! - point[b]! + (covariate ? more * point[players]! : 0);
    const chance = sigmoid(odds);
    likelihood += weight * (won * logSigmoid(odds) + (1 - won) * logSigmoid(-odds));
    const error = weight * (won - chance);
    const curve = weight * chance * (1 - chance);
    gradient[a]! += error;
    gradient[b]! -= error;
    hessian[a * size + a]! += curve;
    hessian[b * size + b]! += curve;
    hessian[a * size + b]! -= curve;
    hessian[b * size + a]! -= curve;
    if (!covariate) continue;
    gradient[players]! += error * more;
    hessian[players * size + players]! += curve * more * more;
    for (const [player, sign] of [
      [a, 1],
      [b, -1],
    ] as const) {
      hessian[player * size + players]! += sign * curve * more;
      hessian[players * size + player]! += sign * curve * more;
    }
  }
  for (let player = 0; player < players; player++) {
    if (prior > 0) {
      const odds = point[player]!;
      const chance = sigmoid(odds);
      likelihood += (prior * (logSigmoid(odds) + logSigmoid(-odds))) / 2;
      gradient[player]! += prior * (0.5 - chance);
      hessian[player * size + player]! += prior * chance * (1 - chance);
    }
    for (let other = 0; other < players; other++) hessian[player * size + other]! += 1 / players;
  }
  // A covariate that does not vary says nothing.
  if (covariate) hessian[players * size + players]! += 1e-9;
  return { likelihood, gradient, hessian };
}

function sigmoid(odds: number): number {
  return odds >= 0 ? 1 / (1 + Math.exp(-odds)) : Math.exp(odds) / (1 + Math.exp(odds));
}

function logSigmoid(odds: number): number {
  return odds >= 0 ? -Math.log1p(Math.exp(-odds)) : odds - Math.log1p(Math.exp(odds));
}

/** Solves a symmetric, positive definite system by Cholesky's decomposition. */
function solve(matrix: Float64Array, right: Float64Array, size: number): Float64Array {
  const lower = matrix.slice();
  for (let column = 0; column < size; column++) {
    for (let row = column; row < size; row++) {
      let sum = lower[row * size + column]!;
      for (let k = 0; k < column; k++) sum -= lower[row * size + k]! * lower[column * size + k]!;
      lower[row * size + column] =
        row === column ? Math.sqrt(Math.max(sum, 1e-12)) : sum / lower[column * size + column]!;
    }
  }
  const solution = right.slice();
  for (let row = 0; row < size; row++) {
    for (let k = 0; k < row; k++) solution[row]! -= lower[row * size + k]! * solution[k]!;
    solution[row]! /= lower[row * size + row]!;
  }
  for (let row = size - 1; row >= 0; row--) {
    for (let k = row + 1; k < size; k++) solution[row]! -= lower[k * size + row]! * solution[k]!;
    solution[row]! /= lower[row * size + row]!;
  }
  return solution;
}

/**
 * Whether strengths of greatest likelihood exist: every player can be reached from every other one along games that were
 * not lost (Ford 1957). `weights`: games of weight 0 do not count.
 */
export function isConnected({ first, second, outcome, players }: Games, weights?: Float64Array): boolean {
  const beaten: number[][] = Array.from({ length: players }, () => []);
  const beatenBy: number[][] = Array.from({ length: players }, () => []);
  for (let game = 0; game < outcome.length; game++) {
    if (weights?.[game] === 0) continue;
    const [a, b] = [first[game]!, second[game]!];
    if (outcome[game]! > 0) {
      beaten[a]!.push(b);
      beatenBy[b]!.push(a);
    }
    if (outcome[game]! < 1) {
      beaten[b]!.push(a);
      beatenBy[a]!.push(b);
    }
  }
  return [beaten, beatenBy].every((edges) => {
    const seen = new Uint8Array(players);
    const open = [0];
    seen[0] = 1;
    for (let player = open.pop(); player !== undefined; player = open.pop())
      for (const next of edges[player]!)
        if (seen[next] === 0) {
          seen[next] = 1;
          open.push(next);
        }
    return !seen.includes(0);
  });
}

/** Points of a rating list: 400 more stand for odds of ten to one, 1000 for mean strength. */
export function ratingOf(strength: number): number {
  return 1000 + (400 / Math.LN10) * strength;
}

/** Elo's ratings (1978) after the games in their order. Everybody begins with 1000; `k` is the most that a game moves. */
export function elo(
  { first, second, outcome, players }: Games,
  k: number,
  order?: Uint32Array,
): Float64Array {
  const ratings = new Float64Array(players).fill(1000);
  for (let at = 0; at < outcome.length; at++) {
    const game = order?.[at] ?? at;
    const [a, b] = [first[game]!, second[game]!];
    const expected = 1 / (1 + 10 ** ((ratings[b]! - ratings[a]!) / 400));
    const move = k * (outcome[game]! - expected);
    ratings[a]! += move;
    ratings[b]! -= move;
  }
  return ratings;
}

export interface RatingTask {
  /** Outcomes are 1, 0.5 or 0; a covariate does not count. */
  games: Games;
  /** Virtual ties of each player where the games do not connect all players. */
  prior: number;
  k: number;
  resamples: number;
  confidence: number;
  seed: number;
}

export interface Ratings {
  /** Of each player, in points; low and high are bounds of the percentile bootstrap, null without resamples. */
  bradleyTerry: Float64Array;
  bradleyTerryBounds: [low: Float64Array, high: Float64Array] | null;
  elo: Float64Array;
  eloBounds: [low: Float64Array, high: Float64Array] | null;
  /** False: the prior was needed. */
  connected: boolean;
}

/** Both ratings with intervals: games are drawn with replacement, which for Elo also means in another order (Efron 1979). */
export function rate({ games, prior, k, resamples, confidence, seed }: RatingTask): Ratings {
  const { cells, cellOf } = cellsOf(games);
  const count = games.outcome.length;
  const fitted = (order: Uint32Array) => {
    const weights = new Float64Array(cells.outcome.length);
    for (const game of order) weights[cellOf[game]!]!++;
    const connected = isConnected(cells, weights);
    return { connected, ...bradleyTerry(cells, { prior: connected ? 0 : prior, weights }) };
  };
  const fit = fitted(Uint32Array.from({ length: count }, (_, game) => game));
  const next = uniform(seed);
  const samples = { bt: [] as Float64Array[], elo: [] as Float64Array[] };
  for (let round = 0; round < resamples; round++) {
    const order = Uint32Array.from({ length: count }, () => Math.floor(next() * count));
    samples.bt.push(fitted(order).strengths.map(ratingOf));
    samples.elo.push(elo(games, k, order));
  }
  return {
    bradleyTerry: fit.strengths.map(ratingOf),
    bradleyTerryBounds: resamples > 0 ? bounds(samples.bt, confidence) : null,
    elo: elo(games, k),
    eloBounds: resamples > 0 ? bounds(samples.elo, confidence) : null,
    connected: fit.connected,
  };
}

/** Equal games, by players and outcome, as one: a thousand resamples of many games are few sums then. */
function cellsOf({ first, second, outcome, players }: Games): { cells: Games; cellOf: Uint32Array } {
  const cells = { first: [] as number[], second: [] as number[], outcome: [] as number[] };
  const numbers = new Map<number, number>();
  const cellOf = Uint32Array.from(outcome, (won, game) => {
    const key = (first[game]! * players + second[game]!) * 3 + 2 * won;
    let cell = numbers.get(key);
    if (cell === undefined) {
      cell = numbers.size;
      numbers.set(key, cell);
      cells.first.push(first[game]!);
      cells.second.push(second[game]!);
      cells.outcome.push(won);
    }
    return cell;
  });
  return {
    cells: {
      first: Int32Array.from(cells.first),
      second: Int32Array.from(cells.second),
      outcome: Float64Array.from(cells.outcome),
      players,
    },
    cellOf,
  };
}

function bounds(rounds: readonly Float64Array[], confidence: number): [Float64Array, Float64Array] {
  const at = (share: number) =>
    Float64Array.from(rounds[0]!, (_, player) =>
      quantile(
        rounds.map((ratings) => ratings[player]!),
        share,
      ),
    );
  return [at((1 - confidence) / 2), at((1 + confidence) / 2)];
}
