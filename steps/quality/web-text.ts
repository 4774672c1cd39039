import { repeated } from './gopher.ts';
import { linesOf, sentenceCount } from './tokens.ts';

/** C4's rules (Raffel et al. 2020), under the names and with the defaults of DataTrove's `C4QualityFilter`. −1 is off. */
export interface C4Quality {
  remove_citations: boolean;
  filter_no_terminal_punct: boolean;
  min_num_sentences: number;
  min_words_per_line: number;
  max_word_length: number;
  filter_lorem_ipsum: boolean;
  filter_javascript: boolean;
  filter_curly_bracket: boolean;
  filter_policy: boolean;
}

const citation = /\[\d*]|\[edit]|\[citation needed]/g;
const terminal = /[.?!"']$/;
const policies = /terms of use|privacy policy|cookie policy|uses cookies|use of cookies|use cookies/;

/** The rules that a text breaks, and the lines of it that are left. */
export function c4Quality(text: string, rules: C4Quality): { reasons: string[]; text: string } {
  const kept: string[] = [];
  const reasons = new Set<string>();
  let sentences = 0;
  for (const whole of linesOf(text)) {
    let line = whole.trim();
    const words = line.split(/\s+/).filter(Boolean);
    if (rules.max_word_length !== -1 && words.some((word) => word.length > rules.max_word_length)) continue;
    if (rules.remove_citations) line = line.replace(citation, '');
    if (rules.filter_no_terminal_punct && (!terminal.test(line) || line.endsWith('...'))) continue;
    if (words.length < rules.min_words_per_line) continue;
    const lower = line.toLowerCase();
    if (rules.filter_lorem_ipsum && lower.includes('lorem ipsum')) reasons.add('lorem_ipsum');
    if (rules.filter_javascript && lower.includes('javascript')) continue;
    if (rules.filter_curly_bracket && line.includes('{')) reasons.add('curly_bracket');
    if (rules.filter_policy && policies.test(lower)) continue;
    if (rules.min_num_sentences !== -1) sentences += sentenceCount(line);
    kept.push(line);
  }
  if (sentences < rules.min_num_sentences) reasons.add('too_few_sentences');
  return { reasons: [...reasons], text: kept.join('\n').trim() };
}

/** FineWeb's rules (Penedo et al. 2024), under the names and with the defaults of DataTrove's `FineWebQualityFilter`. */
export interface FineWebQuality {
  line_punct_thr: number;
  line_punct_exclude_zero: boolean;
  short_line_thr: number;
  short_line_length: number;
  char_duplicates_ratio: number;
  new_line_ratio: number;
}

/** Marks that end a sentence, in any script. */
const sentenceEnd = /\p{Sentence_Terminal}$/u;

export function fineWebQuality(text: string, tokens: readonly string[], rules: FineWebQuality): string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) return ['empty'];
  const reasons: string[] = [];
  const ended = lines.filter((line) => sentenceEnd.test(line)).length / lines.length;
  if (ended < rules.line_punct_thr && !(ended === 0 && rules.line_punct_exclude_zero))
    reasons.push('line_punct_ratio');
  const short = lines.filter((line) => line.length <= rules.short_line_length).length / lines.length;
  if (short > rules.short_line_thr) reasons.push('short_line_ratio');
  if (repeated(lines).characters / text.replaceAll('\n', '').length > rules.char_duplicates_ratio)
    reasons.push('char_dup_ratio');
  const breaks = text.split('\n').length - 1;
  if (breaks / Math.max(1, tokens.length) > rules.new_line_ratio) reasons.push('list_ratio');
  return reasons;
}
