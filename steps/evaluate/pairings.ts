import type { Row } from '../../engine/artefacts.ts';
import type { Json } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import type { StepResult } from '../../engine/step.ts';
import {
  bradleyTerry,
  isConnected,
  moduleUrl,
  type Ratings,
  type RatingTask,
  ratingOf,
} from '../../numerics/paired-comparisons.ts';
import { requireFields } from '../missing-field.ts';
import { significant } from '../significant.ts';
import { nameOf } from './labels.ts';
import type { Scoring } from './scoring.ts';

/** Ties with a player of mean strength that each player gets where games alone do not determine strengths. */
const prior = 1;

interface Pairings {
  names: string[];
  first: number[];
  second: number[];
  outcome: number[];
  /** Relative difference of lengths, −1 to 1. */
  length: number[];
  left: number;
}

/** Bradley and Terry's strengths and Elo ratings of those whose answers were compared. */
export async function scorePairings({ parameters, inputs, outputs, context }: Scoring): Promise<StepResult> {
  const { players, winner, lengths, k, resamples, confidence_level } = parameters;
  requireFields(inputs.rows, [...players!, winner, ...(lengths ?? [])]);
  const found = await readPairings({ parameters, inputs });
  const { names, outcome } = found;
  if (found.left > 0)
    context.warn(`${found.left} of ${inputs.rows.rows} rows have no winner or player; they are no games`);
  if (outcome.length === 0)
    throw new StepError(
      'nothing-to-score',
      inputs.rows.rows === 0
        ? 'there are no rows to score'
        : `none of the ${inputs.rows.rows} rows is a game`,
      `a game has ${players!.join(', ')} and ${winner}`,
    );
  const games = {
    first: Int32Array.from(found.first),
    second: Int32Array.from(found.second),
    outcome: Float64Array.from(outcome),
    players: names.length,
  };
  const task: RatingTask = {
    games,
    prior,
    k,
    resamples,
    confidence: confidence_level,
    seed: context.random('bootstrap').seed(),
  };
  const ratings = await context.pool.run<RatingTask, Ratings>(moduleUrl, 'rate', task);
  if (!ratings.connected)
    context.warn(
      'wins and ties do not lead from every player to every other one: strengths have no greatest likelihood, and each player gets a tie with a mean one',
    );
  const corrected = lengths
    ? bradleyTerry(
        { ...games, covariate: Float64Array.from(found.length) },
        { prior: isConnected(games) ? 0 : prior },
      )
    : null;
  for (const row of playerRows(found, ratings, corrected?.strengths)) await outputs.rows.write(row);
  for (const row of pairRows(found)) await outputs.contingency.write(row);
  return {
    metrics: {
      games: outcome.length,
      players: names.length,
      ties: outcome.filter((one) => one === 0.5).length,
      ...(corrected && { length_effect: significant(corrected.effect) }),
      rows: inputs.rows.rows,
      excluded: found.left,
    },
  };
}

async function readPairings({
  parameters,
  inputs,
}: Pick<Scoring, 'parameters' | 'inputs'>): Promise<Pairings> {
  const { players, winner, labels, lengths } = parameters;
  const numbers = new Map<string, number>();
  const numberOf = (name: string) => {
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    return number;
  };
  const found: Omit<Pairings, 'names'> = { first: [], second: [], outcome: [], length: [], left: 0 };
  for await (const block of inputs.rows.blocks()) {
    for (const row of block) {
      const [a, b] = players!.map((field) => nameOf(row[field] ?? null)) as [string, string];
      const said = nameOf(row[winner] ?? null);
      if (a === '' || b === '' || said === '' || a === b) {
        found.left++;
        continue;
      }
      const [first, second, tie] = labels?.map((label) => nameOf(label)) ?? [a, b, 'tie'];
      const outcome = said === first ? 1 : said === second ? 0 : said === tie ? 0.5 : null;
      if (outcome === null)
        throw new StepError(
          'unknown-winner',
          `row ${row.id}: ${winner} is "${said}"`,
          labels
            ? `labels has ${labels.join(', ')}`
            : `it may be "${a}", "${b}" or tie; if it is something else, say so: labels: [first, second, tie]`,
        );
      found.first.push(numberOf(a));
      found.second.push(numberOf(b));
      found.outcome.push(outcome);
      found.length.push(lengths ? relativeLength(row[lengths[0]!] ?? null, row[lengths[1]!] ?? null) : 0);
    }
  }
  return { names: [...numbers.keys()], ...found };
}

/** As FastChat's style control has it: the difference over the sum. */
function relativeLength(first: Json, second: Json): number {
  const [a, b] = [first, second].map((value) => (value === null ? 0 : nameOf(value).length)) as [
    number,
    number,
  ];
  return a + b === 0 ? 0 : (a - b) / (a + b);
}

/** A row for each player, the strongest first. */
function playerRows(found: Pairings, ratings: Ratings, corrected: Float64Array | undefined): Row[] {
  const rows = found.names.map((player, number): Row => {
    let [games, wins, ties] = [0, 0, 0];
    for (const [game, outcome] of found.outcome.entries()) {
      if (found.first[game] !== number && found.second[game] !== number) continue;
      games++;
      if (outcome === 0.5) ties++;
      else if ((outcome === 1) === (found.first[game] === number)) wins++;
    }
    const [low, high] = ratings.bradleyTerryBounds ?? [];
    const [eloLow, eloHigh] = ratings.eloBounds ?? [];
    const round = (points: Float64Array) => Math.round(points[number]! * 10) / 10;
    return {
      id: player,
      player,
      rating: round(ratings.bradleyTerry),
      ...(low && high && { rating_low: round(low), rating_high: round(high) }),
      ...(corrected && { rating_length_corrected: round(corrected.map(ratingOf)) }),
      elo: round(ratings.elo),
      ...(eloLow && eloHigh && { elo_low: round(eloLow), elo_high: round(eloHigh) }),
      win_rate: significant((wins + ties / 2) / games),
      games,
      wins,
      losses: games - wins - ties,
      ties,
    };
  });
  return rows.sort((a, b) => Number(b['rating']) - Number(a['rating']) || (a.id < b.id ? -1 : 1));
}

/** How often each player (`class`) won against each other one (`predicted`), ties by half. */
function pairRows({ names, first, second, outcome }: Pairings): Row[] {
  const wins = new Map<string, number>();
  const add = (a: number, b: number, won: number) => {
    const id = JSON.stringify([names[a]!, names[b]!]);
    wins.set(id, (wins.get(id) ?? 0) + won);
  };
  for (const [game, won] of outcome.entries()) {
    add(first[game]!, second[game]!, won);
    add(second[game]!, first[game]!, 1 - won);
  }
  return [...wins]
    .map(([id, count]): Row => {
      const [own, other] = JSON.parse(id) as [string, string];
      return { id, class: own, predicted: other, count };
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}
