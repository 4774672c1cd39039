import type { Row, TableArtefact } from '../artefacts.ts';
import { canonicalJson, type Json } from '../json.ts';
import type { Answer } from '../language-model.ts';
import { answersOf, type StepRecord } from '../record/record.ts';
import { DamagedBlobError, type Store } from '../store/store.ts';
import type { Side } from './compare.ts';

/** How far the answers of a step's language models have drifted since the run: what they say when they are asked again. */
export interface Drift {
  step: string;
  /** Answers of the record; those that were asked for again, word for word or for the same row. */
  answers: { recorded: number; compared: number };
  /** Share of the compared ones that are the same. Null of none. */
  agreement: number | null;
  /**
   * Cosines of the embeddings of the two answers: their mean, where the same answer counts as 1, and the least. Of the
   * differing pairs so many were embedded. Null of none, or without an encoder.
   */
  similarity: { mean: number; least: number; embedded: number } | null;
  /** Numbers in the rows of its main output, joined by id. */
  scores: ScoreDrift[];
}

export interface ScoreDrift {
  field: string;
  /** Rows that have a number in it both times. */
  rows: number;
  recorded_mean: number;
  mean: number;
  /** Mean of the absolute differences. */
  mean_abs_difference: number;
}

/** Cosine similarities of pairs of texts. */
export type Similarity = (pairs: readonly (readonly [string, string])[]) => Promise<number[]>;

/** Embedding more pairs says no more about their mean, and takes minutes. */
const mostEmbedded = 500;

/** Measures the drift of every step that asked language models both times. What is gone from the store is passed over. */
export async function measureDrift(old: Side, now: Side, similarity: Similarity): Promise<Drift[]> {
  const found: Drift[] = [];
  for (const before of old.record.steps) {
    const after = now.record.steps.find(({ id }) => id === before.id);
    const [recorded, asked] = [answersOf(before), after && answersOf(after)];
    if (recorded === null || !after || !asked) continue;
    try {
      const pairs = pairsOf(await readAnswers(recorded, old.store), await readAnswers(asked, now.store));
      const given = fieldsGiven(before, old.record.steps);
      const scores = await scoresOf(before, after, old.store, now.store, given);
      found.push({
        step: before.id,
        answers: { recorded: recorded.rows, compared: pairs.length },
        ...(await agreementOf(pairs, similarity)),
        scores,
      });
    } catch (error) {
      if (!(error instanceof DamagedBlobError)) throw error;
    }
  }
  return found;
}

/** A row of the output `answers`. */
type AnswerRow = Answer & { id: string; model: string; row?: string | null };

async function readAnswers(table: TableArtefact, store: Store): Promise<AnswerRow[]> {
  const rows: AnswerRow[] = [];
  for await (const row of store.readTable(table).read()) rows.push(row as unknown as AnswerRow);
  return rows;
}

/**
 * Answers to the same words of the same model (their id says so); of what is left, those for the same row, if each side has
 * one: what was asked may hang on another answer.
 */
function pairsOf(old: readonly AnswerRow[], now: readonly AnswerRow[]): [AnswerRow, AnswerRow][] {
  const byId = new Map(now.map((answer) => [answer.id, answer]));
  const pairs = old.flatMap((answer): [AnswerRow, AnswerRow][] => {
    const same = byId.get(answer.id);
    return same ? [[answer, same]] : [];
  });
  const known = new Set(pairs.map(([{ id }]) => id));
  const [left, right] = [old, now].map((answers) => byRow(answers.filter(({ id }) => !known.has(id))));
  for (const [row, [answer, ...others]] of left!) {
    const [other, ...more] = right!.get(row) ?? [];
    if (answer && other && others.length + more.length === 0) pairs.push([answer, other]);
  }
  return pairs;
}

function byRow(answers: readonly AnswerRow[]): Map<string, AnswerRow[]> {
  const found = new Map<string, AnswerRow[]>();
  for (const answer of answers) {
    if (typeof answer.row !== 'string') continue;
    const name = JSON.stringify([answer.model, answer.row]);
    found.set(name, [...(found.get(name) ?? []), answer]);
  }
  return found;
}

async function agreementOf(
  pairs: readonly [AnswerRow, AnswerRow][],
  similarity: Similarity,
): Promise<Pick<Drift, 'agreement' | 'similarity'>> {
  if (pairs.length === 0) return { agreement: null, similarity: null };
  const other = pairs.filter(([was, is]) => saidBy(was) !== saidBy(is));
  const agreement = 1 - other.length / pairs.length;
  if (other.length === 0) return { agreement, similarity: { mean: 1, least: 1, embedded: 0 } };
  // They come in the order of the rows. By the digests of what was asked the first ones are a sample, always the same.
  const sample = other
    .toSorted(([{ request: a }], [{ request: b }]) => (a < b ? -1 : a > b ? 1 : 0))
    .slice(0, mostEmbedded)
    .map(([was, is]) => [was.text, is.text] as const);
  const cosines = await similarity(sample);
  if (cosines.length === 0) return { agreement, similarity: null };
  const mean = cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length;
  return {
    agreement,
    similarity: {
      mean: agreement + (1 - agreement) * mean,
      least: Math.min(...cosines),
      embedded: cosines.length,
    },
  };
}

/** What counts of an answer: its JSON however it is laid out, or its text without the white space around it. */
function saidBy({ json, text }: Answer): string {
  return json === null ? text.trim() : canonicalJson(json as Json);
}

/** Fields that a step's rows had before it. */
function fieldsGiven({ inputs }: StepRecord, steps: readonly StepRecord[]): Set<string> {
  const parts = Object.values(inputs).flat();
  return new Set(
    parts.flatMap(({ run, step, output }) => {
      const made = run === null ? steps.find(({ id }) => id === step)?.outputs[output] : undefined;
      return made?.kind === 'table' ? made.fields : [];
    }),
  );
}

async function scoresOf(
  before: StepRecord,
  after: StepRecord,
  oldStore: Store,
  nowStore: Store,
  given: ReadonlySet<string>,
): Promise<ScoreDrift[]> {
  const [was, is] = [before, after].map(({ outputs }) => outputs[Object.keys(before.outputs)[0]!]);
  if (was?.kind !== 'table' || is?.kind !== 'table') return [];
  const numbers = new Map<string, Row>();
  for await (const row of oldStore.readTable(was).read()) numbers.set(row.id, numbersIn(row));
  const sums = new Map<string, { rows: number; old: number; now: number; apart: number }>();
  for await (const row of nowStore.readTable(is).read()) {
    const known = numbers.get(row.id);
    if (known === undefined) continue;
    for (const [field, value] of Object.entries(row)) {
      const earlier = Object.hasOwn(known, field) ? known[field] : undefined;
      if (typeof value !== 'number' || typeof earlier !== 'number' || given.has(field)) continue;
      const sum = sums.get(field) ?? { rows: 0, old: 0, now: 0, apart: 0 };
      sum.rows++;
      sum.old += earlier;
      sum.now += value;
      sum.apart += Math.abs(value - earlier);
      sums.set(field, sum);
    }
  }
  return [...sums].map(([field, { rows, old, now, apart }]) => ({
    field,
    rows,
    recorded_mean: old / rows,
    mean: now / rows,
    mean_abs_difference: apart / rows,
  }));
}

function numbersIn(row: Row): Row {
  const numbers = Object.entries(row).filter(([name, value]) => name === 'id' || typeof value === 'number');
  return Object.fromEntries(numbers) as Row;
}
