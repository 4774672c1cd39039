import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../../test/temporary.ts';
import { BatchLog, batchTables } from './batch-log.ts';
import { openDatabase } from './database.ts';

function openLog(folder: string): BatchLog {
  const database = openDatabase(`${folder}/batches.sqlite`, {
    version: batchTables.length,
    migrate: (sql, from) => {
      for (const tables of batchTables.slice(from)) sql.exec(tables);
    },
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
  fc.record({ do: fc.constant('leaveOut' as const), process, key, keys }),
  fc.record({ do: fc.constant('release' as const), process, keys }),
);

it('a request is in one batch at a time, until what came of it is not needed any more', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 25 }), (actions) => {
      const folder = temporaryFolder();
      const logs = [openLog(folder), openLog(folder)];
      /** Where each key is: a batch, or an answer. */
      const state = new Map<string, { batch: string; answer: string | null }>();
      for (const [index, one] of actions.entries()) {
        const log = logs[one.process]!;
        if (one.do === 'begin') {
          const token = `token ${index}`;
          const begun = log.begin('openai/small', token, one.keys)!;
          expect(begun).toEqual(one.keys.filter((name) => !state.has(name)));
          for (const name of begun) state.set(name, { batch: token, answer: null });
          if (begun.length === 0) expect(log.batch(token)).toBeUndefined();
          else expect(log.batch(token)).toMatchObject({ id: null, submitting: true, requests: begun.length });
        } else if (one.do === 'leaveOut') {
          const batch = state.get(one.key)?.batch;
          if (batch === undefined) continue;
          log.leaveOut(batch, one.keys);
          for (const name of one.keys)
            if (state.get(name)?.batch === batch && state.get(name)?.answer === null) state.delete(name);
        } else if (one.do === 'release') {
          log.release(one.keys);
          log.flush();
          for (const name of one.keys) if ((state.get(name)?.answer ?? null) !== null) state.delete(name);
        } else {
          const batch = state.get(one.key)?.batch;
          if (batch === undefined) continue;
          const members = [...state].filter(([, at]) => at.batch === batch);
          if (one.do === 'drop') log.drop(batch, null);
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
        expect(
          log
            .all()
            .map(({ token }) => token)
            .sort(),
        ).toEqual([...new Set([...state.values()].map(({ batch }) => batch))].sort());
        for (const { token } of log.all()) {
          const open = [...state.values()].some(({ batch, answer }) => batch === token && answer === null);
          expect(log.isOpen(token)).toBe(open);
        }
      }
    }),
    { numRuns: 40 },
  );
});

it('keeps what the provider calls a batch, and tells a submission that nobody goes on with', () => {
  const folder = temporaryFolder();
  const [log, other] = [openLog(folder), openLog(folder)];
  log.begin('openai/small', 'token', ['a', 'b']);
  log.abandon('token');
  expect(log.batch('token')).toMatchObject({ requests: 2, model: 'openai/small', submitting: false });
  other.submitted('token', 'batch_1');
  expect(log.batch('token')).toMatchObject({ id: 'batch_1', submitting: false });
  expect(log.ids()).toEqual(['batch_1']);
});

it('what a slow process says of a batch that is over concerns no later one', () => {
  const folder = temporaryFolder();
  const [log, slow] = [openLog(folder), openLog(folder)];
  log.begin('openai/small', 'first', ['a', 'b']);
  log.submitted('first', 'batch_1');
  const answers = new Map([
    ['a', '1'],
    ['b', '2'],
  ]);
  log.finish('first', answers);
  log.release(['a', 'b']);
  log.flush();
  log.begin('openai/small', 'second', ['c']);
  slow.submitted('first', 'batch_1');
  slow.finish('first', answers);
  slow.drop('first', 'batch_1');
  expect(log.find(['a', 'b', 'c'])).toEqual([undefined, undefined, { batch: 'second' }]);
  expect(log.batch('second')).toMatchObject({ id: null, requests: 1 });
});

it('drops no batch that has got a name meanwhile, and gives no name twice', () => {
  const folder = temporaryFolder();
  const [log, other] = [openLog(folder), openLog(folder)];
  log.begin('anthropic/small', 'first', ['a']);
  log.begin('anthropic/small', 'second', ['b']);
  other.found('first', 'batch_1');
  log.found('first', 'batch_2');
  log.found('second', 'batch_1');
  log.drop('first', null);
  expect(log.all().map(({ token, id }) => [token, id])).toEqual([
    ['first', 'batch_1'],
    ['second', null],
  ]);
  // It was the second, as its results say.
  log.mistaken('first', 'batch_1', ['of nobody', 'b']);
  expect(log.all().map(({ id }) => id)).toEqual([null, 'batch_1']);
});

it('an answer that was released is kept until what was filed of it is on disk', () => {
  const folder = temporaryFolder();
  const [log, next] = [openLog(folder), openLog(folder)];
  log.begin('openai/small', 'first', ['a', 'b']);
  log.finish(
    'first',
    new Map([
      ['a', '1'],
      ['b', '2'],
    ]),
  );
  log.release(['a', 'b']);
  // What is asked anew is not.
  expect(log.begin('openai/small', 'second', ['b', 'c'])).toEqual(['b', 'c']);
  expect(log.find(['a', 'b'])).toEqual([undefined, { batch: 'second' }]);
  expect(next.find(['a', 'b'])).toEqual([{ answer: '1' }, { batch: 'second' }]);
  log.flush();
  expect(next.find(['a', 'b'])).toEqual([undefined, { batch: 'second' }]);
});

it('forgets one batch, by what the provider calls it', () => {
  const log = openLog(temporaryFolder());
  log.begin('openai/small', 'first', ['a']);
  log.begin('openai/small', 'second', ['b']);
  log.submitted('first', 'batch_1');
  expect([log.forget('batch_1'), log.forget('batch_1')]).toEqual([true, false]);
  expect(log.find(['a', 'b'])).toEqual([undefined, { batch: 'second' }]);
});

it('batches of a file of the first version are there', () => {
  const folder = temporaryFolder();
  const old = openDatabase(`${folder}/batches.sqlite`, {
    version: 1,
    migrate: (sql) =>
      sql.exec(`${batchTables[0]}
INSERT INTO batches VALUES (7, 'source', 'token', 'batch_1', 2, ${Date.now()}, 1, 'host');
INSERT INTO requests VALUES ('a', 7, '1'), ('b', 7, NULL);`),
    durable: false,
  });
  old.write(() => {});
  old.close();
  const log = openLog(folder);
  expect(log.find(['a', 'b'])).toEqual([{ answer: '1' }, { batch: 'token' }]);
  expect(log.batch('token')).toMatchObject({ id: 'batch_1', requests: 2 });
});
