import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import type { Json, JsonObject } from '../../engine/json.ts';
import type { StepInput } from '../../engine/step.ts';
import { folderWith, matrixInput, runStep, type StepOutputs, tableInput } from '../../test/run-step.ts';
import { SqlDatabase } from './database.ts';
import query from './index.ts';
import { momentaryFunctions, notRepeatable } from './sql-text.ts';

function step(rows: Row[], name = 'rows'): StepInput {
  return { step: name, use: 'load', metrics: {}, output: 'rows', outputs: { rows: tableInput(rows) } };
}

function ask(
  tables: Record<string, Row[]>,
  parameters: string | JsonObject,
  root?: string,
): Promise<StepOutputs> {
  const inputs = Object.fromEntries(Object.entries(tables).map(([name, rows]) => [name, step(rows, name)]));
  const asked = typeof parameters === 'string' ? { sql: parameters } : parameters;
  return runStep(query, { with: asked, inputs, ...(root !== undefined && { root }) });
}

const labels = [
  { id: 'a', label: 'card', n: 1 },
  { id: 'b', label: 'card', n: 2 },
  { id: 'c', label: 'top up', n: 3 },
];
const scores = [
  { id: 'c', score: 0.5 },
  { id: 'a', score: 0.25 },
  { id: 'b', score: 1 },
];

it('joins by id, groups, and pivots', async () => {
  const grouped = await ask(
    { labels, scores },
    `SELECT label AS id, count(*) AS rows, avg(score) AS score, list(n ORDER BY n) AS ns
     FROM labels JOIN scores USING (id) GROUP BY label ORDER BY label`,
  );
  expect(grouped.tables['rows']).toEqual([
    { id: 'card', rows: 2, score: 0.625, ns: [1, 2] },
    { id: 'top up', rows: 1, score: 0.5, ns: [3] },
  ]);
  expect(grouped.metrics).toEqual({ rows: 2 });
  const pivoted = await ask({ labels }, 'PIVOT labels ON label USING sum(n) GROUP BY n ORDER BY n');
  expect(pivoted.tables['rows']).toEqual([
    { id: '1', n: 1, card: 1, 'top up': null },
    { id: '2', n: 2, card: 2, 'top up': null },
    { id: '3', n: 3, card: null, 'top up': 3 },
  ]);
});

it('gives rows back as they were, of every type', async () => {
  const rows: Row[] = [
    {
      id: 'a"\'',
      text: '2024-01-02 \u0000 \n "😀"',
      whole: 9007199254740991,
      part: 0.1,
      yes: true,
      none: null,
      list: ['x', null],
      turns: [{ role: 'user', content: 'hi' }],
      mixed: 1,
      deep: { a: { b: [1, 2.5] } },
      'a "b" c': -1,
    },
    {
      id: 'b',
      text: '',
      whole: -3,
      part: 1e300,
      yes: false,
      none: null,
      list: [],
      turns: [],
      mixed: { k: ['v'] },
      deep: { a: { b: [] } },
      'a "b" c': 0,
    },
    {
      id: 'c',
      text: null,
      whole: null,
      part: null,
      yes: null,
      none: null,
      list: null,
      turns: null,
      mixed: 'text',
      deep: null,
      'a "b" c': null,
    },
  ];
  const { tables, warnings } = await ask({ t: rows }, 'FROM t');
  expect(tables['rows']).toEqual(rows);
  expect(warnings).toEqual([]);
  expect((await ask({ t: rows.slice(0, 0) }, 'FROM t')).tables['rows']).toEqual([]);
});

it('gives any rows back', async () => {
  const value = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 8 }),
    fc.constantFrom('', '\u0000', '"', '2024-01-02', '1', 'null', 'true'),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.jsonValue({ maxDepth: 3 }),
  );
  const field = fc.constantFrom('a', 'b', 'ü "x", y', '1', 'select');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.dictionary(field, value, { maxKeys: 4 }), { maxLength: 5 }),
      async (records) => {
        const rows = records.map(
          (record, n) => JSON.parse(JSON.stringify({ ...record, id: `r${n}` })) as Row,
        );
        const { tables } = await ask({ t: rows }, 'FROM t');
        expect(tables['rows']!.map(withoutNulls)).toEqual(rows.map(withoutNulls));
      },
    ),
    { numRuns: 40 },
  );
});

/** A field that a row lacks, and a member that an object lacks, is NULL in SQL. */
function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name, withoutNulls(member)]));
}

it('gives the types of SQL as JSON', async () => {
  const { tables, warnings } = await ask(
    { t: [{ id: 'x' }] },
    `SELECT 9007199254740993 AS big, 12::HUGEINT AS small, 1.10::DECIMAL(10,2) AS price,
       0.1234567890123456789::DECIMAL(20,19) AS exact, DATE '2024-01-02' AS day,
       TIMESTAMP '2024-01-02 03:04:05.5' AS local, TIMESTAMPTZ '2024-01-02 03:04:05+01' AS at,
       TIMESTAMPTZ '1969-12-31 23:59:59.25+00' AS early, MAP {'k': 1} AS map, {'a': [1]} AS struct,
       'NaN'::DOUBLE AS nan, '\\x00\\xFF'::BLOB AS bytes, '[1, null]'::JSON AS json, INTERVAL 3 DAY AS span
     FROM t`,
  );
  expect(tables['rows']).toEqual([
    {
      id: '1',
      big: '9007199254740993',
      small: 12,
      price: 1.1,
      exact: '0.1234567890123456789',
      day: '2024-01-02',
      local: '2024-01-02T03:04:05.5',
      at: '2024-01-02T02:04:05Z',
      early: '1969-12-31T23:59:59.25Z',
      map: { k: 1 },
      struct: { a: [1] },
      nan: null,
      bytes: 'AP8=',
      json: [1, null],
      span: '3 days',
    },
  ]);
  expect(warnings).toEqual([
    '2 numbers that a double does not hold: kept as their digits in texts',
    '1 values NaN or infinite, or times out of range: null',
  ]);
});

it('gives times as ISO 8601, and null for those that it has no text for', async () => {
  const { tables, warnings } = await ask(
    { t: [{ id: 'x' }] },
    `SELECT 'infinity'::TIMESTAMPTZ AS a, '-infinity'::TIMESTAMP AS b, 'infinity'::DATE AS c,
       '290000-01-01 00:00:00+00'::TIMESTAMPTZ AS d, '290000-01-01'::DATE AS e, 'infinity'::TIMESTAMP_NS AS f,
       '0044-03-15 (BC)'::DATE AS ides, '12345-01-01'::TIMESTAMP_S AS late,
       '2024-01-02 03:04:05.000000001'::TIMESTAMP_NS AS ns, '2024-01-02 03:04:05.120'::TIMESTAMP_MS AS ms
     FROM t`,
  );
  expect(tables['rows']).toEqual([
    {
      ...{ id: '1', a: null, b: null, c: null, d: null, e: null, f: null },
      ides: '-000043-03-15',
      late: '+012345-01-01T00:00:00',
      ns: '2024-01-02T03:04:05.000000001',
      ms: '2024-01-02T03:04:05.12',
    },
  ]);
  expect(warnings).toEqual(['6 values NaN or infinite, or times out of range: null']);
});

it('names the place of a mistake, behind letters of several bytes too', async () => {
  await expect(ask({ labels }, "SELECT 'ключ',\n  lable FROM labels")).rejects.toMatchObject({
    code: 'sql-error',
    message: 'Referenced column "lable" not found in FROM clause!',
    hint: 'Candidate bindings: "label"',
    at: { parameter: 'sql', line: 2, column: 3, length: 5 },
  });
  await expect(ask({ labels }, 'SELECT id\nFORM labels WHERE x')).rejects.toMatchObject({
    code: 'sql-syntax',
    at: { line: 2 },
  });
  const root = folderWith({ 'q/by.sql': 'SELECT *\nFROM nobody' });
  await expect(ask({ labels }, { file: 'q/by.sql' }, root)).rejects.toMatchObject({
    code: 'sql-error',
    message: 'q/by.sql:2:6: Table with name nobody does not exist!',
  });
  await expect(ask({ labels }, 'SELECT CAST(label AS INT) AS n FROM labels')).rejects.toMatchObject({
    code: 'sql-error',
    message: expect.stringContaining("Could not convert string 'card'"),
  });
});

it.each([
  ["SELECT * FROM read_text('/etc/hostname')", 'sql-error'],
  ["SELECT * FROM '/etc/hosts.csv'", 'sql-error'],
  ["COPY labels TO 'out.csv'", 'sql-error'],
  ["ATTACH 'x.db'", 'sql-error'],
  ['SET threads=4', 'sql-error'],
  ['INSTALL httpfs', 'sql-error'],
  ["CALL enable_logging(storage='file', storage_config={'path':'/tmp/x'}); SELECT 1", 'sql-error'],
  ["FROM enable_logging(storage='file', storage_config={'path':'/tmp/x'}); SELECT 1", 'sql-error'],
  ["FROM query('SELECT 1')", 'sql-error'],
  ['CALL range(3)', 'sql-error'],
  ['BEGIN; SELECT 1', 'sql-error'],
  ['SELECT * FROM labels WHERE id = ?', 'sql-parameter'],
  ['-- nothing', 'sql-syntax'],
  ['SELECT label AS id FROM labels', 'duplicate-id'],
  ['SELECT NULL AS id FROM labels', 'query-id'],
  ['SELECT * FROM labels a JOIN labels b ON a.id = b.id', 'sql-column-names'],
])('refuses %s', async (sql, code) => {
  await expect(ask({ labels }, sql)).rejects.toMatchObject({ code });
});

it('advises on names that are no input, and on texts that are no numbers', async () => {
  await expect(ask({ tickets: [{ id: 'a' }], scores }, 'SELECT * FROM ticket')).rejects.toMatchObject({
    message: expect.stringContaining('ticket does not exist'),
    hint: 'did you mean "tickets"?',
  });
  await expect(ask({ labels, scores }, 'SELECT * FROM nothing_alike')).rejects.toMatchObject({
    hint: expect.stringMatching(/^there are: .*labels.*scores/),
  });
  await expect(
    ask({ tickets: [{ id: 'a', stars: '3' }] }, 'SELECT 1 AS id, avg(t.stars) AS m FROM tickets t'),
  ).rejects.toMatchObject({
    hint: 'stars is a text: avg(stars::DOUBLE), or in load, for good: cast: { stars: number }, or types: inferred',
  });
});

it('refuses what gives another result each time, and matrices', async () => {
  const said = (sql: string) => query.check!({ sql }).map(({ message }) => message);
  for (const sql of [
    'SELECT now()',
    'SELECT CURRENT_DATE',
    'SELECT "current_date"',
    'FROM t USING SAMPLE 3',
    'FROM (FROM t USING SAMPLE 50%) WHERE round(score, 1) > 0',
    'FROM t TABLESAMPLE reservoir(20%)',
    'SELECT random ()',
    'SELECT "random"()',
    'SELECT system.main.random()',
    "SELECT E'\\'', random()",
    "SELECT $$a ' b$$, random()",
    "SELECT $x$ $$ ' $x$, random()",
    "SELECT /* ' */ random()",
    'CREATE MACRO f() AS "uuid"(); SELECT f()',
    'PIVOT t ON id USING sum(random())',
    'SELECT age(ts) FROM t',
    'FROM duckdb_memory()',
    'EXPLAIN ANALYZE FROM t',
  ])
    expect([sql, said(sql).length]).toEqual([sql, 1]);
  for (const sql of [
    'SELECT \'now()\' AS "today()" -- random()',
    'SELECT $$random()$$, /* now() /* */ now() */ 1',
    'FROM t USING SAMPLE 3 ROWS (reservoir, 42)',
    'FROM t USING SAMPLE reservoir(50 PERCENT) REPEATABLE (7)',
    'FROM t TABLESAMPLE bernoulli(10%) REPEATABLE (3)',
    'SELECT t.current_date, x AS "localtime" FROM t',
    'SELECT age(least(a, b), c) FROM t',
    'SELECT snow(1), "now" FROM t',
  ])
    expect([sql, said(sql)]).toEqual([sql, []]);
  const vectors = matrixInput({ data: new Float32Array(2), rows: 1, columns: 2 }, ['a']);
  const inputs = { v: { ...step([], 'v'), output: 'm', outputs: { m: vectors } } };
  await expect(runStep(query, { with: { sql: 'FROM v' }, inputs })).rejects.toMatchObject({
    code: 'query-input',
  });
});

it('knows all functions of DuckDB that are of the moment', async () => {
  // They say nothing that depends on when they are called, or fail.
  const harmless = [
    'current_database',
    'current_schema',
    'current_schemas',
    'in_search_path',
    'setseed',
    'error',
  ];
  const silent = [...harmless, 'sleep_ms', 'pg_sleep', 'current_catalog', 'write_log'];
  // These look into the catalogue of the tables that there are.
  const ofTables = ['format_type', 'get_block_size', 'pg_get_constraintdef', 'pg_get_viewdef'];
  const sql = `SELECT function_name AS id, bool_or(stability <> 'CONSISTENT') AS of_moment,
      list(macro_definition) FILTER (macro_definition IS NOT NULL) AS macros
    FROM "duckdb_functions"() WHERE function_type IN ('scalar', 'aggregate', 'macro') GROUP BY ALL ORDER BY ALL`;
  const scratch = folderWith({});
  const database = await SqlDatabase.open({ root: scratch, threads: 1, scratch });
  try {
    const result = await database.query(sql, {}, new AbortController().signal);
    const rows = (await Array.fromAsync(result.blocks())).flat();
    expect(rows.length).toBeGreaterThan(500);
    const momentary = rows.filter(
      ([, ofMoment, macros]) =>
        ofMoment === true || (macros as string[] | null)?.some((body) => notRepeatable(body)),
    );
    const unknown = momentary.filter(([name]) => !momentaryFunctions.has(String(name)));
    const left = unknown.map(([name]) => String(name));
    expect(left.filter((name) => ![...silent, ...ofTables].includes(name))).toEqual([]);
  } finally {
    database.close();
  }
});

it('tells of inputs that are not named, and of fields that SQL cannot tell apart', async () => {
  const { tables, warnings } = await ask({ t: [{ id: '1', Name: 'x', name: 'y' }], other: labels }, 'FROM t');
  expect(tables['rows']).toEqual([{ id: '1', Name: 'x' }]);
  expect(warnings.join('\n')).toMatch(/field name is not there[\s\S]*does not name its input other/);
});
