import type { Row } from '../../engine/artefacts.ts';
import type { StepContext, TableInput } from '../../engine/step.ts';

/** Characters in the texts of a task for a worker thread, about, and rows at most. */
const taskCharacters = 500_000;
const taskRows = 2000;

/** The rows in their order with what `ask` finds about their texts; some tasks more than there are threads are under way. */
export async function* inWorkers<Found>(
  table: TableInput,
  field: string,
  ask: (texts: (string | null)[]) => Promise<Found>,
  { pool, signal }: Pick<StepContext, 'pool' | 'signal'>,
): AsyncGenerator<{ rows: Row[]; found: Found }> {
  const underWay: { rows: Row[]; found: Promise<Found> }[] = [];
  const start = (rows: Row[]) => {
    const found = ask(rows.map((row) => (typeof row[field] === 'string' ? row[field] : null)));
    // Whoever waits for it hears of a failure; the others under way must not be unheard.
    found.catch(() => {});
    underWay.push({ rows, found });
  };
  const next = async () => {
    const { rows, found } = underWay.shift()!;
    return { rows, found: await found };
  };
  let rows: Row[] = [];
  let characters = 0;
  for await (const block of table.blocks()) {
    signal.throwIfAborted();
    for (const row of block) {
      rows.push(row);
      const text = row[field];
      characters += typeof text === 'string' ? text.length : 0;
      if (rows.length < taskRows && characters < taskCharacters) continue;
      start(rows);
      rows = [];
      characters = 0;
      if (underWay.length > pool.threads + 1) yield await next();
    }
  }
  if (rows.length > 0) start(rows);
  while (underWay.length > 0) yield await next();
}
