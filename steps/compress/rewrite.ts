import type { JsonObject } from '../../engine/json.ts';
import type { StepContext } from '../../engine/step.ts';
import { chunksOf } from '../../models/language/chunks.ts';
import { allOf, samplingOf, write } from '../asking.ts';
import { domainOf } from './domain.ts';
import { unfenced } from './outcome.ts';
import { type Given, promptsOf } from './settings.ts';

/** Of a model's context, what a text may take: the prompt and the answer need room as well. */
const contextShare = 0.4;

/** What a model made of a text, and in how many parts it read it. */
export interface Rewritten {
  text: string;
  parts: number;
}

/**
 * Asks a model to write texts shorter. One that would take more than its share of the model's context is cut at headings,
 * paragraphs or sentences, and the parts are written shorter one by one. Throws RowFailures.
 */
export function openRewriter(
  given: Given,
  context: StepContext,
): (original: string, row: JsonObject) => Promise<Rewritten> {
  const prompts = promptsOf(given);
  const alias = given.model!;
  let counter: Promise<(text: string) => number> | undefined;
  const partsOf = async (text: string): Promise<string[]> => {
    const tokens = context.modelTokens(alias);
    if (tokens.context === null) return [text];
    const most = Math.max(1, Math.floor(contextShare * tokens.context));
    // A token has a byte at least; where the tokenizer is not known, a quarter more are counted.
    if (1.25 * Buffer.byteLength(text) <= most) return [text];
    counter ??= tokens.counter();
    return chunksOf(text, most, await counter);
  };
  return async (original, row) => {
    const domain = given.domain === 'auto' ? domainOf(original) : given.domain;
    const name = domain === 'text' ? 'compress_nl' : 'compress_code';
    const ask = async (part: string): Promise<string> => {
      const written = write(prompts[name], {
        ...row,
        [given.text]: part,
        rate: Math.round(100 * (given.rate ?? 0.5)),
        params: context.params,
        matrix: context.matrix,
      });
      const { text } = await context.languageModel(alias).ask({
        messages:
          given[name] === undefined
            ? [
                { role: 'system', content: written },
                { role: 'user', content: part },
              ]
            : [{ role: 'user', content: written }],
        ...samplingOf(given),
      });
      return unfenced(part, text);
    };
    const parts = await partsOf(original);
    const answers = await allOf(parts.map(ask));
    return { text: answers.join('\n'), parts: parts.length };
  };
}
