import type { ModelSettings } from './settings.ts';

/** Tokens of a text. */
export type CountTokens = (text: string) => number;

/** Models whose tokens are not those of o200k_base: the older ones of OpenAI. */
const older = /^(gpt-4(?![.o])|gpt-3\.5|text-embedding)/;

/**
 * How much more tokens than o200k_base a tokenizer gives that is not known here, for texts in many languages: counts are
 * for what must fit, so they are rather too high than too low.
 */
const unknown = 1.25;

/**
 * Loads a way to count a model's tokens: of OpenAI's models by their own encoding, of a model with a `tokenizer` (the
 * tokenizer.json of its folder) by that one, of others by OpenAI's with a quarter more.
 *
 * @param options.atLeast false: without the quarter, for an estimate
 */
export async function tokenCounter(
  { model, tokenizer, provider }: Pick<ModelSettings, 'model' | 'tokenizer' | 'provider'>,
  root: string,
  { atLeast = true }: { atLeast?: boolean } = {},
): Promise<CountTokens> {
  if (tokenizer !== undefined) {
    const { openTokenizer } = await import('../tokenizer.ts');
    const { resolve } = await import('node:path');
    const opened = await openTokenizer(resolve(root, tokenizer));
    return (text) => opened.encode(text).length;
  }
  // OpenRouter writes the maker before the name.
  const name = model.replace(/^openai\//, '');
  const own = provider === 'openai' || name !== model;
  const { countTokens } = older.test(name)
    ? await import('gpt-tokenizer/encoding/cl100k_base')
    : await import('gpt-tokenizer/encoding/o200k_base');
  const count: CountTokens = (text) => countTokens(text, { allowedSpecial: 'all' });
  const known = own && /^(gpt-|o\d|chatgpt-)/.test(name);
  return known || !atLeast ? count : (text) => Math.ceil(count(text) * unknown);
}
