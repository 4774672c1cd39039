import type { Row } from '../../engine/artefacts.ts';
import type { Json } from '../../engine/json.ts';
import { krippendorffAlpha } from '../../numerics/agreement.ts';
import { wilsonInterval } from '../../numerics/proportion.ts';
import { spearman } from '../../numerics/rank-correlation.ts';
import { significant } from '../significant.ts';
import type { Finding } from './combine.ts';
import type { Given, Judgment, Outcome, Verdict } from './given.ts';

/** Shares beyond which a judge is said to be biased, if the whole interval of 95 % lies there. */
const mostFirst = 0.6;
const mostLonger = 0.65;

/** What is counted of one judge while the rows go by. */
class JudgeTally {
  readonly judge: string;
  rows = 0;
  failed = 0;
  readonly outcomes = { first: 0, second: 0, tie: 0 };
  /** Rows judged in both orders, and those with the same verdict in both. */
  bothOrders = 0;
  sameInBoth = 0;
  /** Verdicts of pairs judged in both orders: for the answer shown first, and for the one shown second. */
  shownFirst = 0;
  shownSecond = 0;
  longer = 0;
  shorter = 0;
  /** Questions asked more than once, and those with different verdicts. */
  repeated = 0;
  flipped = 0;
  likePanel = 0;
  /** Scores that were to be those by their probabilities, and those of them without any. */
  weighed = 0;
  asSaid = 0;
  readonly scores: number[] = [];
  readonly lengths: number[] = [];

  constructor(judge: string) {
    this.judge = judge;
  }

  add(judgment: Judgment, finding: Finding | null, panel: Finding, lengths: readonly number[]): void {
    if (finding === null) {
      this.failed++;
      return;
    }
    this.rows++;
    this.#countRepeats(judgment.verdicts);
    for (const { said } of judgment.verdicts) {
      if (said !== undefined) this.weighed++;
      if (said === null) this.asSaid++;
    }
    if (finding.winner === null) {
      this.scores.push(finding.score!);
      this.lengths.push(lengths[0]!);
      if (finding.score === panel.score) this.likePanel++;
      return;
    }
    this.outcomes[finding.winner]++;
    if (finding.winner === panel.winner) this.likePanel++;
    this.#countOrders(judgment.verdicts);
    const [first, second] = lengths;
    if (finding.winner === 'tie' || first === second) return;
    if ((finding.winner === 'first') === first! > second!) this.longer++;
    else this.shorter++;
  }

  #countOrders(verdicts: readonly Verdict[]): void {
    const given = verdicts.filter(({ order }) => order === 'given');
    const swapped = verdicts.filter(({ order }) => order === 'swapped');
    if (given.length === 0 || swapped.length === 0) return;
    for (const [index, { winner }] of given.entries()) {
      this.bothOrders++;
      if (winner === swapped[index]!.winner) this.sameInBoth++;
    }
    for (const { order, winner } of [...given, ...swapped]) {
      if (winner === 'tie') continue;
      if ((winner === 'first') === (order === 'given')) this.shownFirst++;
      else this.shownSecond++;
    }
  }

  #countRepeats(verdicts: readonly Verdict[]): void {
    const said = new Map<string | null, Set<string>>();
    for (const { order, winner, scores } of verdicts) {
      const known = said.get(order) ?? new Set<string>();
      said.set(order, known.add(JSON.stringify(winner ?? scores)));
    }
    if (verdicts.length <= said.size) return;
    this.repeated += said.size;
    this.flipped += [...said.values()].filter((values) => values.size > 1).length;
  }

  get consistency(): number | null {
    return share(this.sameInBoth, this.bothOrders);
  }

  /** −1 to 1: 1 if the answer shown first always wins, 0 if the order does not matter. */
  get positionBias(): number | null {
    const { shownFirst, shownSecond } = this;
    return share(shownFirst - shownSecond, shownFirst + shownSecond);
  }

  /** Share of the questions asked more than once that got different answers. */
  get flipRate(): number | null {
    return share(this.flipped, this.repeated);
  }

  get longerShare(): number | null {
    return share(this.longer, this.longer + this.shorter);
  }

  get lengthCorrelation(): number | null {
    const value = spearman(Float64Array.from(this.scores), Float64Array.from(this.lengths));
    return Number.isNaN(value) ? null : significant(value);
  }

  /** What a user should know of the judge before its verdicts are believed. */
  get warnings(): string[] {
    const found: string[] = [];
    const percent = (count: number, total: number) => `${Math.round((100 * count) / total)} %`;
    const decided = this.shownFirst + this.shownSecond;
    if (this.failed > 0)
      found.push(
        `${this.judge} has no usable verdict of ${this.failed} of ${this.rows + this.failed} rows; they are judged without it`,
      );
    for (const [count, place] of [
      [this.shownFirst, 'first'],
      [this.shownSecond, 'second'],
    ] as const)
      if (wilsonInterval(count, decided)[0] > mostFirst)
        found.push(
          `${this.judge} prefers the answer shown ${place} in ${percent(count, decided)} of its verdicts; where the orders differ the row is a tie`,
        );
    if (this.asSaid > 0)
      found.push(
        `${this.judge} gave no probabilities for ${this.asSaid} of ${this.weighed} scores; they count as said`,
      );
    const unequal = this.longer + this.shorter;
    if (wilsonInterval(this.longer, unequal)[0] > mostLonger)
      found.push(
        `${this.judge} prefers the longer answer in ${percent(this.longer, unequal)} of its verdicts`,
      );
    return found;
  }

  row({ mode, orders, samples }: Given, labels: { [outcome in Outcome]: string | number }): Row {
    const { rows, failed, outcomes } = this;
    const known: { [field: string]: Json } =
      mode === 'score'
        ? {
            mean_score:
              rows > 0 ? significant(this.scores.reduce((sum, score) => sum + score, 0) / rows) : null,
            length_correlation: this.lengthCorrelation,
          }
        : {
            [`wins_${labels.first}`]: outcomes.first,
            [`wins_${labels.second}`]: outcomes.second,
            ties: outcomes.tie,
            ...(orders === 'both' && { consistency: this.consistency, position_bias: this.positionBias }),
            longer_share: this.longerShare,
          };
    return {
      id: this.judge,
      judge: this.judge,
      rows,
      failed,
      ...known,
      ...(samples > 1 && { flip_rate: this.flipRate }),
      like_panel: share(this.likePanel, rows),
    };
  }
}

function share(part: number, whole: number): number | null {
  return whole > 0 ? significant(part / whole) : null;
}

/** Counts over all rows: what the judges' table and the metrics say. */
export class Tally {
  readonly #given: Given;
  readonly judges: readonly JudgeTally[];
  /** Each judge's verdict of each row, for their agreement: NaN where there is none. */
  readonly #ratings: number[] = [];
  rows = 0;
  #scored = 0;
  #scoreSum = 0;
  readonly outcomes = { first: 0, second: 0, tie: 0 };

  constructor(given: Given) {
    this.#given = given;
    this.judges = given.judges.map((judge) => new JudgeTally(judge));
  }

  add(
    judgments: readonly Judgment[],
    findings: readonly (Finding | null)[],
    panel: Finding,
    lengths: readonly number[],
  ): void {
    this.rows++;
    if (panel.score !== null) {
      this.#scored++;
      this.#scoreSum += panel.score;
    } else if (panel.winner !== null) this.outcomes[panel.winner]++;
    for (const [index, tally] of this.judges.entries()) {
      const finding = findings[index] ?? null;
      tally.add(judgments[index]!, finding, panel, lengths);
      this.#ratings.push(finding === null ? Number.NaN : ratingOf(finding));
    }
  }

  get meanScore(): number | null {
    return share(this.#scoreSum, this.#scored);
  }

  /** Krippendorff's alpha of the judges: nominal for winners, interval for scores; null if there is none. */
  get alpha(): number | null {
    const raters = this.judges.length;
    if (raters < 2) return null;
    const values = Float64Array.from(new Set(this.#ratings.filter((rating) => !Number.isNaN(rating)))).sort();
    const codeOf = new Map([...values].map((value, code) => [value, code]));
    const codes = Int32Array.from(this.#ratings, (rating) => codeOf.get(rating) ?? -1);
    const level = this.#given.mode === 'score' ? 'interval' : 'nominal';
    const alpha = krippendorffAlpha({ codes, units: this.rows, raters, values }, level);
    return Number.isNaN(alpha) ? null : significant(alpha);
  }
}

function ratingOf({ winner, score }: Finding): number {
  return winner === null ? score! : ['first', 'second', 'tie'].indexOf(winner);
}
