import { describe, expect, test } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { randomStream } from '../../engine/execute/random.ts';
import type { JsonObject } from '../../engine/json.ts';
import type { ArtefactInput, StepInput } from '../../engine/step.ts';
import { matrixInput, runStep, tableInput } from '../../test/run-step.ts';
import { fitTexts, sample } from './gather.ts';
import report from './index.ts';
import { places } from './places.ts';
import { timelineSection } from './timeline-section.ts';

function step(
  use: string,
  outputs: Record<string, ArtefactInput>,
  metrics: StepInput['metrics'] = {},
  output = Object.keys(outputs)[0] ?? 'rows',
): StepInput {
  return { step: use, use, metrics, output, outputs };
}

/** A clustering step as `cluster` gives it: rows with a cluster, and their vectors. */
function clustering(rows: Row[], columns = 4): StepInput {
  const random = randomStream(1, 'vectors');
  const data = Float32Array.from(
    { length: rows.length * columns },
    (_, index) => random.next() + Number(rows[Math.floor(index / columns)]!['cluster'] ?? 0),
  );
  return step('cluster', {
    rows: tableInput(rows),
    vectors: matrixInput(
      { data, rows: rows.length, columns },
      rows.map(({ id }) => id),
    ),
  });
}

function rowsOf(count: number, clusters: number): Row[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `row-${index}`,
    text: `question number ${index}`,
    label: index % clusters === 0 ? 'zero' : 'other',
    cluster: index % clusters,
    distance: index / count,
  }));
}

const names = (rows: Row[]) => step('summarize', { names: tableInput(rows) });

async function make(inputs: Record<string, StepInput>, options: JsonObject = {}) {
  const result = await runStep(report, { inputs, with: options });
  return { ...result, html: result.files['page']!['index.html']!.toString('utf8') };
}

test('of a wide table what the step added is shown, and a page without clusters counts none', async () => {
  const many = Object.fromEntries(Array.from({ length: 14 }, (_, at) => [`read_${at}`, at]));
  const rows = [{ id: 'a', ...many, text: 'some words', suggested_label: 'card', is_label_error: true }];
  const { html, metrics } = await make({ suspects: step('label_errors', { rows: tableInput(rows) }) });
  const shown = Array.from(
    html.matchAll(/<button type="button" dir="auto">(\w+)<\/button>/g),
    (match) => match[1],
  );
  expect(shown).toHaveLength(12);
  expect([...shown.slice(0, 2), ...shown.slice(-2)]).toEqual([
    'id',
    'text',
    'suggested_label',
    'is_label_error',
  ]);
  expect(Object.keys(metrics)).toEqual(['bytes']);
});

function pointsOf(html: string) {
  const json = /<script type="application\/json" data-points>(.*?)<\/script>/s.exec(html)![1]!;
  return JSON.parse(json) as {
    clusters: [number, string, number, number, number][];
    map: { w: number; h: number; x: number[]; y: number[]; c: number[]; t: string[] } | null;
  };
}

describe('report', () => {
  test('shows clusters with their names, sizes, keywords and examples, and the scores', async () => {
    const { html, metrics } = await make({
      topics: clustering(rowsOf(30, 3)),
      names: names([
        {
          id: '0',
          cluster: 0,
          name: 'Cards',
          keywords: ['card', 'arrive'],
          examples: ['Where is it?'],
          size: 10,
        },
        {
          id: '1',
          cluster: 1,
          name: 'Fees',
          keywords: 'fee, charge',
          examples: [{ id: 'x', text: 'Why?' }],
          size: 10,
        },
        { id: '2', cluster: 2, name: 'Loans', keywords: [['loan', 0.4]], examples: [], size: 10 },
      ]),
      scores: step('evaluate', {}, { v_measure: 0.7753, rows: 30 }),
    });
    expect(metrics).toMatchObject({ clusters: 3, points: 30 });
    for (const text of [
      '30 texts in 3 clusters',
      'Cards',
      'arrive',
      'Where is it?',
      'charge',
      'Why?',
      'loan',
    ])
      expect(html).toContain(text);
    expect(html).toContain('<dd class="value">0.775</dd>');
    expect(pointsOf(html).clusters.map(([cluster, name, size]) => [cluster, name, size])).toEqual([
      [0, 'Cards', 10],
      [1, 'Fees', 10],
      [2, 'Loans', 10],
    ]);
    expect(pointsOf(html).map!.t).toHaveLength(30);
    for (const place of Object.values(places)) expect(html.split(place)).toHaveLength(2);
  });

  test('gives the same bytes again, and holds no time', async () => {
    const inputs = { topics: clustering(rowsOf(50, 5)) };
    const [first, second] = [await make(inputs), await make(inputs)];
    expect(first.html).toBe(second.html);
    expect(first.html).not.toMatch(/\d{4}-\d\d-\d\dT|20\d\d-\d\d/);
  });

  test('asks for nothing outside itself', async () => {
    const { html } = await make({ topics: clustering(rowsOf(20, 2)) });
    expect(html).not.toMatch(/(src|href)=["']?(https?:)?\/\//);
    expect(html).not.toMatch(/@import|url\((?!#)/);
    expect(html).toContain('default-src &#39;none&#39;; script-src &#39;sha256-');
  });

  test('names no cluster twice and makes names up where there are none', async () => {
    const { html } = await make({ topics: clustering(rowsOf(12, 3)) });
    expect(html).toContain('Cluster 2');
    // Nearest its centre first.
    expect(html.indexOf('question number 2<')).toBeLessThan(html.indexOf('question number 5<'));
  });

  test('shows the most frequent label of a cluster when asked', async () => {
    const { html } = await make({ topics: clustering(rowsOf(20, 2)) }, { label: 'label' });
    expect(html).toMatch(/Most frequent label: <b dir="auto">zero<\/b>, 100\.0% of the cluster/);
  });

  test('keeps rows without a cluster apart', async () => {
    const rows = rowsOf(20, 2).map((row, index) => (index < 5 ? { ...row, cluster: -1 } : row));
    const { html } = await make({ topics: clustering(rows) });
    expect(html).toContain('5 of 20 texts belong to no cluster');
    expect(html).not.toContain('Cluster -1');
    expect(html).toContain('25.0%');
  });

  test('shows the head of any other table', async () => {
    const rows = Array.from({ length: 40 }, (_, index) => ({
      id: `r${index}`,
      word: `w${index}`,
      n: index / 3,
    }));
    const { html } = await make({ words: step('filter', { rows: tableInput(rows) }) }, { rows: 7 });
    expect(html).toContain('The first 7 of 40 rows.');
    expect(html).toContain('w6');
    expect(html).not.toContain('w7');
    expect(html).toContain('<td class="number" data-value="0.3333333333333333">0.333</td>');
  });

  test('shows a whole evaluation by class', async () => {
    const rows = Array.from({ length: 77 }, (_, index) => ({
      id: `c${index}`,
      class: `c${index}`,
      f1: index / 77,
    }));
    const { html } = await make({
      scores: step(
        'evaluate',
        { rows: tableInput(rows), contingency: tableInput([{ id: '1', pairs: 1 }]) },
        { f1: 0.5 },
      ),
    });
    expect(html).toContain('c76');
    expect(html).toContain('<th scope="col"><button type="button" dir="auto">class</button></th>');
  });

  test('calls clusters by their names in other tables', async () => {
    const { html } = await make({
      topics: clustering(rowsOf(4, 2)),
      names: names(['Cards', 'Fees'].map((name, cluster) => ({ id: name, cluster, name, size: 2 }))),
      scores: step('evaluate', { rows: tableInput([{ id: 'a', class: 'a', best_cluster: 1 }]) }),
    });
    expect(html).toContain('By class');
    expect(html).toContain('<td><div class="clamp" dir="auto">Fees</div></td>');
  });

  test('several clusterings each get their own names, by their sizes', async () => {
    const { html } = await make({
      few: clustering(rowsOf(12, 2)),
      many: clustering(rowsOf(12, 3)),
      many_names: names(['A', 'B', 'C'].map((name, cluster) => ({ id: name, cluster, name, size: 4 }))),
      few_names: names(['D', 'E'].map((name, cluster) => ({ id: name, cluster, name, size: 6 }))),
    });
    expect(html).toContain('Clusters of few');
    expect(pointsOf(html).clusters.map(([, name]) => name)).toEqual(['D', 'E']);
    expect(html).toContain('Clusters of many');
  });
});

describe('what is not there', () => {
  test('no inputs', async () => {
    expect((await make({})).html).toContain('The report was given nothing to show');
  });

  test('no rows', async () => {
    const { html } = await make({
      topics: step('cluster', { rows: { ...tableInput([]), fields: ['id', 'cluster'] } }),
      words: step('filter', { rows: tableInput([]) }),
    });
    expect(html).toContain('0 texts in 0 clusters');
    expect(html).toContain('the table has no rows');
    expect(html).toContain('This table has no rows.');
  });

  test('one cluster, one row, one dimension', async () => {
    const one = await make({ topics: clustering(rowsOf(9, 1)) });
    expect(one.html).toContain('9 texts in 1 cluster<');
    const row = await make({ topics: clustering(rowsOf(1, 1)) });
    expect(row.html).toContain('1 text in 1 cluster<');
    expect(row.html).toContain('There is no map');
    expect((await make({ topics: clustering(rowsOf(9, 2), 1) })).metrics['points']).toBe(0);
  });

  test('no vectors, or vectors of other rows', async () => {
    const rows = rowsOf(8, 2);
    const other = matrixInput(
      { data: new Float32Array(16), rows: 8, columns: 2 },
      rows.map(({ id }) => `x${id}`),
    );
    const { html } = await make({ topics: step('cluster', { rows: tableInput(rows), vectors: other }) });
    expect(html).toContain('There is no map: the step gives no vectors for these rows.');
    expect(html).toContain('Sizes');
  });

  test('names without the rows', async () => {
    const { html } = await make({
      names: names([{ id: '0', cluster: 0, name: 'Cards', keywords: ['card'], size: 3 }]),
    });
    expect(html).toContain('3 texts in 1 cluster');
    expect(html).toContain('Cards');
  });

  test('texts under another name, or none', async () => {
    const rows = rowsOf(6, 2).map(({ text, ...row }) => ({ ...row, question: text! }));
    expect(pointsOf((await make({ topics: clustering(rows) })).html).map!.t[0]).toBe('question number 0');
    const bare = rowsOf(6, 2).map(({ id, cluster }) => ({ id, cluster: cluster! }));
    expect(pointsOf((await make({ topics: clustering(bare) })).html).map!.t[0]).toBe('row-0');
  });
});

describe('hostile data', () => {
  const attacks = [
    '<script>alert(1)</script><img src=x onerror=alert(2)>',
    `[click](javascript:alert(3)) & < > " '`,
    '</script><script>alert(4)</script>',
    '<!--<script>',
    ']]></style><svg onload=alert(5)>',
    `{{#each secrets}}{{this}}{{/each}} $\{process.env.HOME}`,
    places.provenance,
    '\u202eevil\u2066\u0000\u001b[31m\u2028',
    '__proto__',
  ];

  test('stays text in every place', async () => {
    const rows = attacks.map((text, index) => ({
      id: text,
      text,
      label: text,
      cluster: index % 2,
      [text]: text,
    }));
    const { html } = await make(
      {
        [attacks[0]!]: clustering(rows),
        names: names(
          [0, 1].map((cluster) => ({
            id: `${cluster}`,
            cluster,
            name: attacks[2]!,
            keywords: attacks,
            examples: attacks,
            size: 5,
          })),
        ),
        scores: {
          ...step('evaluate', { rows: tableInput(rows.map(({ cluster: _, ...row }) => row)) }),
          step: attacks[4]!,
          metrics: { [attacks[2]!]: attacks[0]! },
        },
      },
      { title: attacks[2]!, label: 'label', examples: 20 },
    );
    const elements = html.match(/<\/?[a-zA-Z][a-zA-Z0-9]*/g)!;
    expect(elements.filter((tag) => tag === '<script')).toHaveLength(2); // the data and the page's own
    expect(elements.filter((tag) => tag === '</script')).toHaveLength(2);
    expect(elements.filter((tag) => tag === '<img')).toHaveLength(0);
    expect(elements.filter((tag) => tag === '</style')).toHaveLength(1);
    expect(html).not.toMatch(/<[^>]* on[a-z]+=/);
    expect(html.split(places.provenance)).toHaveLength(2);
    expect(html).not.toContain('\u0000');
    expect(pointsOf(html).map!.t).toContain(attacks[0]);
  });
});

describe('size', () => {
  test('a big table is sampled by id, and the page says so', async () => {
    const rows = rowsOf(3000, 5);
    const { html, metrics } = await make({ topics: clustering(rows) }, { max_points: 400 });
    expect(metrics['points']).toBe(400);
    expect(html).toContain('A sample of 400 of 3,000 texts');
    const chosen = new Set(pointsOf(html).map!.t);
    const shuffled = await make({ topics: clustering(rows.toReversed()) }, { max_points: 400 });
    expect(new Set(pointsOf(shuffled.html).map!.t)).toEqual(chosen);
    // A row more or less changes a row of the sample or two.
    const grown = await make(
      { topics: clustering([...rows, ...rowsOf(3001, 5).slice(3000)]) },
      { max_points: 400 },
    );
    expect(pointsOf(grown.html).map!.t.filter((text) => chosen.has(text)).length).toBeGreaterThanOrEqual(399);
  });

  test('sample keeps the order of the rows', () => {
    expect(sample([5, 1, 4, 2, 3], 3)).toEqual([1, 3, 4]);
    expect(sample([5, 1], 3)).toEqual([0, 1]);
  });

  test('20,000 long texts make a page of 2 MB at most', async () => {
    const rows = rowsOf(20_000, 80).map((row) => ({
      ...row,
      text: `${row['text']} ${'long words '.repeat(40)}`,
    }));
    const { metrics } = await make({ topics: clustering(rows, 3) });
    expect(metrics['bytes']).toBeLessThan(2_000_000);
    expect(metrics['points']).toBe(20_000);
  });

  test('texts are cut alike, and only when they must be', () => {
    expect(fitTexts(['a b c', 'd'], 100)).toEqual(['a b c', 'd']);
    expect(fitTexts(Array(10).fill('x'.repeat(200)), 1000)[0]).toHaveLength(90);
  });
});

test('draws the shares of clusters over time by their names, those with a trend or a burst first', async () => {
  const slices = ['2026-01', '2026-02'].flatMap((slice, at) =>
    [0, 1, 2].map((cluster) => ({
      id: `${cluster}@${slice}`,
      cluster,
      slice,
      rows: 3 - cluster,
      of: 6,
      share: cluster === 2 && at === 0 ? null : (3 - cluster) / 6,
      burst: cluster === 1 && at === 1,
      keywords: ['<word>'],
    })),
  );
  const directions = [0, 1, 2].map((cluster) => ({
    id: String(cluster),
    cluster,
    direction: cluster === 2 ? 'falling' : 'steady',
    slope: -0.0123,
  }));
  const { html, metrics } = await make({
    topics: clustering(rowsOf(30, 3)),
    names: names([
      { id: '0', cluster: 0, name: 'Cards', size: 10 },
      { id: '1', cluster: 1, name: 'Fees', size: 10 },
      { id: '2', cluster: 2, name: 'Rates', size: 10 },
    ]),
    over_time: step('trends', { rows: tableInput(directions), slices: tableInput(slices) }),
  });
  expect(metrics['clusters']).toBe(3);
  const section = html.slice(html.indexOf('Over time'));
  expect(section).toContain('Shares from 2026-01 to 2026-02, 2 slices.');
  const order = ['Fees', 'Rates', 'Cards'].map((name) => section.indexOf(`<tr><td dir="auto">${name}`));
  expect(order.every((place) => place > 0)).toBe(true);
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(section).toContain('↘ falling, −1.2 points a slice');
  expect(section).toContain('steady · burst 2026-02<');
  expect(section.match(/class="burst"><title>2026-02, 33.3%, 2 rows: &lt;word&gt;/g)).toHaveLength(1);
  expect(section.match(/<rect/g)).toHaveLength(5);
  const series = {
    cluster: 4,
    name: 'Cards',
    rows: 1,
    direction: 'steady' as const,
    slope: 0,
    points: [true, true, false, true].map((burst) => ({ share: 0.1, rows: 1, burst, keywords: [] })),
  };
  const drawn = timelineSection({ name: 'Topics', slices: ['a', 'b', 'c', 'd'], series: [series], of: 1 }, 0);
  expect(String(drawn)).toContain('steady · burst a to b · burst d<');
});
