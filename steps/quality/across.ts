import { hash } from 'node:crypto';
import {
  type CharacterCounts,
  CharacterModel,
  type SharedCharacterModel,
} from '../../numerics/character-model.ts';
import { type Counted, CountTable } from '../../numerics/count-table.ts';
import type { Rules } from './parameters.ts';
import { characterCount, isWord, linesOf, tokensOf } from './tokens.ts';

/** URL of this module, for `pool.run`. */
export const surveyModule = import.meta.url;

/** Lines that web pages have for the law or for themselves. */
const phrases =
  /all rights reserved|terms (?:of (?:use|service)|and conditions)|(?:privacy|cookie|cookies) policy|use(?:s|d)? cookies|accept (?:all )?cookies|(?:subscribe|sign up) (?:to|for) (?:our|the) newsletter|share (?:this|on) (?:article|page|facebook|twitter)|follow us on|©|\(c\) \d{4}|powered by|все права защищены|политик[аиу] конфиденциальности|пользовательск(?:ое|ого) соглашени[ея]|файлы? cookie|подпи(?:сывайтесь|шитесь) на|поделиться (?:в|на)|alle rechte vorbehalten|datenschutzerklärung|verwende[nt] cookies|tous droits réservés|politique de confidentialité|utilis(?:e|ons) des cookies|todos los derechos reservados|política de (?:privacidad|cookies)|版权所有|隐私政策/iu;
const longestPhraseLine = 300;
/** Characters of a line that are compared with other rows' lines. */
const lineKey = 200;

export interface SurveyTask {
  texts: (string | null)[];
  rules: Rules;
}

/** What some rows say of the table: added up over all rows it is what each row is held against. */
export interface Survey {
  characters?: CharacterCounts;
  /** Rows by the hash of a line that they have. */
  lines?: Counted;
}

/** What the table as a whole says, in memory that threads share. */
export interface Surveyed {
  characters?: SharedCharacterModel;
  /** Lines that many rows have, by their hashes. */
  lines?: Counted;
}

/** Whether a rule needs to know other rows. */
export function needsSurvey({ boilerplate, coherence, score }: Rules): boolean {
  return (boilerplate ?? coherence ?? score) !== null;
}

/** Counts what rows have, in a worker thread. */
export function survey({ texts, rules: { boilerplate, coherence, score } }: SurveyTask): Survey {
  const model = coherence || score ? new CharacterModel() : undefined;
  const lines = boilerplate ? new CountTable() : undefined;
  for (const text of texts) {
    if (text === null) continue;
    model?.add(text);
    if (boilerplate && lines)
      for (const key of new Set(keysOf(text, boilerplate).map(hashOf))) lines.add(key);
  }
  return { ...(model && { characters: model.counts() }), ...(lines && { lines: lines.counted() }) };
}

/** Adds up what `survey` gave for all parts of the table. */
export async function surveyed(parts: AsyncIterable<Survey>, { boilerplate }: Rules): Promise<Surveyed> {
  const model = new CharacterModel();
  const lines = new CountTable();
  let any: Survey = {};
  for await (const part of parts) {
    any = part;
    if (part.characters) model.addAll(part.characters);
    if (part.lines) lines.addAll(part.lines);
  }
  const frequent = new CountTable();
  frequent.addAll(lines.counted(boilerplate?.min_rows));
  return {
    ...(any.characters && { characters: model.shared() }),
    ...(any.lines && { lines: frequent.shared() }),
  };
}

/** What a row has of the components of a score that its own text tells, and the hash by which an equal text is known. */
export interface OwnParts {
  complete: number;
  letters: number;
  varied: number;
  coherent: number;
  hash: number;
}

/** Asks how a text stands to the whole table. */
export function openAcross(
  { boilerplate, coherence, score }: Rules,
  { characters, lines: frequent }: Surveyed,
): (text: string) => { reasons: string[]; coherent?: number; parts?: OwnParts } {
  const model = characters && new CharacterModel(characters);
  const lines = frequent && new CountTable(frequent);
  return (text) => {
    const reasons = boilerplate && lines ? boilerplateReasons(text, lines, boilerplate) : [];
    const coherent = model ? coherenceOf(text, model) : 0;
    if (coherence && coherent < coherence.min) reasons.push('incoherent');
    return {
      reasons,
      ...(coherence && { coherent }),
      ...(score && { parts: { ...partsOf(text), coherent } }),
    };
  };
}

/** 1 for a text whose characters follow each other as in the other rows, falling to 0 for a random one. */
function coherenceOf(text: string, model: CharacterModel): number {
  const surprise = model.surprise(text);
  return Number.isNaN(surprise) ? 0 : clamp((1.25 - surprise) / 0.5);
}

function partsOf(text: string): Omit<OwnParts, 'coherent'> {
  const plain = text.toLowerCase().replace(/\s+/g, ' ').trim();
  if (plain === '') return { complete: 0, letters: 0, varied: 0, hash: 0 };
  const letters = plain.match(/[\p{L}\p{M} ]/gu)?.length ?? 0;
  const words = tokensOf(plain).filter(isWord);
  const trigrams = new Set<string>();
  for (let at = 0; at + 3 <= words.length; at++) trigrams.add(words.slice(at, at + 3).join(' '));
  return {
    complete: 1,
    // Code and lists of numbers have fewer letters than prose; below a half they are hardly text.
    letters: clamp(letters / characterCount(plain) / 0.6),
    varied: words.length < 3 ? 1 : clamp(trigrams.size / (words.length - 2)),
    hash: hashOf(plain),
  };
}

/** 52 bits of a text's SHA-256: of a hundred million texts about one is taken for another. */
function hashOf(text: string): number {
  return Number.parseInt(hash('sha256', text, 'hex').slice(0, 13), 16);
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
  lines: CountTable,
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
    if (own.length > 1 && key.length >= rules.min_characters && lines.get(hashOf(key)) > 0) repeated += size;
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
