/** Cuts a text into pieces that give the text again when they are put together. */
type Cut = (text: string) => string[];

const segmented = (granularity: 'sentence' | 'word'): Cut => {
  let segmenter: Intl.Segmenter | undefined;
  return (text) => {
    segmenter ??= new Intl.Segmenter(undefined, { granularity });
    return Array.from(segmenter.segment(text), ({ segment }) => segment);
  };
};

/** The places where a text may be cut, the best first: Markdown headings, paragraphs, lines, sentences, words, anywhere. */
const cuts: readonly Cut[] = [
  (text) => text.split(/^(?=#{1,6}[ \t])/m),
  (text) => text.split(/(?<=\n[ \t]*\r?\n)(?=\S)/),
  (text) => text.split(/(?<=\n)/),
  segmented('sentence'),
  segmented('word'),
  halves,
];

/**
 * Cuts a text into chunks of at most `maxTokens`, as few as it can, each as whole as it can be: it is cut at headings where
 * that is enough, else at paragraphs, lines, sentences, words. Joined, the chunks are the text. A character that has more
 * tokens than that stays whole.
 *
 * @param count tokens of a text
 */
export function chunksOf(text: string, maxTokens: number, count: (text: string) => number): string[] {
  if (!(maxTokens >= 1)) throw new RangeError(`chunks of ${maxTokens} tokens hold no text`);
  return packed(text, maxTokens, count, 0);
}

function packed(text: string, maxTokens: number, count: (text: string) => number, level: number): string[] {
  if (text === '') return [];
  if (count(text) <= maxTokens) return [text];
  const pieces = cuts[level]!(text);
  const last = level === cuts.length - 1;
  if (pieces.length === 1) return last ? [text] : packed(text, maxTokens, count, level + 1);
  const chunks: string[] = [];
  let open = '';
  let tokens = 0;
  const close = () => {
    // Tokens of a whole may be more than those of its parts together, by a few at most.
    if (open !== '')
      chunks.push(
        ...(count(open) <= maxTokens
          ? [open]
          : packed(open, maxTokens, count, Math.min(level + 1, cuts.length - 1))),
      );
    open = '';
    tokens = 0;
  };
  for (const piece of pieces) {
    const own = count(piece);
    if (tokens + own > maxTokens) close();
    if (own > maxTokens) chunks.push(...packed(piece, maxTokens, count, last ? level : level + 1));
    else {
      open += piece;
      tokens += own;
    }
  }
  close();
  return chunks;
}

/** Two halves, cut between characters; a single character is one. */
function halves(text: string): string[] {
  let middle = text.length >> 1;
  const code = text.charCodeAt(middle);
  // Never between the two halves of a surrogate pair.
  if (code >= 0xdc00 && code <= 0xdfff) middle++;
  return middle === 0 || middle >= text.length ? [text] : [text.slice(0, middle), text.slice(middle)];
}
