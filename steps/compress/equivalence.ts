import type { JsonObject } from '../../engine/json.ts';
import type { Message } from '../../engine/language-model.ts';
import type { AskedModel } from '../../engine/step.ts';
import { allOf } from '../asking.ts';
import { answerQuestion, answerText, compareAnswers, comparison } from './prompts.ts';

/** What one model found. */
export interface Verdict {
  /** Aliases of the model that answered, and of the one that compared its answers. */
  model: string;
  judge: string;
  /** 0 to 1. */
  score: number;
  reason: string;
}

/**
 * Whether models answer the same from a text and from its compression: each answers from both, and another one, which
 * knows neither text, compares the two answers. `question`: what to answer; null for what the text itself asks.
 */
export async function equivalence(
  original: string,
  compressed: string,
  question: string | null,
  models: readonly AskedModel[],
): Promise<Verdict[]> {
  return allOf(
    models.map(async (model, index) => {
      const judge = models[(index + 1) % models.length]!;
      const [full, short] = await allOf([
        model.ask({ messages: task(original, question) }),
        model.ask({ messages: task(compressed, question) }),
      ]);
      const { json } = await judge.ask({
        messages: [
          { role: 'system', content: compareAnswers },
          {
            role: 'user',
            content: `${question === null ? '' : `Task: ${question}\n\n`}A:\n${full.text}\n\nB:\n${short.text}`,
          },
        ],
        schema: comparison as unknown as JsonObject,
      });
      const { score, reason } = json as { score: number; reason: string };
      return { model: model.name, judge: judge.name, score, reason };
    }),
  );
}

function task(text: string, question: string | null): Message[] {
  const content =
    question === null ? `${answerText}${text}` : `${answerQuestion}\nText:\n${text}\n\nQuestion: ${question}`;
  return [{ role: 'user', content }];
}

/** The score of a row. */
export function overall(verdicts: readonly Verdict[], aggregate: 'min' | 'mean'): number {
  const scores = verdicts.map(({ score }) => score);
  return aggregate === 'min'
    ? Math.min(...scores)
    : scores.reduce((sum, score) => sum + score, 0) / scores.length;
}
