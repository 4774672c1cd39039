import type { UsedAnswer } from '../engine/execute/asking.ts';
import type { Answer } from '../engine/language-model.ts';
import { answersOf, type RunRecord } from '../engine/record/record.ts';
import type { Store } from '../engine/store/store.ts';
import type { AnswerCache, Asker } from '../models/language/answers.ts';
import { sourceOf } from '../models/language/request.ts';

/**
 * The answers that a run was made from, as its record pins them, in the place of an answer cache: to each step what it was
 * given. They are read when the first one is asked for; what the run finds anew is kept beside them, in memory.
 */
export function recordedAnswers({ steps }: RunRecord, store: Store): AnswerCache {
  const fresh = new Map<string, Answer>();
  let recorded: ReturnType<typeof read> | undefined;
  const read = async () => {
    const any = new Map<string, Answer>();
    const given = new Map<string, Answer>();
    for (const step of steps) {
      const table = answersOf(step);
      if (table === null) continue;
      for await (const row of store.readTable(table).read()) {
        const answer = row as unknown as UsedAnswer;
        const name = nameOf(answer.source, answer.request);
        any.set(name, answer);
        given.set(givenName({ step: step.id, alias: answer.model }, name), answer);
      }
    }
    return { any, given };
  };
  return {
    async get(model, request) {
      recorded ??= read();
      const name = nameOf(sourceOf(model), request);
      return (await recorded).any.get(name) ?? fresh.get(name);
    },
    async given(asker, model, request) {
      recorded ??= read();
      return (await recorded).given.get(givenName(asker, nameOf(sourceOf(model), request)));
    },
    put(model, request, answer) {
      fresh.set(nameOf(sourceOf(model), request), answer);
    },
  };
}

function nameOf(source: string, request: string): string {
  return `${request} ${source}`;
}

function givenName({ step, alias }: Asker, name: string): string {
  return JSON.stringify([step, alias, name]);
}
