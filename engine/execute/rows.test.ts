import { expect, it } from 'vitest';
import { createLanguageModels } from '../../models/language/index.ts';
import { ModelServer } from '../../test/model-server.ts';
import { tableInput } from '../../test/run-step.ts';
import { temporaryFolder } from '../../test/temporary.ts';
import type { Json, JsonObject } from '../json.ts';
import type { RowStepType } from '../step.ts';
import { Caches } from '../store/caches.ts';
import { Asking } from './asking.ts';
import { type RowRun, runRows } from './rows.ts';

it('all rows that are asked about in a batch are part of it, and those that are asked about one by one wait their turn', async () => {
  await using server = await ModelServer.start();
  const caches = Caches.open({ folder: temporaryFolder() });
  const own = (model: string): JsonObject => ({
    provider: 'openai',
    base_url: server.url('openai'),
    model,
    concurrency: 1,
  });
  const models = createLanguageModels({
    root: '.',
    aliases: { alone: own('alone'), together: { ...own('together'), batch: { poll: 0.1 } } },
    secret: () => undefined,
    answers: null,
    batches: caches.batches,
  });
  const { signal } = new AbortController();
  const by = new Asking({
    step: 'asks',
    models: new Map(['alone', 'together'].map((alias) => [alias, models.find(alias)!])),
    signal,
    notify: () => {},
  });
  const underway = { alone: 0, together: 0 };
  const most = { ...underway };
  const type = {
    type: 'asks',
    fields: () => ['text', 'by'],
    open: async () => ({
      identity: null,
      batchSize: 1,
      concurrency: 1,
      async compute([[text, alias]]: [[string, 'alone' | 'together']]) {
        most[alias] = Math.max(most[alias], ++underway[alias]);
        const { text: said } = await by.model(alias)!.ask({ messages: [{ role: 'user', content: text }] });
        underway[alias]--;
        return [said as Json];
      },
    }),
    async emit(_: unknown, rows: AsyncIterable<{ value: Json }>) {
      const said: Json[] = [];
      for await (const { value } of rows) said.push(value);
      return { metrics: { said: said.length } };
    },
  } as unknown as RowStepType;
  const rows = Array.from({ length: 400 }, (_, index) => ({
    id: `r${index}`,
    text: `text ${index}`,
    by: index % 4 === 0 ? 'alone' : 'together',
  }));
  try {
    const { result, computed } = await runRows({
      type,
      run: { parameters: {}, inputs: { rows: tableInput(rows) }, outputs: {}, context: { signal } },
      asking: { by, write: () => undefined },
      writeFailed: () => undefined,
      identity: null,
      cache: null,
      leases: caches.leases,
      maxFailures: { count: 0 },
      forced: false,
      onProgress: () => {},
      onWait: () => {},
    } as unknown as RowRun);
    expect([computed, result]).toEqual([400, { metrics: { said: 400 } }]);
    expect(server.batches.batches.map(({ requests }) => requests.length)).toEqual([300]);
    expect(most.together).toBe(300);
    expect(most.alone).toBeLessThanOrEqual(64);
  } finally {
    by.close();
    await caches.close();
  }
});
