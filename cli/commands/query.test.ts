import { expect, it } from 'vitest';
import { SqlDatabase } from '../../steps/query/database.ts';
import { folderWith, tableInput } from '../../test/run-step.ts';
import { command } from './query.ts';

async function columnsOf(sql: string): Promise<string[]> {
  const scratch = folderWith({});
  const database = await SqlDatabase.open({ root: scratch, threads: 1, scratch });
  try {
    for (const name of ['topics', 'unique', 'unique.duplicates'])
      await database.addTable({ name, input: tableInput([{ id: 'a', cluster: 1 }]) }, 1);
    return (await database.query(sql, { parameter: 'sql' }, new AbortController().signal)).columns;
  } finally {
    database.close();
  }
}

it('has examples that DuckDB answers', async () => {
  const queries = command.examples!.map(({ line }) => /query latest (?:"([^"]*)"|'([^']*)')/.exec(line)!);
  for (const [line, doubly, singly] of queries)
    expect((await columnsOf(doubly ?? singly!)).length, line).toBeGreaterThan(0);
});

it('hints at quotes where a name is a word of SQL', async () => {
  for (const sql of ['FROM unique.duplicates', 'SELECT * FROM unique'])
    await expect(columnsOf(sql)).rejects.toMatchObject({
      code: 'sql-syntax',
      hint: expect.stringContaining('stands in quotes: "unique"'),
    });
});
