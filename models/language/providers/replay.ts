import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Answer } from '../../../engine/language-model.ts';
import { type Provider, ProviderError } from '../provider.ts';
import { requestDigest } from '../request.ts';
import type { ProviderOptions } from './index.ts';

/**
 * Answers from a file of JSON Lines: what `reprise export <run> <step>.answers -o answers.jsonl` writes. A request that
 * was not asked then is rejected; nothing is ever asked anew, and nothing costs. Of a file with answers of several models,
 * those of `model` count: an alias of then, or a model as it was asked.
 */
export async function openProvider({ settings, root }: ProviderOptions): Promise<Provider> {
  const path = settings.path!;
  const recorded = await readAnswers(resolve(root, path), path, settings.model);
  return {
    async ask({ messages, sampling, schema, sample = 0 }) {
      const found = recorded.get(requestDigest({ messages, sampling, schema, sample }));
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

async function readAnswers(file: string, shown: string, model: string): Promise<Map<string, Answer>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new ProviderError('setup', `${shown} cannot be read: ${(error as Error).message}`);
  }
  const answers = new Map<string, Answer>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      const answer = JSON.parse(line) as Answer & { model?: string };
      if (typeof answer.request !== 'string' || typeof answer.text !== 'string' || !answer.usage)
        throw new Error('no answer');
      if (model === '' || answer.model === model || answer.asked === model)
        answers.set(answer.request, answer);
    } catch {
      throw new ProviderError('setup', `line ${index + 1} of ${shown} is no recorded answer`, {
        hint: 'reprise export <run> <step>.answers -o answers.jsonl writes such a file',
      });
    }
  }
  return answers;
}
