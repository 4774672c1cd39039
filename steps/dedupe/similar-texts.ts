import type { StepContext, TableInput } from '../../engine/step.ts';
import {
  crossPairs,
  indexTexts,
  linkedPairs,
  moduleUrl,
  type NearTextOptions,
  type Pairs,
} from '../../numerics/near-texts.ts';
import { packTexts } from '../../numerics/packed-texts.ts';
import type { Shingling } from '../../numerics/shingles.ts';
import { UnionFind } from '../../numerics/union-find.ts';
import { requireFields } from '../missing-field.ts';
import { warnOfMissing } from './equal-rows.ts';
import { KeyTable } from './key-table.ts';
import { defaultThresholds, type Parameters } from './parameters.ts';
import { Preference } from './preference.ts';
import { identityOf, keyOf, normalizeAll, textOf } from './row-values.ts';
import type { Verdicts } from './verdicts.ts';

/** Weight of a missed pair in the choice of bands: candidates that are none cost a comparison and nothing else. */
const missWeight = 0.99;
/** Characters in the shingles by which `fuzzy` finds its candidates. */
const fuzzyShingle = 2;

/** What is known of the rows of a table: the form (normalised text) of each, by number, and what it was made from. */
interface Forms {
  /** The form of each row, or −1 for a row without the fields. */
  of: Int32Array;
  /** Tells rows of one form apart. */
  identity: Float64Array;
  preference: Float64Array;
  /** The first row of each form, and the forms' texts. */
  first: number[];
  texts: string[];
}

/**
 * Duplicates by MinHash and exact Jaccard similarity (`minhash`) or edit distance (`fuzzy`). Rows of equal normalised text
 * are one; texts that are alike, directly or over others, are a group, of which the row with the highest preference stays.
 */
export async function findSimilarTexts(
  parameters: Parameters & { method: 'minhash' | 'fuzzy' },
  inputs: { rows: TableInput; against: TableInput | undefined },
  context: StepContext,
): Promise<Verdicts> {
  const { rows, against } = inputs;
  requireFields(rows, parameters.fields);
  if (against) requireFields(against, parameters.fields, 'against');
  const preference = await Preference.open(parameters, rows);
  const own = await formsOf(rows, parameters, preference);
  preference.warnAbout(context, rows.rows);
  warnOfMissing(
    context,
    own.of.reduce((sum, form) => sum + (form === -1 ? 1 : 0), 0),
    rows.rows,
    parameters.fields,
  );
  const other = against && (await formsOf(against, { ...parameters, keep: 'first', by: null }));
  const size = own.texts.length;
  const texts = packTexts(other ? [...own.texts, ...other.texts] : own.texts);
  context.signal.throwIfAborted();
  const index = await indexTexts(texts, searchOptions(parameters), context.pool);

  const bestOther = new Int32Array(size).fill(-1);
  const otherScore = new Float64Array(size);
  if (other) {
    const others = Int32Array.from(other.texts, (_, form) => size + form);
    const matches = await crossPairs(index, numbersBelow(size), others, context.pool);
    eachPair(matches, (form, match, score) => {
      if (
        bestOther[form] !== -1 &&
        (score < otherScore[form]! || (score === otherScore[form] && match >= bestOther[form]!))
      )
        return;
      bestOther[form] = match;
      otherScore[form] = score;
    });
  }

  const members = numbersBelow(size).filter((form) => bestOther[form] === -1);
  const links = await linkedPairs(index, members, context.pool);
  const sets = new UnionFind(size);
  eachPair(links, (left, right) => sets.union(left, right));
  const verdicts = keepBest(own, (form) => sets.find(form));

  // Scores between forms, each pair once: those of the links are known.
  const known = new Map<number, number>();
  eachPair(links, (left, right, score) => known.set(left * size + right, score));
  const wanted = new Map<number, [number, number]>();
  const pairOf = (row: number): [number, number] => {
    const [a, b] = [own.of[row]!, own.of[verdicts.kept[row]!]!];
    return a < b ? [a, b] : [b, a];
  };
  for (let row = 0; row < own.of.length; row++) {
    if (own.of[row] === -1 || bestOther[own.of[row]!] !== -1) continue;
    const [a, b] = pairOf(row);
    if (a !== b && !known.has(a * size + b)) wanted.set(a * size + b, [a, b]);
  }
  const pairs = [...wanted.values()];
  const scores = await context.pool.run<unknown, Float64Array>(moduleUrl, 'similarities', {
    texts,
    measure: index.measure,
    left: Int32Array.from(pairs, ([left]) => left),
    right: Int32Array.from(pairs, ([, right]) => right),
  });
  for (const [pair, [a, b]] of pairs.entries()) known.set(a * size + b, scores[pair]!);

  for (let row = 0; row < own.of.length; row++) {
    const form = own.of[row]!;
    if (form === -1) continue;
    const match = bestOther[form]!;
    if (match !== -1) {
      verdicts.against[row] = other!.first[match - size]!;
      verdicts.score[row] = otherScore[form]!;
      continue;
    }
    const [a, b] = pairOf(row);
    verdicts.score[row] = a === b ? 1 : known.get(a * size + b)!;
  }
  return {
    ...verdicts,
    kind(row) {
      const form = own.of[row]!;
      const match = bestOther[form]!;
      const sameForm =
        match === -1 ? form === own.of[verdicts.kept[row]!] : own.texts[form] === other!.texts[match - size];
      if (!sameForm) return parameters.method;
      const identity =
        match === -1 ? own.identity[verdicts.kept[row]!] : other!.identity[other!.first[match - size]!];
      return own.identity[row] === identity ? 'exact' : 'normalized';
    },
  };
}

function searchOptions(parameters: Parameters): NearTextOptions {
  const threshold = parameters.threshold ?? defaultThresholds[parameters.method as 'minhash' | 'fuzzy'];
  const common = {
    threshold,
    permutations: parameters.num_perm ?? 128,
    missWeight,
    seed: parameters.random_state,
  };
  if (parameters.method === 'fuzzy') {
    // One edit changes at most two of the n pairs of characters: of texts with a similarity of t at least the share 1 − 2(1 − t)
    // of the pairs is in both. That bounds the Jaccard similarity from below.
    const lost = fuzzyShingle * (1 - threshold);
    const shingling: Shingling = { unit: 'char', size: fuzzyShingle };
    return {
      ...common,
      shingling,
      measure: { kind: 'edit' },
      jaccard: Math.max(0.1, (1 - lost) / (1 + lost)),
    };
  }
  const shingling: Shingling = { unit: parameters.shingles ?? 'char', size: parameters.ngram ?? 5 };
  return { ...common, shingling, measure: { kind: 'jaccard', shingling }, jaccard: threshold };
}

async function formsOf(
  table: TableInput,
  { fields, normalize }: Parameters,
  preference?: Preference,
): Promise<Forms> {
  const forms: Forms = {
    of: new Int32Array(table.rows).fill(-1),
    identity: new Float64Array(table.rows),
    preference: new Float64Array(table.rows),
    first: [],
    texts: [],
  };
  const keys = new KeyTable();
  let index = 0;
  for await (const block of table.blocks()) {
    for (const row of block) {
      const at = index++;
      const values = fields.map((field) => row[field] ?? null);
      if (values.every((value) => value === null)) continue;
      const text = textOf(values.map((value) => normalizeAll(value, normalize)));
      const form = keys.number(keyOf([text]));
      forms.of[at] = form;
      forms.identity[at] = identityOf(keyOf(values));
      forms.preference[at] = preference?.of(row, at) ?? 0;
      if (form === forms.texts.length) {
        forms.texts.push(text);
        forms.first.push(at);
      }
    }
  }
  return forms;
}

/** Of each group the row with the highest preference, of equals the first. */
function keepBest({ of, preference }: Forms, groupOf: (form: number) => number): Omit<Verdicts, 'kind'> {
  const best = new Map<number, number>();
  for (let row = 0; row < of.length; row++) {
    if (of[row] === -1) continue;
    const group = groupOf(of[row]!);
    const known = best.get(group);
    if (known === undefined || preference[row]! > preference[known]!) best.set(group, row);
  }
  return {
    kept: of.map((form, row) => (form === -1 ? row : best.get(groupOf(form))!)),
    against: new Int32Array(of.length).fill(-1),
    score: new Float64Array(of.length),
  };
}

function numbersBelow(size: number): Int32Array {
  return Int32Array.from({ length: size }, (_, number) => number);
}

function eachPair(pairs: Pairs, call: (left: number, right: number, similarity: number) => void): void {
  for (let pair = 0; pair < pairs.left.length; pair++)
    call(pairs.left[pair]!, pairs.right[pair]!, pairs.similarity[pair]!);
}
