import type { Row } from '../../engine/artefacts.ts';
import type { StepContext, TableInput } from '../../engine/step.ts';
import { CharacterModel } from '../../numerics/character-model.ts';
import { significant } from '../significant.ts';
import type { Rules } from './parameters.ts';
import { characterCount, isWord, linesOf, tokensOf } from './tokens.ts';

/** Lines that web pages have for the law or for themselves. */
const phrases =
  /all rights reserved|terms (?:of (?:use|service)|and conditions)|(?:privacy|cookie|cookies) policy|use(?:s|d)? cookies|accept (?:all )?cookies|(?:subscribe|sign up) (?:to|for) (?:our|the) newsletter|share (?:this|on) (?:article|page|facebook|twitter)|follow us on|©|\(c\) \d{4}|powered by|все права защищены|политик[аиу] конфиденциальности|пользовательск(?:ое|ого) соглашени[ея]|файлы? cookie|подпи(?:сывайтесь|шитесь) на|поделиться (?:в|на)|alle rechte vorbehalten|datenschutzerklärung|verwende[nt] cookies|tous droits réservés|politique de confidentialité|utilis(?:e|ons) des cookies|todos los derechos reservados|política de (?:privacidad|cookies)|版权所有|隐私政策/iu;
const longestPhraseLine = 300;
/** Characters of a line that are compared with other rows' lines. */
const lineKey = 200;

/** Components of a row's score, each from 0 to 1. */
export const components = ['complete', 'unique', 'letters', 'varied', 'coherent', 'rules'] as const;
export type Component = (typeof components)[number];

/** What the table as a whole says about its rows. */
export interface Across {
  /** Broken rules of a row; to be asked about all rows in their order. `broken`: those known already. */
  assess(text: string | null, broken: readonly string[]): { reasons: string[]; fields: Partial<Row> };
  /** Means of the components over the rows that were asked about, and of the score of rows. */
  means(): { score: number; components: Record<Component, number> };
}

/** Reads the table once, if a rule needs to know other rows. */
export async function openAcross(
  table: TableInput,
  field: string,
  { boilerplate, coherence, score }: Rules,
  context: StepContext,
): Promise<Across | undefined> {
  if (!boilerplate && !coherence && !score) return undefined;
  const model = coherence || score ? new CharacterModel() : undefined;
  const lines = new Map<string, number>();
  for await (const block of table.blocks()) {
    for (const row of block) {
      const text = row[field];
      if (typeof text !== 'string') continue;
      model?.add(text);
      if (boilerplate)
        for (const line of new Set(keysOf(text, boilerplate))) lines.set(line, (lines.get(line) ?? 0) + 1);
    }
    context.signal.throwIfAborted();
  }
  const seen = new Set<string>();
  const sums = Object.fromEntries(components.map((name) => [name, 0])) as Record<Component, number>;
  let sum = 0;
  let rows = 0;
  return {
    assess(text, broken) {
      const reasons: string[] = [];
      const fields: Partial<Row> = {};
      if (boilerplate && text !== null) reasons.push(...boilerplateReasons(text, lines, boilerplate));
      const coherent = text === null || !model ? 0 : coherenceOf(text, model);
      if (coherence && text !== null) {
        fields['coherence'] = significant(coherent);
        if (coherent < coherence.min) reasons.push('incoherent');
      }
      if (score) {
        const own = { ...partsOf(text, seen), coherent, rules: broken.length + reasons.length > 0 ? 0 : 1 };
        const value = components.reduce((product, name) => product * own[name], 1);
        fields['quality_score'] = significant(value);
        if (value < score.min) reasons.push('low_score');
        for (const name of components) sums[name] += own[name];
        sum += value;
        rows++;
      }
      return { reasons, fields };
    },
    means: () => ({
      score: rows > 0 ? sum / rows : 0,
      components: Object.fromEntries(
        components.map((name) => [name, rows > 0 ? sums[name] / rows : 0]),
      ) as Record<Component, number>,
    }),
  };
}

/** 1 for a text whose characters follow each other as in the other rows, falling to 0 for a random one. */
function coherenceOf(text: string, model: CharacterModel): number {
  const surprise = model.surprise(text);
  return Number.isNaN(surprise) ? 0 : clamp((1.25 - surprise) / 0.5);
}

function partsOf(
  text: string | null,
  seen: Set<string>,
): Omit<Record<Component, number>, 'coherent' | 'rules'> {
  const plain = (text ?? '').toLowerCase().replace(/\s+/g, ' ').trim();
  if (plain === '') return { complete: 0, unique: 0, letters: 0, varied: 0 };
  const unique = seen.has(plain) ? 0 : 1;
  seen.add(plain);
  const letters = plain.match(/[\p{L}\p{M} ]/gu)?.length ?? 0;
  const words = tokensOf(plain).filter(isWord);
  const trigrams = new Set<string>();
  for (let at = 0; at + 3 <= words.length; at++) trigrams.add(words.slice(at, at + 3).join(' '));
  return {
    complete: 1,
    unique,
    // Code and lists of numbers have fewer letters than prose; below a half they are hardly text.
    letters: clamp(letters / characterCount(plain) / 0.6),
    varied: words.length < 3 ? 1 : clamp(trigrams.size / (words.length - 2)),
  };
}

/** Lines that count for boilerplate, so that their numbers and white space do not matter; none of a text of one line. */
function keysOf(text: string, { min_characters: least }: NonNullable<Rules['boilerplate']>): string[] {
  const lines = linesOf(text);
  if (lines.length < 2) return [];
  return lines.map(keyOf).filter((line) => line.length >= least);
}

function keyOf(line: string): string {
  return line
    .trim()
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .replace(/\p{N}+/gu, '0')
    .slice(0, lineKey);
}

function boilerplateReasons(
  text: string,
  lines: ReadonlyMap<string, number>,
  rules: NonNullable<Rules['boilerplate']>,
): string[] {
  let all = 0;
  let repeated = 0;
  let legal = 0;
  const own = linesOf(text);
  for (const line of own) {
    const size = line.trim().length;
    all += size;
    const key = keyOf(line);
    if (own.length > 1 && key.length >= rules.min_characters && (lines.get(key) ?? 0) >= rules.min_rows)
      repeated += size;
    if (size <= longestPhraseLine && phrases.test(line)) legal += size;
  }
  const reasons: string[] = [];
  if (repeated / Math.max(1, all) > rules.max_share) reasons.push('boilerplate_lines');
  if (rules.phrases && legal / Math.max(1, all) > rules.max_share) reasons.push('boilerplate_phrases');
  return reasons;
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
