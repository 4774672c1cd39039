import type { Tokenizer, TokenizerJson } from '../tokenizer.ts';

/** A token of a static model and what an encoder reads for it: ids of the encoder's own tokenizer. */
export interface StaticToken {
  readonly token: string;
  readonly ids: readonly number[];
}

export interface StaticVocabulary {
  /** By their id in `tokenizer`, which is their place. */
  readonly tokens: readonly StaticToken[];
  /** tokenizer.json of the static model: no special tokens, no limits, no padding. */
  readonly tokenizer: TokenizerJson;
}

/** Places that BERT's vocabularies keep free. */
const unused = /^\[unused\d+\]$/;

/**
 * The tokens of an encoder's tokenizer.json that a static model has vectors for, with `words` after them: all but free
 * places and the special tokens that stand around or between texts. Of byte pairs none can be left out: merges name them.
 * Tokens that were added to the tokenizer, and stand in texts, come last.
 */
export function staticVocabulary(json: TokenizerJson, words: readonly StaticToken[] = []): StaticVocabulary {
  const { model } = json;
  const listed = model.vocab;
  const byId = Array.isArray(listed)
    ? (listed as [string, number][]).map(([token], id): [string, number] => [token, id])
    : Object.entries((listed ?? {}) as Record<string, number>).sort(([, a], [, b]) => a - b);
  const unknown = typeof model.unk_id === 'number' ? byId[model.unk_id]?.[0] : model.unk_token;
  const special = new Set(
    json.added_tokens.filter(({ special }) => special !== false).map(({ content }) => content),
  );
  const dropped = (token: string) =>
    model.type !== 'BPE' && token !== unknown && (unused.test(token) || special.has(token));
  const kept = byId.filter(([token]) => !dropped(token));
  const tokens: StaticToken[] = kept.map(([token, id]) => ({ token, ids: [id] }));
  tokens.push(...words);
  const vocab = Array.isArray(listed)
    ? kept.map(([, id]) => listed[id] as unknown)
    : Object.fromEntries(tokens.map(({ token }, id) => [token, id]));
  const known = new Set(byId.map(([token]) => token));
  for (const { content, id, special } of json.added_tokens)
    if (special === false && id !== undefined && !known.has(content))
      tokens.push({ token: content, ids: [id] });
  const idOf = new Map(tokens.map(({ token }, id) => [token, id]));
  return {
    tokens,
    tokenizer: {
      ...json,
      truncation: null,
      padding: null,
      post_processor: null,
      added_tokens: json.added_tokens.flatMap((added) => {
        const id = idOf.get(added.content);
        return id === undefined ? [] : [{ ...added, id }];
      }),
      model: {
        ...model,
        vocab,
        ...(typeof model.unk_id === 'number' && { unk_id: idOf.get(unknown ?? '') ?? null }),
      },
    } as TokenizerJson,
  };
}

/** Whether whole words can be put beside the pieces of a tokenizer. */
export function takesWords({ model }: TokenizerJson): boolean {
  return model.type === 'WordPiece';
}

/**
 * Counts the words that texts have more than one token for, by WordPiece: a piece that goes on with a word says so. Those
 * that occur at least `minCount` times, the most frequent first (of equals in the order of their code units), at most `most`.
 */
export function frequentWords(
  texts: Iterable<string>,
  tokenizer: Tokenizer,
  json: TokenizerJson,
  { minCount, most }: { minCount: number; most: number },
): StaticToken[] {
  const prefix = (json.model as { continuing_subword_prefix?: string }).continuing_subword_prefix ?? '##';
  const pieces = new Map<number, string>();
  for (const [token, id] of Object.entries(json.model.vocab as Record<string, number>)) pieces.set(id, token);
  const found = new Map<string, { count: number; ids: number[] }>();
  const count = (ids: number[]) => {
    if (ids.length < 2) return;
    const word = ids
      .map((id, index) =>
        index === 0 ? (pieces.get(id) ?? '') : (pieces.get(id) ?? '').slice(prefix.length),
      )
      .join('');
    const known = found.get(word);
    if (known) known.count++;
    else found.set(word, { count: 1, ids });
  };
  for (const text of texts) {
    let word: number[] = [];
    for (const id of tokenizer.encode(text)) {
      if (pieces.get(id)?.startsWith(prefix) === true && word.length > 0) word.push(id);
      else {
        count(word);
        word = [id];
      }
    }
    count(word);
  }
  return [...found]
    .filter(([, known]) => known.count >= minCount)
    .sort(([a, x], [b, y]) => y.count - x.count || (a < b ? -1 : 1))
    .slice(0, most)
    .map(([token, { ids }]) => ({ token, ids }));
}
