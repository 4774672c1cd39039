import type { ValueSchema } from '../../engine/schema-type.ts';
import { type PiiType, piiTypes } from '../clean/pii.ts';
import type { GopherQuality, GopherRepetition } from './gopher.ts';
import { profaneLanguages } from './profane-words.ts';
import type { C4Quality, FineWebQuality } from './web-text.ts';

/** The rules that are on; null is off. */
export interface Rules {
  language: { keep: string[] | null; min_confidence: number; min_letters: number } | null;
  length: {
    min_characters: number;
    max_characters: number | null;
    min_words: number;
    max_words: number | null;
    min_tokens: number;
    max_tokens: number | null;
    tokenizer: 'o200k_base' | 'cl100k_base';
  } | null;
  gopher_quality: GopherQuality | null;
  gopher_repetition: GopherRepetition | null;
  c4: C4Quality | null;
  fineweb: FineWebQuality | null;
  pii: PiiType[] | null;
  profanity: { languages: string[]; words: string | null; allow: string[]; max: number } | null;
  boilerplate: { min_rows: number; min_characters: number; max_share: number; phrases: boolean } | null;
  coherence: { min: number } | null;
  score: { min: number } | null;
  contamination: { ngram: number; fields: string[] | null } | null;
}

export interface Parameters extends Rules {
  text: string;
  on_fail: 'reject' | 'mark';
}

export const ruleNames = [
  'language',
  'length',
  'gopher_quality',
  'gopher_repetition',
  'c4',
  'fineweb',
  'pii',
  'profanity',
  'boilerplate',
  'coherence',
  'contamination',
  'score',
] as const satisfies readonly (keyof Rules)[];

/** A group of rules that is off unless it is given; `{}` turns it on with its defaults. */
function group(description: string, properties: Record<string, ValueSchema>) {
  return {
    type: ['object', 'null'],
    additionalProperties: false,
    default: null,
    description,
    properties,
  } as const;
}

const share = (value: number, description: string) =>
  ({ type: ['number', 'null'], minimum: 0, default: value, description }) as const;
const amount = (value: number | null, description: string) =>
  ({ type: ['integer', 'null'], minimum: 0, default: value, description }) as const;
const least = (description: string) => ({ type: 'integer', minimum: 0, default: 0, description }) as const;
const limit = (value: number, description: string) =>
  ({ type: 'integer', minimum: -1, default: value, description }) as const;
const flag = (description: string, value = true) =>
  ({ type: 'boolean', default: value, description }) as const;
const ngramShares = (value: number[][], description: string) =>
  ({
    type: 'array',
    items: { type: 'array', items: { type: 'number', minimum: 0 }, minItems: 2, maxItems: 2 },
    default: value,
    description,
  }) as const;

/** What `with` of a `quality` step may say. */
export const parameters = {
  type: 'object',
  additionalProperties: false,
  properties: {
    text: { type: 'string', minLength: 1, default: 'text', description: 'The field with the text.' },
    on_fail: {
      enum: ['reject', 'mark'],
      default: 'reject',
      description:
        'reject: rows that break a rule go to the output `rejected`. mark: all rows stay, with the broken rules in `reasons`.',
    },
    language: group(
      'Tells the language (fastText lid.176: 176 languages) and adds `language` and `language_confidence`.',
      {
        keep: {
          type: ['array', 'null'],
          items: { type: 'string', minLength: 2, maxLength: 3 },
          minItems: 1,
          default: null,
          description:
            'Languages that pass, such as [en, ru]; `und` stands for texts that are too short or unclear. Default: all.',
        },
        min_confidence: {
          type: 'number',
          minimum: 0,
          maximum: 1,
          default: 0.65,
          description: "Below this probability a text is `und`; DataTrove's `language_threshold`.",
        },
        min_letters: {
          type: 'integer',
          minimum: 0,
          default: 3,
          description: 'With fewer letters a text is `und`.',
        },
      },
    ),
    length: group('Bounds of the length.', {
      min_characters: least('Characters (code points) at least.'),
      max_characters: amount(null, 'Characters at most.'),
      min_words: least('Words at least.'),
      max_words: amount(null, 'Words at most.'),
      min_tokens: least('Tokens at least.'),
      max_tokens: amount(null, 'Tokens at most.'),
      tokenizer: {
        enum: ['o200k_base', 'cl100k_base'],
        default: 'o200k_base',
        description:
          "Whose tokens: OpenAI's encodings. Other models' counts differ by a few in a hundred for English.",
      },
    }),
    gopher_quality: group("Gopher's quality rules; null or 0 turns one off.", {
      min_doc_words: amount(50, 'Words at least.'),
      max_doc_words: amount(100_000, 'Words at most.'),
      min_avg_word_length: share(3, 'Mean length of a word at least.'),
      max_avg_word_length: share(10, 'Mean length of a word at most.'),
      max_symbol_word_ratio: share(0.1, 'Hash signs, and ellipses, a token at most.'),
      max_bullet_lines_ratio: share(0.9, 'Lines that start with a bullet at most.'),
      max_ellipsis_lines_ratio: share(0.3, 'Lines that end with an ellipsis at most.'),
      max_non_alpha_words_ratio: share(0.8, 'Tokens with a letter at least (the name is that of DataTrove).'),
      min_stop_words: amount(2, 'Different stop words at least.'),
      stop_words: {
        type: 'array',
        items: { type: 'string' },
        default: ['the', 'be', 'to', 'of', 'and', 'that', 'have', 'with'],
        description: 'The stop words; those of English.',
      },
    }),
    gopher_repetition: group("Gopher's rules against repetition; null or 0 turns one off.", {
      dup_line_frac: share(0.3, 'Lines that were there before at most.'),
      dup_para_frac: share(0.3, 'Paragraphs that were there before at most.'),
      dup_line_char_frac: share(0.2, 'Characters of such lines at most.'),
      dup_para_char_frac: share(0.2, 'Characters of such paragraphs at most.'),
      top_n_grams: ngramShares(
        [
          [2, 0.2],
          [3, 0.18],
          [4, 0.16],
        ],
        'For each size of n-gram the most of the characters that the most frequent one may have.',
      ),
      dup_n_grams: ngramShares(
        [
          [5, 0.15],
          [6, 0.14],
          [7, 0.13],
          [8, 0.12],
          [9, 0.11],
          [10, 0.1],
        ],
        'For each size the most of the characters that may be in n-grams which were there before.',
      ),
    }),
    c4: group(
      "C4's rules for web pages. Lines that break one are cut from the text; −1 turns a number off.",
      {
        remove_citations: flag('Cut citations such as [1].'),
        filter_no_terminal_punct: flag(
          'Cut lines that do not end with . ? ! or a quotation mark, or end with ...',
        ),
        min_num_sentences: limit(5, 'Sentences at least, of the lines that are left.'),
        min_words_per_line: limit(3, 'Cut lines with fewer words.'),
        max_word_length: limit(1000, 'Cut lines with a longer word.'),
        filter_lorem_ipsum: flag('Reject texts with “lorem ipsum”.'),
        filter_javascript: flag('Cut lines that mention JavaScript.'),
        filter_curly_bracket: flag('Reject texts with {.'),
        filter_policy: flag('Cut lines about terms of use, privacy and cookies.'),
      },
    ),
    fineweb: group("FineWeb's rules for web pages.", {
      line_punct_thr: {
        type: 'number',
        minimum: 0,
        default: 0.12,
        description: 'Lines that end a sentence at least.',
      },
      line_punct_exclude_zero: flag('Let texts pass in which no line does.', false),
      short_line_thr: { type: 'number', minimum: 0, default: 0.67, description: 'Short lines at most.' },
      short_line_length: {
        type: 'integer',
        minimum: 0,
        default: 30,
        description: 'Characters of a short line.',
      },
      char_duplicates_ratio: {
        type: 'number',
        minimum: 0,
        default: 0.01,
        description: 'Characters of lines that were there before at most.',
      },
      new_line_ratio: {
        type: 'number',
        minimum: 0,
        default: 0.3,
        description: 'Line breaks a token at most.',
      },
    }),
    pii: {
      type: ['array', 'null'],
      items: { enum: piiTypes },
      minItems: 1,
      uniqueItems: true,
      default: null,
      description: `Personal or secret data that must not be there: ${piiTypes.join(', ')}. The step \`clean\` masks it instead.`,
    },
    profanity: group('Offensive words: whole words of a list, whatever their case.', {
      languages: {
        type: 'array',
        items: { enum: profaneLanguages },
        uniqueItems: true,
        default: ['en', 'ru'],
        description:
          'Languages of the [list](https://github.com/LDNOOBW/List-of-Dirty-Naughty-Obscene-and-Otherwise-Bad-Words) that C4 was filtered by; [] for none of it.',
      },
      words: {
        type: ['string', 'null'],
        minLength: 1,
        'x-reprise': 'input-path',
        default: null,
        description: 'A file of your own with a word or phrase on each line.',
      },
      allow: {
        type: 'array',
        items: { type: 'string', minLength: 1 },
        default: [],
        description: 'Words that are no offence here.',
      },
      max: { type: 'integer', minimum: 0, default: 0, description: 'Offensive words that a text may have.' },
    }),
    boilerplate: group(
      'Texts that are mostly lines which many rows have, or lines about cookies, terms and copyright.',
      {
        min_rows: {
          type: 'integer',
          minimum: 2,
          default: 10,
          description: 'Rows that a line is in to be boilerplate.',
        },
        min_characters: {
          type: 'integer',
          minimum: 1,
          default: 20,
          description: 'Shorter lines do not count.',
        },
        max_share: {
          type: 'number',
          minimum: 0,
          maximum: 1,
          default: 0.5,
          description: 'The share of the characters that may be in such lines.',
        },
        phrases: flag('Look for phrases about cookies, terms and copyright (en, ru, de, fr, es, zh).'),
      },
    ),
    coherence: group(
      'Texts whose characters do not follow each other as those of the other rows; adds `coherence`, 0 to 1.',
      {
        min: { type: 'number', minimum: 0, maximum: 1, default: 0.5, description: 'Coherence at least.' },
      },
    ),
    score: group(
      'Gives each row a `quality_score` from 0 to 1, and the table a score from 0 to 100; see above.',
      {
        min: { type: 'number', minimum: 0, maximum: 1, default: 0, description: 'Score of a row at least.' },
      },
    ),
    contamination: group('Texts that share an n-gram of words with a row of `against` are rejected.', {
      ngram: {
        type: 'integer',
        minimum: 1,
        maximum: 100,
        default: 13,
        description: 'Words in an n-gram; a text of `against` with fewer words must be the whole text.',
      },
      fields: {
        type: ['array', 'null'],
        items: { type: 'string', minLength: 1 },
        minItems: 1,
        default: null,
        description: 'The fields of `against` that count, each by itself. Default: the field `text` names.',
      },
    }),
  },
} as const;
