import type { Answer } from '../engine/language-model.ts';
import { answersOf, type RunRecord } from '../engine/record/record.ts';
import type { Store } from '../engine/store/store.ts';
import type { AnswerCache } from '../models/language/answers.ts';
import { sourceOf } from '../models/language/request.ts';

/**
 * The answers that a run was made from, as its record pins them, in the place of an answer cache. They are read when the first
 * one is asked for; what the run finds anew is kept beside them, in memory.
 */
export function recordedAnswers({ steps }: RunRecord, store: Store): AnswerCache {
  const fresh = new Map<string, Answer>();
  let recorded: Promise<Map<string, Answer>> | undefined;
  const read = async () => {
    const answers = new Map<string, Answer>();
    for (const step of steps) {
      const table = answersOf(step);
      if (table === null) continue;
      for await (const row of store.readTable(table).read()) {
        const answer = row as unknown as Answer;
        answers.set(nameOf(answer.source, answer.request), answer);
      }
    }
    return answers;
  };
  return {
    async get(model, request) {
      recorded ??= read();
      const name = nameOf(sourceOf(model), request);
      return (await recorded).get(name) ?? fresh.get(name);
    },
    put(model, request, answer) {
      fresh.set(nameOf(sourceOf(model), request), answer);
    },
  };
}

function nameOf(source: string, request: string): string {
  return `${request} ${source}`;
}
