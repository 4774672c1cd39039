import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../../test/temporary.ts';
import { BatchLog, batchTables } from './batch-log.ts';
import { openDatabase } from './database.ts';

function openLog(folder: string): BatchLog {
  const database = openDatabase(`${folder}/batches.sqlite`, {
    version: 1,
    migrate: (sql) => sql.exec(batchTables),
    durable: false,
  });
  onTestFinished(() => database.close());
  return new BatchLog(database);
}

const key = fc.constantFrom<string[]>('a', 'b', 'c', 'd', 'e');
const keys = fc.uniqueArray(key, { minLength: 1 });
const process = fc.constantFrom(0, 1);
const action = fc.oneof(
  fc.record({ do: fc.constant('begin' as const), process, keys }),
  fc.record({ do: fc.constant('finish' as const), process, key, answered: keys }),
  fc.record({ do: fc.constant('drop' as const), process, key }),
  fc.record({ do: fc.constant('release' as const), process, keys }),
);

it('a request is in one batch at a time, until what came of it is not needed any more', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 25 }), (actions) => {
      const folder = temporaryFolder();
      const logs = [openLog(folder), openLog(folder)];
      /** Where each key is: a batch, or an answer. */
      const state = new Map<string, { batch: number; answer: string | null }>();
      for (const one of actions) {
        const log = logs[one.process]!;
        if (one.do === 'begin') {
          const begun = log.begin('source', 'token', one.keys)!;
          expect(begun.keys).toEqual(one.keys.filter((name) => !state.has(name)));
          for (const name of begun.keys) state.set(name, { batch: begun.number, answer: null });
          if (begun.keys.length === 0) expect(log.batch(begun.number)).toBeUndefined();
          else expect(log.batch(begun.number)).toMatchObject({ id: null, submitting: true });
        } else if (one.do === 'release') {
          log.release(one.keys);
          log.flush();
          for (const name of one.keys) if ((state.get(name)?.answer ?? null) !== null) state.delete(name);
        } else {
          const batch = state.get(one.key)?.batch;
          if (batch === undefined) continue;
          const members = [...state].filter(([, at]) => at.batch === batch);
          if (one.do === 'drop') log.drop(batch);
          else log.finish(batch, new Map(one.answered.map((name) => [name, `"${name}"`])));
          for (const [name, at] of members) {
            if (one.do === 'finish' && one.answered.includes(name)) at.answer = `"${name}"`;
            else if (one.do === 'drop' || at.answer === null) state.delete(name);
          }
        }
        const all = ['a', 'b', 'c', 'd', 'e'];
        const expected = all.map((name) => {
          const at = state.get(name);
          if (at === undefined) return undefined;
          return at.answer === null ? { batch: at.batch } : { answer: at.answer };
        });
        for (const each of logs) expect(each.find(all)).toEqual(expected);
        // Nothing is left of a batch that has no requests.
        for (const { batch } of state.values()) expect(log.batch(batch)).toBeDefined();
      }
    }),
    { numRuns: 40 },
  );
});

it('keeps what the provider calls a batch, and tells a submission that nobody goes on with', () => {
  const folder = temporaryFolder();
  const [log, other] = [openLog(folder), openLog(folder)];
  const begun = log.begin('source', 'token', ['a', 'b'])!;
  log.abandon(begun.number);
  expect(log.batch(begun.number)).toMatchObject({ requests: 2, token: 'token', submitting: false });
  other.submitted(begun.number, 'batch_1');
  expect(log.batch(begun.number)).toMatchObject({ id: 'batch_1', submitting: false });
  expect(log.ids()).toEqual(['batch_1']);
});
