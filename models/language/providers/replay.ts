import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Answer } from '../../../engine/language-model.ts';
import { type Provider, ProviderError } from '../provider.ts';
import { requestDigest } from '../request.ts';
import type { ProviderOptions } from './index.ts';

/**
 * Answers from a file of JSON Lines: what `reprise export <run> <step>.answers -o answers.jsonl` writes. A request that
 * was not asked then is rejected; nothing is ever asked anew, and nothing costs. Of a file with answers of several models,
 * those of `model` count: an alias of then, or a model as it was asked. A file with different answers to one request is
 * refused: nobody can tell which of them is meant.
 */
export async function openProvider({ settings, root }: ProviderOptions): Promise<Provider> {
  const path = settings.path!;
  const recorded = await readAnswers(resolve(root, path), path, settings.model);
  return {
    async ask({ messages, sampling, schema, sample = 0, embedding: wanted }) {
      const embedding = wanted ? { dimensions: wanted.dimensions } : null;
      const found = recorded.get(requestDigest({ messages, sampling, schema, sample, embedding }));
      if (found === undefined)
        throw new ProviderError('rejected', `${path} has no answer to this request`, {
          hint: 'a replay needs the same prompt, sampling parameters, schema and number of samples as then',
        });
      if (found.failure !== undefined) throw new ProviderError('rejected', found.failure.message);
      const { input_tokens, cached_tokens, written_tokens, output_tokens } = found.usage;
      return {
        text: found.raw ?? found.text,
        finish: 'stop',
        usage: { input_tokens, cached_tokens, written_tokens, output_tokens },
        served: found.served,
        billed: 0,
        limits: null,
        logprobs: found.logprobs ?? null,
      };
    },
  };
}

/** An answer with the alias of then. */
type Recorded = Answer & { readonly model?: string };

async function readAnswers(file: string, shown: string, model: string): Promise<Map<string, Recorded>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new ProviderError('setup', `${shown} cannot be read: ${(error as Error).message}`);
  }
  const answers = new Map<string, Recorded>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const answer = answerIn(line);
    if (answer === null)
      throw new ProviderError('setup', `line ${index + 1} of ${shown} is no recorded answer`, {
        hint: 'reprise export <run> <step>.answers -o answers.jsonl writes such a file',
      });
    if (model !== '' && answer.model !== model && answer.asked !== model) continue;
    const before = answers.get(answer.request);
    if (before !== undefined && differ(before, answer)) throw ambiguous(before, answer, shown);
    // What failed first may have been answered then.
    if (before === undefined || before.failure !== undefined) answers.set(answer.request, answer);
  }
  return answers;
}

/** The answer that a line holds; null if it holds none. */
function answerIn(line: string): Recorded | null {
  try {
    const answer = JSON.parse(line) as Recorded;
    return typeof answer.request === 'string' && typeof answer.text === 'string' && answer.usage
      ? answer
      : null;
  } catch {
    return null;
  }
}

/** Two models may say the same word: their answers are different ones all the same. */
function differ(one: Recorded, other: Recorded): boolean {
  if (one.source !== other.source) return true;
  return one.failure === undefined && other.failure === undefined && one.text !== other.text;
}

function ambiguous(one: Recorded, other: Recorded, shown: string): ProviderError {
  const names = (['model', 'asked'] as const)
    .map((key) => [...new Set([one[key], other[key]].filter((name) => name !== undefined))])
    .find((both) => both.length > 1);
  return names === undefined
    ? new ProviderError('setup', `${shown} has two different answers to the same request`, {
        hint: 'leave in it the one that is meant',
      })
    : new ProviderError('setup', `${shown} has answers of ${names.join(' and ')} to the same request`, {
        hint: `model: says whose count: model: ${names[0]}`,
      });
}
