import type { JsonObject } from '../engine/json.ts';
import type { Sampling } from '../engine/language-model.ts';
import { RowFailure } from '../engine/step.ts';
import { compilePrompt, type Prompt, PromptError } from '../models/language/prompt.ts';

/**
 * What steps that ask language models have in common: the parameters that name a model, a prompt and how answers are
 * drawn, and how a prompt of the workflow's takes the place of the step's own.
 */

/** Rows that wait for an answer at once; how many requests are under way, the model's limits say. */
export const rowsAtOnce = 128;

/** A prompt in a file, or as it stands. */
export const template = (description: string) =>
  ({
    type: 'object',
    additionalProperties: false,
    properties: {
      text: { type: 'string', minLength: 1, 'x-reprise': 'template', description: 'The text itself.' },
      file: {
        type: 'string',
        minLength: 1,
        'x-reprise': 'template-file',
        description: 'A file with the text.',
      },
    },
    minProperties: 1,
    maxProperties: 1,
    description,
  }) as const;

export const languageModel = (description = 'The alias of a language model, from `models`.') =>
  ({ type: 'string', minLength: 1, 'x-reprise': 'language-model', description }) as const;

/** How answers are drawn; what is not said, the alias or the provider decides. */
export const sampling = {
  temperature: { type: 'number', minimum: 0, maximum: 2, description: 'See `models`; over the alias.' },
  top_p: { type: 'number', minimum: 0, maximum: 1, description: 'See `models`; over the alias.' },
  max_tokens: { type: 'integer', minimum: 1, description: 'The longest answer.' },
  seed: { type: 'integer', description: 'For providers that can draw the same answer again.' },
} as const;

/** The parameters of `sampling` that were given. */
export function samplingOf(given: {
  temperature?: number;
  top_p?: number;
  max_tokens?: number;
  seed?: number;
}): Sampling {
  const { temperature, top_p, max_tokens, seed } = given;
  return Object.fromEntries(
    Object.entries({ temperature, top_p, max_tokens, seed }).filter(([, value]) => value !== undefined),
  );
}

/** A prompt as a parameter says it: the engine has put the text of a file in its place. */
export interface PromptSource {
  text?: string | undefined;
}

/** The workflow's prompt, or the step's own. Throws a PromptError. */
export function promptOf(source: PromptSource | undefined, own: string): Prompt {
  return compilePrompt(source === undefined ? own : (source.text ?? ''));
}

/** What is wrong with prompts as texts. */
export function promptProblems(sources: {
  [parameter: string]: PromptSource | undefined;
}): { parameter: string; message: string }[] {
  return Object.entries(sources).flatMap(([parameter, source]) => {
    if (source?.text === undefined) return [];
    try {
      compilePrompt(source.text);
      return [];
    } catch (error) {
      if (!(error instanceof PromptError)) throw error;
      return [{ parameter, message: `${parameter} is no Handlebars text: ${error.message}` }];
    }
  });
}

/** The fields that a prompt takes from a row, without those that the step itself fills in. */
export function rowFields(prompts: readonly Prompt[], filled: readonly string[] = []): string[] {
  return [...new Set(prompts.flatMap(({ fields }) => fields))].filter((name) => !filled.includes(name));
}

/** The prompt over values. Throws a RowFailure if it cannot be written with them. */
export function write(prompt: Prompt, values: JsonObject): string {
  try {
    return prompt.render(values);
  } catch (error) {
    if (error instanceof PromptError) throw new RowFailure(`the prompt cannot be written: ${error.message}`);
    throw error;
  }
}

/** Waits for all, also where one fails: what is paid for is recorded. */
export async function allOf<T extends readonly unknown[]>(
  work: {
    [K in keyof T]: Promise<T[K]>;
  },
): Promise<T> {
  const settled = await Promise.allSettled(work as unknown as Promise<unknown>[]);
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  }) as unknown as T;
}
