import { readFileSync } from 'node:fs';
import { flaws } from './checks.ts';
import { type Domain, domainOf } from './domain.ts';
import { type ExtractOptions, extract } from './extract.ts';
import { countedScores, namesIn, type WordCounts } from './informativeness.ts';
import {
  type Counters,
  type Measure,
  openCounters,
  type Size,
  sizeOf,
  type TokenizerSource,
} from './measure.ts';
import type { Preserved } from './protected-spans.ts';
import { applyRules, type Rule } from './rules.ts';

export { countTexts } from './informativeness.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

/** What is the same for all texts of a step. */
export interface CompressSettings {
  method: 'rules' | 'extractive' | 'model';
  domain: Domain | 'auto';
  rate: number | null;
  target: number | null;
  measure: Measure;
  level: ExtractOptions['level'];
  informativeness: 'idf' | 'self_information';
  rules: readonly Rule[];
  preserve: readonly Preserved[];
  force: readonly string[];
  tokenizer: TokenizerSource | null;
  /** The file with the counts of words, of the method extractive. */
  counts: string | null;
}

export interface CompressTask {
  settings: CompressSettings;
  /** `compressed`: what a model made of it; of the other methods null. */
  texts: readonly { original: string; compressed: string | null }[];
}

export interface Compressed {
  text: string;
  domain: Domain;
  before: Size;
  after: Size;
  /** What is wrong with it; empty if nothing is. */
  flaws: string[];
}

/** What this thread opened last. */
let tokenizer: { source: string; counters: Counters } | undefined;
let counted: { file: string; counts: WordCounts } | undefined;

/** Compresses texts, or looks at what a model made of them, in a worker thread. */
export async function compressTexts({ settings, texts }: CompressTask): Promise<Compressed[]> {
  const source = JSON.stringify(settings.tokenizer);
  if (tokenizer?.source !== source) tokenizer = { source, counters: await openCounters(settings.tokenizer) };
  const { counters } = tokenizer;
  if (settings.counts !== null && counted?.file !== settings.counts)
    counted = { file: settings.counts, counts: readCounts(settings.counts) };
  return texts.map(({ original, compressed }) => {
    const domain = settings.domain === 'auto' ? domainOf(original) : settings.domain;
    const text = compressed ?? shortened(original, domain, settings, counters);
    return {
      text,
      domain,
      before: sizeOf(original, counters),
      after: sizeOf(text, counters),
      flaws: flaws(original, text, {
        preserve: settings.preserve,
        force: settings.force,
        domain,
        rewritten: compressed !== null,
      }),
    };
  });
}

function shortened(text: string, domain: Domain, settings: CompressSettings, counters: Counters): string {
  const { method, rules, preserve, force, rate, target, measure, level, informativeness } = settings;
  // A word taken out of code or data breaks it.
  if (method === 'rules' || domain !== 'text')
    return applyRules(text, {
      rules: method === 'rules' ? rules : ['json'],
      preserve,
      force,
      isCode: domain !== 'text',
    });
  const { counts } = counted!;
  return extract(text, {
    ...(rate !== null && { rate }),
    ...(target !== null && { target }),
    level,
    preserve,
    force,
    scores: countedScores(counts, informativeness),
    isName: namesIn(counts),
    count: counters[measure],
  });
}

/** Counts as a file that threads read. */
export function countsJson({ texts, words, stems, capitals }: WordCounts): string {
  return JSON.stringify({ texts, words, stems: [...stems], capitals: [...capitals] });
}

function readCounts(file: string): WordCounts {
  const { texts, words, stems, capitals } = JSON.parse(readFileSync(file, 'utf8')) as {
    texts: number;
    words: number;
    stems: [string, [number, number]][];
    capitals: [string, number][];
  };
  return { texts, words, stems: new Map(stems), capitals: new Map(capitals) };
}
