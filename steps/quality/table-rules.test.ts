import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { WorkerPool } from '../../engine/execute/pool.ts';
import type { JsonObject } from '../../engine/json.ts';
import { openLanguageIdentifier } from '../../models/language-identifier.ts';
import { uniform } from '../../numerics/random.ts';
import { runStep } from '../../test/run-step.ts';
import { temporaryFolder } from '../../test/temporary.ts';
import quality from './index.ts';

const pool = new WorkerPool({ threads: 1 });
afterAll(() => pool.close());

const rowsOf = (texts: unknown[]): Row[] => texts.map((text, index) => ({ id: `r${index}`, text }) as Row);
const run = (given: JsonObject, texts: unknown[], root?: string) =>
  runStep(quality, {
    pool,
    with: given,
    inputs: { rows: rowsOf(texts) },
    ...(root !== undefined && { root }),
  });
const ids = (table: Row[] | undefined) => table?.map((row) => row.id);
const reasonsOf = (table: Row[] | undefined) => table?.map((row) => [row.id, row['reasons']]);
const queries = readFileSync(
  join(import.meta.dirname, '../../use-cases/support-topics/data/queries.jsonl'),
  'utf8',
)
  .split('\n')
  .filter(Boolean)
  .slice(0, 200)
  .map((line) => (JSON.parse(line) as { text: string }).text);
const next = uniform(11);
const random = (length: number, letters = 'abcdefghijklmnopqrstuvwxyz    ') =>
  Array.from({ length }, () => letters[Math.floor(next() * letters.length)]).join('');

describe('language', () => {
  const sentences = JSON.parse(
    gunzipSync(readFileSync(join(import.meta.dirname, 'fixtures/udhr-sentences.json.gz'))).toString(),
  ) as Record<string, string[]>;

  it('is told of 97 in 100 sentences of 20 languages, by the thresholds that quality has', () => {
    const identify = openLanguageIdentifier({ minConfidence: 0.65, minLetters: 3 });
    const right = Object.entries(sentences).flatMap(([language, texts]) =>
      texts.map((text) => identify(text).language === language),
    );
    expect(Object.values(sentences).map((texts) => texts.length)).toEqual(new Array(20).fill(50));
    expect(Object.values(sentences).every((texts) => texts.every((text) => text.length >= 40))).toBe(true);
    expect(right.filter(Boolean).length / right.length).toBeGreaterThanOrEqual(0.97);
  });

  it('is und for short strings', async () => {
    const { tables } = await run({ language: {} }, ['ok', '', 'hm', '42', '!?', 'да', 'ja']);
    expect(tables['rows']!.map((row) => row['language'])).toEqual(new Array(7).fill('und'));
  });
});

describe('length in tokens', () => {
  it('counts as the encoding does', async () => {
    const { tables } = await run({ length: { min_tokens: 2, max_tokens: 6 } }, [
      'tiktoken',
      'tiktoken is great!',
      'one two three four five six seven',
      '',
    ]);
    expect(ids(tables['rows'])).toEqual(['r0', 'r1']);
    expect(reasonsOf(tables['rejected'])).toEqual([
      ['r2', ['too_many_tokens']],
      ['r3', ['too_few_tokens']],
    ]);
  });
});

describe('profanity', () => {
  it('finds whole words, whatever their case, of lists and files', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'words.txt'), 'Frobnicate\r\n\nvery bad (thing)\n');
    const texts = [
      'What a load of BULLSHIT, really',
      'Scunthorpe and the assessment of a classic',
      'please frobnicate this',
      'frobnicated is another word',
      'a very  bad (thing)',
      'это пиздец какой-то',
      'ребёнок застраховал художника, хуже не будет; употребляй себе мандарины на небе',
      '',
    ];
    const found = await run({ profanity: { words: 'words.txt' } }, texts, folder);
    expect(ids(found.tables['rejected'])).toEqual(['r0', 'r2', 'r4', 'r5']);
    expect(found.tables['reasons']).toMatchObject([{ reason: 'profanity', rows: 4, alone: 4 }]);
    await expect(run({ profanity: { words: 'gone.txt' } }, texts, folder)).rejects.toMatchObject({
      code: 'no-file',
      message: 'there is no file gone.txt',
    });
    const none = await run({ profanity: { languages: [] } }, texts);
    expect(none.tables['rejected']).toEqual([]);
    const allowed = await run({ profanity: { languages: ['en'], allow: ['bullshit'] } }, texts);
    expect(allowed.tables['rejected']).toEqual([]);
    const few = await run({ profanity: { languages: ['en'], max: 1 } }, [
      texts[0],
      `${texts[0]} ${texts[0]}`,
    ]);
    expect(ids(few.tables['rejected'])).toEqual(['r1']);
  });
});

describe('boilerplate', () => {
  it('finds lines that many rows have, and lines about cookies and copyright', async () => {
    const pages = Array.from(
      { length: 12 },
      (_, at) => `Home | Products | About us | Page ${at}\nArticle ${at}: ${queries[at]} ${queries[at + 1]}`,
    );
    const texts = [
      ...pages,
      'Home | Products | About us | Page 99\nShort.',
      'We use cookies to improve this site.\nAccept all cookies\nAll rights reserved.',
      'The privacy policy of our bank was changed in May, and many customers asked in the branches what it meant for them; '.repeat(
        3,
      ),
      'Home | Products | About us | Page 7',
    ];
    const { tables } = await run({ boilerplate: {} }, texts);
    expect(reasonsOf(tables['rejected'])).toEqual([
      ['r12', ['boilerplate_lines']],
      ['r13', ['boilerplate_phrases']],
    ]);
    const without = await run({ boilerplate: { phrases: false, min_rows: 50 } }, texts);
    expect(without.tables['rejected']).toEqual([]);
  });
});

describe('coherence', () => {
  it('finds random letters, broken encodings and other languages among questions', async () => {
    const odd = [
      random(60),
      'asdf jkl; qwer uiop zxcv bnm, asdf',
      'РџСЂРёРІРµС‚ РјРёСЂ РєР°Рє РґРµР»Р°',
      '%$#@! 8834 ^&*() 1209 ~~',
    ];
    const { tables } = await run({ coherence: {} }, [...queries, ...odd]);
    const rejected = ids(tables['rejected'])!;
    expect(rejected.slice(-odd.length)).toEqual(odd.map((_, at) => `r${queries.length + at}`));
    expect(rejected.length - odd.length).toBeLessThanOrEqual(queries.length / 100);
    expect(tables['rows']![0]!['coherence']).toBeGreaterThan(0.9);
  });
});

describe('score', () => {
  const garbage: Record<string, (at: number) => unknown> = {
    empty: () => '',
    'no text': () => null,
    'a repeat': (at) => queries[at % queries.length],
    'random letters': () => random(50),
    'random characters': () => random(50, 'aB3$%&xQ7#@!~^*()_+9'),
    'one word again and again': () => 'buy now '.repeat(20),
    'digits and marks': (at) => `${at * 7919} -- ${at * 104_729} // ${at} ::`,
  };

  it.each(Object.keys(garbage))('of the table falls as garbage is added: %s', async (kind) => {
    const scores: number[] = [];
    for (const share of [0, 0.05, 0.3, 1]) {
      const added = Array.from({ length: Math.round(share * queries.length) }, (_, at) => garbage[kind]!(at));
      const { metrics } = await run({ score: {} }, [...queries, ...added]);
      scores.push(Number(metrics['dataset_score']));
    }
    expect(scores[0]).toBeGreaterThan(85);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(new Set(scores).size).toBe(scores.length);
  });

  it('knows a text again, and lines, that other threads have read', async () => {
    const menu = 'Home | Products | About us | Contact';
    const far = Array.from({ length: 2100 }, (_, at) => `number ${at}`);
    const texts = ['Where is my card?', `${menu}\nup`, ...far, 'Where  is my CARD?', `${menu}\ndown`];
    const rules = { score: {}, boilerplate: { min_rows: 2 } };
    const { tables } = await run({ ...rules, on_fail: 'mark' }, texts);
    const scores = tables['rows']!.map((row) => Number(row['quality_score']));
    expect(scores[0]).toBeGreaterThan(0);
    expect(scores.at(-2)).toBe(0);
    expect(
      tables['rows']!.filter((row) => String(row['reasons']).includes('boilerplate_lines')),
    ).toHaveLength(2);
  });

  it('of rows sets the worst aside, and is told by its components', async () => {
    const { tables, metrics } = await run({ score: { min: 0.3 }, length: { min_words: 2 } }, [
      ...queries,
      '',
      random(60),
      queries[0],
      'word',
    ]);
    expect(ids(tables['rejected'])!.slice(-4)).toEqual(['r200', 'r201', 'r202', 'r203']);
    expect(tables['rejected']!.at(-1)!['reasons']).toEqual(['too_few_words', 'low_score']);
    expect(tables['score']!.map((row) => row['component'])).toEqual([
      'complete',
      'unique',
      'letters',
      'varied',
      'coherent',
      'rules',
    ]);
    expect(tables['score']![0]!['score']).toBeCloseTo((100 * 203) / 204, 2);
    expect(Number(metrics['rejected']) + Number(metrics['kept'])).toBe(204);
  });
});

it.each([
  ['no rows', []],
  ['one row', ['a']],
  ['equal rows', new Array(50).fill('the same')],
  ['empty texts', ['', ' ', null]],
  ['long texts', ['x'.repeat(100_000), 'word '.repeat(20_000), '\n'.repeat(100_000)]],
  ['broken characters', ['\ud800', 'a\u0000b', '\ufffe']],
  [
    'naughty strings',
    JSON.parse(
      readFileSync(join(import.meta.dirname, '../../test/hostile/naughty-strings/blns.json'), 'utf8'),
    ) as string[],
  ],
])('every rule that knows the table takes %s', async (_, texts) => {
  const every = {
    profanity: {},
    boilerplate: { min_rows: 2 },
    coherence: {},
    score: {},
    length: { max_tokens: 1000 },
  };
  const { tables, metrics } = await run(every, texts);
  expect(tables['rows']!.length + tables['rejected']!.length).toBe(texts.length);
  expect(Number(metrics['dataset_score'])).toBeGreaterThanOrEqual(0);
});
