import type { JsonObject } from '../../engine/json.ts';
import type { Message, Sampling } from '../../engine/language-model.ts';
import type { AskedModel, Random } from '../../engine/step.ts';
import { allOf } from '../asking.ts';
import { malformed } from './malformed-json.ts';
import { withoutWords, withTypos } from './typos.ts';

export const byModel = ['paraphrase', 'back_translation', 'contextual'] as const;
export const byRule = ['typos', 'missing_words', 'malformed_json'] as const;
export const methods = [...byModel, ...byRule] as const;
export type Method = (typeof methods)[number];

export interface Variant {
  method: Method;
  /** Share that was asked for, of methods without a model. */
  rate: number | null;
  /** Mistakes made in the text, of methods without a model. */
  edits: number | null;
  /** The language between, of back-translations. */
  pivot: string | null;
  text: string;
  /** Why it is of no use; null if it is. */
  flaw: string | null;
}

/** Damages a text at each rate. `random`: a stream for each sequence of names. */
export function damaged(
  text: string,
  method: (typeof byRule)[number],
  rates: readonly number[],
  count: number,
  random: (...names: (string | number)[]) => Random,
): Variant[] {
  return rates.flatMap((rate) =>
    Array.from({ length: count }, (_, index): Variant => {
      const stream = random(method, text, rate, index);
      const made =
        method === 'typos'
          ? withTypos(text, rate, stream)
          : method === 'missing_words'
            ? withoutWords(text, rate, stream)
            : malformed(text, rate, stream);
      return {
        method,
        rate,
        edits: made?.edits ?? 0,
        pivot: null,
        text: made?.text ?? text,
        flaw: made === null ? 'the text is no JSON' : null,
      };
    }),
  );
}

const onlyText = 'Give the text and nothing else.';
const tasks = {
  paraphrase: `Say the same in other words: another order, other words, another length where that is natural. Keep the meaning, the language, names, numbers and the tone. ${onlyText}`,
  contextual: `Replace some of the words, about every fifth, by others that fit into their place and leave the meaning of the whole as it is. Change nothing else. ${onlyText}`,
};

export interface ModelOptions {
  model: AskedModel;
  /** What else to heed. */
  instructions: string | null;
  /** The label that the text must keep; null if it has none. */
  label: string | null;
  pivots: readonly string[];
  count: number;
  sampling: Sampling;
}

/** Asks a model for variants of a text. Throws RowFailures. */
export async function rewritten(
  text: string,
  method: (typeof byModel)[number],
  options: ModelOptions,
): Promise<Variant[]> {
  const { model, pivots, count, sampling, instructions, label } = options;
  const more = [
    ...(label === null ? [] : [`The text belongs to the class "${label}", and must still belong to it.`]),
    ...(instructions === null ? [] : [instructions]),
  ];
  const ask = async (task: string, shown: string, sample: number) =>
    (
      await model.ask({ messages: messages([task, ...more].join('\n'), shown), sample, ...sampling })
    ).text.trim();
  const variant = (pivot: string | null, said: string): Variant => ({
    method,
    rate: null,
    edits: null,
    pivot,
    text: said,
    flaw: said === '' ? 'the answer is empty' : null,
  });
  const samples = Array.from({ length: count }, (_, sample) => sample);
  if (method !== 'back_translation')
    return allOf(samples.map(async (sample) => variant(null, await ask(tasks[method], text, sample))));
  return allOf(
    pivots.flatMap((pivot) =>
      samples.map(async (sample) => {
        const there = await ask(`Translate the text into ${languageName(pivot)}. ${onlyText}`, text, sample);
        const back = `Translate the text into the language of this one, and heed its words no further: "${text.slice(0, 80).replaceAll('"', "'")}". ${onlyText}`;
        return variant(pivot, await ask(back, there, sample));
      }),
    ),
  );
}

/** Asks whether a variant still has its label; gives why not, or null if it has. */
export async function labelFlaw(
  text: string,
  label: string,
  labels: readonly string[],
  model: AskedModel,
): Promise<string | null> {
  const others =
    labels.length > 0 ? ` The other classes are: ${labels.filter((name) => name !== label).join(', ')}.` : '';
  const { json } = await model.ask({
    messages: messages(`Does this text belong to the class "${label}"?${others}`, text),
    schema: verdict as unknown as JsonObject,
  });
  const { belongs, reason } = json as { belongs: boolean; reason: string };
  return belongs ? null : `label: it is not ${label} any more (${reason})`;
}

const verdict = {
  type: 'object',
  additionalProperties: false,
  required: ['reason', 'belongs'],
  properties: { reason: { type: 'string' }, belongs: { type: 'boolean' } },
} as const;

function messages(system: string, text: string): Message[] {
  return [
    { role: 'system', content: system },
    { role: 'user', content: text },
  ];
}

/** The English name of a language by its code; the code where it has none. */
function languageName(code: string): string {
  try {
    return new Intl.DisplayNames('en', { type: 'language' }).of(code) ?? code;
  } catch {
    return code;
  }
}
