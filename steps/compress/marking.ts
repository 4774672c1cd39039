import { isStopWord } from '../../numerics/stop-words.ts';
import type { Piece } from './pieces.ts';
import type { Preserved } from './protected-spans.ts';

/** Titles and short forms whose full stop does not end a sentence. */
const shortForms = new Set(
  `mr mrs ms dr prof st jr sr vs etc no fig eq sec ch vol pp approx inc ltd co corp dept est gen col sgt rev hon
   г гг ул им др т д п см рис стр тыс млн млрд руб коп проф акад`.split(/\s+/),
);
const negations = new Set(
  `not no never none neither nor nobody nothing nowhere cannot without
   не ни нет без никогда никто никого никому никем ничто ничего ничему ничем нигде никуда никак никакой никакая никакое
   никакие никакого никаких нельзя невозможно`.split(/\s+/),
);
const contracted = /n['’]t$/;
const numerals = new Set(
  `two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
   nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion half twice dozen
   два две двух двум двумя три трёх трех трём трем тремя четыре четырёх четырех пять пяти шесть шести семь семи восемь
   восьми девять девяти десять десяти двадцать двадцати тридцать тридцати сорок пятьдесят сто двести триста тысяча
   тысячи тысяч миллион миллиона миллионов миллиард миллиарда миллиардов половина полтора дважды трижды`.split(
    /\s+/,
  ),
);
/** What says on which side of a number something lies. */
const bounds = new Set(
  `more less fewer than at least most over under above below up to before after until till within between exactly about
   больше меньше более менее свыше выше ниже до от около после раньше позже минимум максимум ровно между`.split(
    /\s+/,
  ),
);
/** Words of a bound, at most: at least, no more than. */
const longestBound = 3;
/** Small words within a name: Bank of America, Leonardo da Vinci. */
const joiners = new Set('of de da di del la le van von der den bin al du dos'.split(' '));
const capital = /^\p{Lu}/u;
const allCapitals = /^\p{Lu}[\p{Lu}\p{M}.'’\-‑]*\p{Lu}$/u;
/** A capital after a small letter (iPhone, camelCase), or an underscore: an identifier or a brand. */
const inner = /\p{Ll}\p{Lu}|_/u;
const enders = /^[.!?…。！？]+$/u;
const lineMark = /^[-*+•#>–|]+$/u;
/** Words, at most, between a negation and the word that it negates. */
const widestNegation = 3;

/** Notes the sentence and the phrase of each piece. */
export function markSentences(text: string, pieces: readonly Piece[]): void {
  let sentence = 0;
  let phrase = 0;
  let wasContent = false;
  let isMarkedLine = false;
  for (const [index, piece] of pieces.entries()) {
    const before = pieces[index - 1];
    const shown = text.slice(piece.start, piece.end);
    if (before !== undefined && endsSentence(text, before, piece, isMarkedLine)) {
      sentence++;
      phrase++;
      wasContent = false;
    }
    if (before === undefined || text.slice(before.end, piece.start).includes('\n'))
      isMarkedLine = piece.kind === 'mark' && lineMark.test(shown);
    if (piece.kind === 'mark') {
      if (wasContent) phrase++;
      wasContent = false;
    } else {
      const isStop = piece.kind === 'word' && isStopWord(shown.toLowerCase());
      if (isStop && wasContent) phrase++;
      wasContent = !isStop;
    }
    piece.sentence = sentence;
    piece.phrase = phrase;
  }
}

function endsSentence(text: string, before: Piece, piece: Piece, isMarkedLine: boolean): boolean {
  const gap = text.slice(before.end, piece.start);
  if (/\n[^\S\n]*\n/.test(gap)) return true;
  const shown = text.slice(before.start, before.end);
  const next = text.slice(piece.start, piece.end);
  const isEnder = before.kind === 'mark' && enders.test(shown);
  if (gap.includes('\n'))
    return isEnder || isMarkedLine || shown === ':' || (piece.kind === 'mark' && lineMark.test(next));
  if (!isEnder) return false;
  if (/^[。！？]/u.test(shown)) return true;
  if (gap === '' || /^\p{Ll}/u.test(next)) return false;
  return shown !== '.' || !isShortForm(text, before.start);
}

/** Whether the word before a full stop is a short form or an initial. */
function isShortForm(text: string, stop: number): boolean {
  const word = /[\p{L}.]{1,12}$/u.exec(text.slice(Math.max(0, stop - 12), stop))?.[0] ?? '';
  return shortForms.has(word.toLowerCase()) || /^\p{Lu}$|\p{L}\.\p{L}$/u.test(word);
}

/**
 * Keeps words that must survive: names, negations with the word that they negate, numerals.
 *
 * @param isName whether a word (in lower case) that begins a sentence is one
 */
export function markWords(
  text: string,
  pieces: readonly Piece[],
  preserve: readonly Preserved[],
  isName: (word: string) => boolean,
): void {
  const kinds = new Set(preserve);
  if (kinds.has('names')) markNames(text, pieces, isName);
  for (const [index, piece] of pieces.entries()) {
    if (piece.kind === 'mark') continue;
    const word = text.slice(piece.start, piece.end).toLowerCase();
    if (kinds.has('numbers') && isNumber(text, pieces, index)) {
      piece.kind = 'kept';
      keepBound(text, pieces, index);
    } else if (piece.kind === 'word' && kinds.has('negations') && isNegation(word))
      keepNegated(text, pieces, index);
  }
}

/** Whether a word, in lower case, denies: not, never, can't. */
export function isNegation(word: string): boolean {
  return negations.has(word) || contracted.test(word);
}

/** Digits that are kept, numerals, and units behind a number. */
function isNumber(text: string, pieces: readonly Piece[], index: number): boolean {
  const piece = pieces[index]!;
  const word = text.slice(piece.start, piece.end);
  if (piece.kind === 'kept') return /^\P{L}*\p{N}/u.test(word);
  return numerals.has(word.toLowerCase()) || isUnit(text, pieces[index - 1], piece);
}

/** Up to three letters behind a number that no list has: 5 sqm. */
function isUnit(text: string, before: Piece | undefined, piece: Piece): boolean {
  if (before?.kind !== 'kept' || !/\p{N}/u.test(text[before.end - 1]!)) return false;
  const word = text.slice(piece.start, piece.end);
  return (
    /^[ \u00A0]?$/.test(text.slice(before.end, piece.start)) &&
    /^\p{L}{1,3}$/u.test(word) &&
    !isStopWord(word.toLowerCase())
  );
}

/** Keeps the words in front of a number that bound it. */
function keepBound(text: string, pieces: readonly Piece[], index: number): void {
  for (let at = index - 1; at >= Math.max(0, index - longestBound); at--) {
    const piece = pieces[at]!;
    const word = text.slice(piece.start, piece.end).toLowerCase();
    if (piece.kind === 'mark' || piece.sentence !== pieces[index]!.sentence || !bounds.has(word)) return;
    piece.kind = 'kept';
  }
}

function keepNegated(text: string, pieces: readonly Piece[], index: number): void {
  const { sentence } = pieces[index]!;
  pieces[index]!.kind = 'kept';
  for (let at = index + 1, seen = 0; at < pieces.length && seen < widestNegation; at++) {
    const piece = pieces[at]!;
    if (piece.sentence !== sentence || piece.kind === 'mark') return;
    seen++;
    if (piece.kind === 'kept') return;
    const word = text.slice(piece.start, piece.end).toLowerCase();
    if (isStopWord(word)) continue;
    piece.kind = 'kept';
    return;
  }
}

function markNames(text: string, pieces: readonly Piece[], isName: (word: string) => boolean): void {
  const words = pieces.map((piece) => (piece.kind === 'word' ? text.slice(piece.start, piece.end) : ''));
  const shouted = shoutedSentences(pieces, words);
  const first = new Set<number>();
  let sentence = -1;
  for (const [index, piece] of pieces.entries()) {
    if (piece.kind === 'mark' || piece.sentence === sentence) continue;
    sentence = piece.sentence;
    first.add(index);
  }
  const names = words.map((word, index) => {
    if (word === '') return false;
    if (inner.test(word)) return true;
    if (!capital.test(word) || shouted.has(pieces[index]!.sentence)) return false;
    const lower = word.toLowerCase();
    if (allCapitals.test(word)) return true;
    if (isStopWord(lower)) return false;
    return !first.has(index) || isName(lower);
  });
  for (let index = words.length - 1; index >= 0; index--) {
    const [word, next] = [words[index]!, index + 1];
    // The first word of a sentence goes with the name behind it: John Smith.
    if (first.has(index) && names[next] && capital.test(word) && !isStopWord(word.toLowerCase()))
      names[index] = true;
    if (joiners.has(word) && names[next] && capital.test(words[index - 1] ?? '')) names[index] = true;
  }
  for (const [index, piece] of pieces.entries()) if (names[index]) piece.kind = 'kept';
}

/** Sentences that are written in capitals: there they say nothing. */
function shoutedSentences(pieces: readonly Piece[], words: readonly string[]): Set<number> {
  const all = new Map<number, [number, number]>();
  for (const [index, word] of words.entries()) {
    if (!/\p{L}/u.test(word)) continue;
    const counts = all.get(pieces[index]!.sentence) ?? [0, 0];
    counts[0]++;
    if (!/\p{Ll}/u.test(word)) counts[1]++;
    all.set(pieces[index]!.sentence, counts);
  }
  return new Set(
    [...all].filter(([, [count, large]]) => count >= 4 && large > 0.6 * count).map(([id]) => id),
  );
}
