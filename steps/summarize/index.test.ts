import { describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import type { JsonObject } from '../../engine/json.ts';
import { runStep } from '../../test/run-step.ts';
import summarize from './index.ts';

const topics = [
  [
    'What is the exchange rate today?',
    'How are exchange rates set?',
    'Is your exchange rate good?',
    'Why did the exchange rate change?',
    'Can I see exchange rates in the app?',
  ],
  [
    'My card has not arrived',
    "Why hasn't my new card arrived yet?",
    'When will my card arrive?',
    'The card did not arrive',
    'I am waiting for my card to arrive',
  ],
  [
    'I need to top up my account',
    'How do I top up?',
    'Topping up fails',
    'Can I top-up by ATM?',
    'What ATM takes a top up?',
  ],
];
const rows: Row[] = topics.flatMap((texts, cluster) =>
  texts.map((text, index) => ({ id: `${cluster}-${index}`, text, cluster, rank: texts.length - index })),
);

describe('summarize keywords', () => {
  it('names clusters by terms that people would use, with the texts nearest the centre', async () => {
    const { tables, metrics, warnings } = await runStep(summarize, {
      with: { examples: 2 },
      inputs: { rows },
    });
    expect(warnings).toEqual([]);
    expect(metrics).toMatchObject({ clusters: 3, rows: 15, unclustered: 0, topic_diversity: 1 });
    const names = tables['rows']!;
    expect(names.map((row) => row['name'])).toEqual(['Exchange rate', 'Card not arrived', 'ATM top up']);
    expect(names[0]).toMatchObject({
      id: '0',
      cluster: 0,
      size: 5,
      share: 0.333333,
      examples: ['Can I see exchange rates in the app?', 'Why did the exchange rate change?'],
      example_ids: ['0-4', '0-3'],
    });
    expect(names[0]!['keywords']).not.toContain('exchange');
  });

  it('weighs words more that are looked for, and spreads keywords over texts', async () => {
    const keywords = async (options: JsonObject) => {
      const { tables } = await runStep(summarize, { with: { max_ngram: 1, ...options }, inputs: { rows } });
      return tables['rows']!.map((row) => row['keywords'] as string[]);
    };
    const plain = await keywords({});
    expect(plain[2]!.indexOf('ATM')).toBeGreaterThan(0);
    expect((await keywords({ seed_words: ['ATMs'], seed_multiplier: 9 }))[2]![0]).toBe('ATM');
    // Texts with the heaviest word have the second heaviest as well.
    const spread = await keywords({ keywords: 2, diversity: 0.9 });
    expect(spread[1]).not.toEqual(plain[1]!.slice(0, 2));
    expect(spread[1]![0]).toBe(plain[1]![0]);
  });

  it('finds the keywords of topics coherent, those of rows thrown together not', async () => {
    const npmi = async (given: Row[]) => {
      const { metrics, tables } = await runStep(summarize, {
        with: { max_ngram: 1 },
        inputs: { rows: given },
      });
      const each = tables['rows']!.map((row) => Number(row['coherence']));
      expect(metrics['npmi']).toBeCloseTo(each.reduce((sum, value) => sum + value, 0) / each.length, 5);
      return Number(metrics['npmi']);
    };
    const mixed = rows.map((row, at) => ({ ...row, cluster: at % 3 }));
    expect(await npmi(rows)).toBeGreaterThan((await npmi(mixed)) + 0.1);
  });

  it('gives different names to clusters of the same words', async () => {
    const same = [0, 1, 2].flatMap((cluster) =>
      ['lost card', 'lost card', cluster === 2 ? 'lost card abroad' : 'lost card'].map((text, index) => ({
        id: `${cluster}-${index}`,
        text,
        cluster,
      })),
    );
    const { tables } = await runStep(summarize, { inputs: { rows: same } });
    expect(tables['rows']!.map((row) => row['name'])).toEqual([
      'Lost card 0',
      'Lost card 1',
      'Lost card · abroad',
    ]);
  });

  it('takes other fields, leaves out rows without a cluster, and finds examples by vectors', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e'];
    const data = Float32Array.from([0, 5, 6, 7, 100]);
    const { tables, metrics } = await runStep(summarize, {
      with: { text: 'body', cluster: 'topic', examples: 1 },
      inputs: {
        rows: ids.map((id, index) => ({ id, body: `перевод денег ${id}${id}`, topic: index === 4 ? -1 : 7 })),
        vectors: { matrix: { data, rows: 5, columns: 1 }, ids },
      },
    });
    expect(metrics).toMatchObject({ clusters: 1, rows: 4, unclustered: 1 });
    // The mean of 0, 5, 6, 7 is 4.5.
    expect(tables['rows']).toMatchObject([
      { id: '7', cluster: 7, size: 4, name: expect.stringMatching(/^Перевод денег/), example_ids: ['b'] },
    ]);
  });

  it('names what has no words by its number, and an empty table not at all', async () => {
    const { tables, warnings } = await runStep(summarize, {
      inputs: {
        rows: [
          { id: 'a', text: '42 !', cluster: 3 },
          { id: 'b', text: '', cluster: 3 },
        ],
      },
    });
    expect(tables['rows']).toMatchObject([{ name: 'Cluster 3', keywords: [], examples: ['42 !'] }]);
    expect(warnings).toEqual(['1 of 2 rows have no text; they add nothing to a name']);
    expect((await runStep(summarize, { inputs: { rows: [] } })).tables['rows']).toEqual([]);
  });

  it('refuses a table without the fields, and clusters that are no numbers', async () => {
    await expect(runStep(summarize, { with: { text: 'txt' }, inputs: { rows } })).rejects.toMatchObject({
      code: 'missing-field',
    });
    await expect(
      runStep(summarize, { inputs: { rows: [{ id: 'a', text: 'x', cluster: 'one' }] } }),
    ).rejects.toMatchObject({ message: 'row a: cluster is "one", not a whole number' });
  });
});
