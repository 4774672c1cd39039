import type { Row } from '../artefacts.ts';
import type { Json } from '../json.ts';
import { type RowComputer, RowFailure } from '../step.ts';
import type { Asking, UsedAnswer } from './asking.ts';
import type { Value } from './value-store.ts';

/** What is filed for a row of a type that asks language models: the answers go with the value that was made of them. */
interface Answered {
  value: Json;
  answers: UsedAnswer[];
}

/** What was said where a row failed: it is recorded beside the answers of the others. */
const saidOf = new WeakMap<RowFailure, readonly UsedAnswer[]>();

/** Computes one row at a time, and puts the answers that it was made from with its value. */
export function withAnswers(computer: RowComputer<Value>, asking: Asking): RowComputer<Value> {
  if (computer.batchSize !== 1) throw new Error('a type that asks language models has batches of one row');
  return {
    ...computer,
    async compute(batch, signal) {
      const { value: values, answers } = await asking.collect(() => computer.compute(batch, signal));
      const value = values instanceof RowFailure ? values : values[0];
      if (!(value instanceof RowFailure)) return [{ value, answers } as unknown as Json];
      saidOf.set(value, answers);
      return [value];
    },
  };
}

/** Rows of the output `answers` of a row that failed. */
export function answersOf(failure: RowFailure, row: string, asking: Asking): Iterable<Row> {
  return asking.rows(saidOf.get(failure) ?? [], row);
}

/** The values without their answers, which are written beside them. `computed`: pieces of work that this run did. */
export async function* withoutAnswers(
  rows: AsyncIterable<{ row: Row; value: Value; unique: number }>,
  computed: ReadonlySet<number>,
  asking: Asking,
  write: (row: Row) => Promise<void> | undefined,
): AsyncIterable<{ row: Row; value: Value }> {
  const seen = new Set<number>();
  for await (const { row, value: filed, unique } of rows) {
    const { value, answers } = filed as unknown as Answered;
    if (!seen.has(unique)) {
      seen.add(unique);
      if (!computed.has(unique)) asking.reuse(answers);
      for (const answer of asking.rows(answers, row.id)) await write(answer);
    }
    yield { row, value };
  }
}
