import { expect, it } from 'vitest';
import { jsonl, TestProject } from '../project.ts';

it('query: a mistake is shown in its line of the workflow; the tables of a run answer by name', async () => {
  using p = new TestProject({
    'w.yaml': `name: small
steps:
  rows: { use: load, with: { path: data.jsonl, id: id, cast: { n: integer } } }
  by_label:
    use: query
    from: rows
    with:
      sql: |
        SELECT label AS id,
               sum(m) AS total
        FROM rows GROUP BY label ORDER BY label
  parts: { use: filter, from: rows, matrix: { least: [1, 3] }, with: { where: "row.n >= matrix.least" } }
`,
    'data.jsonl': jsonl([
      { id: 'a', label: 'x', n: 1 },
      { id: 'b', label: 'y', n: 2 },
      { id: 'c', label: 'x', n: 3 },
      { id: 'd', label: 'x', n: 'four' },
    ]),
  });
  const failed = await p.reprise('run', 'w.yaml');
  expect(failed.code).toBe(1);
  expect(failed.out).toMatch(/w\.yaml:10:20 error sql-error: .*"m"[\s\S]*sum\(m\)[\s\S]*~/);

  p.write({ 'w.yaml': p.read('w.yaml').replace('sum(m)', 'sum(n)') });
  expect((await p.reprise('run', 'w.yaml')).code).toBe(0);
  const ask = async (...args: string[]) => await p.reprise('query', 'latest', ...args);
  expect(JSON.parse((await ask('FROM by_label', '--json')).out)).toMatchObject({
    columns: ['id', 'total'],
    rows: [
      { id: 'x', total: 4 },
      { id: 'y', total: 2 },
    ],
  });
  expect(
    (await ask('SELECT least, count(*) AS n FROM parts GROUP BY ALL ORDER BY 1', '--format', 'csv')).out,
  ).toBe('least,n\n1,3\n3,1\n');
  const joined = await ask('SELECT line, reason FROM rows.rejected ANTI JOIN rows USING (id)');
  expect(joined.out).toMatch(/line +reason\n4 +n is no integer: four/);
  expect(await ask('FROM nobody')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/line 1, column 6.*\n.*by_label/),
  });
});
