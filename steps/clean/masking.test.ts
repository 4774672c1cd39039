import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { WorkerPool } from '../../engine/execute/pool.ts';
import type { JsonObject } from '../../engine/json.ts';
import { compileSchema } from '../../engine/workflow/schema-check.ts';
import { runStep } from '../../test/run-step.ts';
import { temporaryFolder } from '../../test/temporary.ts';
import clean from './index.ts';
import { nameDetector, piiDetectors, piiTypes, replacePieces } from './pii.ts';

const pool = new WorkerPool({ threads: 1 });
afterAll(() => pool.close());
const run = (given: JsonObject, rows: Row[], more: { root?: string; map?: Row[] } = {}) =>
  runStep(clean, {
    pool,
    with: given,
    inputs: { rows, ...(more.map && { map: more.map }) },
    ...(more.root !== undefined && { root: more.root }),
  });

/** Pieces as people write them, in many forms and countries. Made up: numbers of ranges for examples, test cards, documentation addresses. */
const pieces: Record<string, string[]> = {
  phone: [
    '+1 212 555 0147',
    '+1-212-555-0147',
    '(212) 555-0147',
    '212-555-0147',
    '212.555.0147',
    '1-800-555-0199',
    '(555) 010-2030 ext. 12',
    '+44 20 7946 0958',
    '020 7946 0958',
    '+44 (0)20 7946 0958',
    '07700 900123',
    '+49 30 901820',
    '030 901820',
    '0151 23456789',
    '+33 1 42 68 53 00',
    '01 42 68 53 00',
    '+7 (495) 123-45-67',
    '8 495 123-45-67',
    '8-916-123-45-67',
    '89161234567',
    '+34 912 345 678',
    '+81 3-1234-5678',
    '+86 10 8888 8888',
    '+91 98765 43210',
    '+380 44 123 45 67',
    '+55 11 91234-5678',
    '+972 3-123-4567',
  ],
  email: [
    'anna@example.com',
    'first.last+tag@mail.example.co.uk',
    "o'neil@example.ie",
    'почта@пример.рф',
    'USER%x@EXAMPLE.COM',
    'info@xn--e1afmkfd.xn--p1ai',
    'ann-marie@ex-ample.museum',
    'anna(at)example.com',
    'anna [at] example [dot] com',
    'anna (at) mail.example(dot)co.uk',
  ],
  card: [
    '4111 1111 1111 1111',
    '4111111111111111',
    '5500-0000-0000-0004',
    '378282246310005',
    '3782 822463 10005',
    '6011 1111 1111 1117',
    '30569309025904',
    '2221 0000 0000 0009',
    '4222222222222',
  ],
  ip: [
    '192.168.0.1',
    '8.8.8.8',
    '2001:db8::1',
    'fe80::1ff:fe23:4567:890a',
    '2001:0db8:85a3:0000:0000:8a2e:0370:7334',
    '::ffff:192.0.2.128',
  ],
  key: [
    `sk-${'a1B2'.repeat(8)}`,
    `sk-ant-api03-${'xY9-'.repeat(10)}z`,
    'AKIAIOSFODNN7EXAMPLE',
    `ghp_${'a1B2'.repeat(9)}`,
    `glpat-${'a1B2'.repeat(5)}`,
    `hf_${'aB'.repeat(17)}`,
  ],
  name: ['Anna Schmidt', 'Анна Петрова', 'José García', 'IVANOV', 'Li Wei', 'Mary-Jane Watson'],
};
const names = [
  'Anna',
  'Schmidt',
  'Анна',
  'Петрова',
  'José',
  'García',
  'Ivanov',
  'Li Wei',
  'Mary-Jane',
  'Watson',
];
const sentences = [
  'call %, please',
  'мой контакт — %, спасибо',
  '(%)',
  '"%"',
  '%',
  'Bitte an % schreiben.',
  '联系 % 谢谢',
];

describe('a fixture of personal data', () => {
  const detector = nameDetector(names)!;
  const among = [...piiDetectors(piiTypes), detector];

  it.each(Object.entries(pieces))('%s: 95 of 100 are found, whole and as what they are', (type, list) => {
    let found = 0;
    const missed: string[] = [];
    for (const piece of list)
      for (const sentence of sentences) {
        const seen: string[] = [];
        const left = replacePieces(
          sentence.replace('%', () => piece),
          among,
          (kind, match) => {
            seen.push(`${kind} ${match}`);
            return '';
          },
        );
        if (seen.includes(`${type} ${piece}`) && left === sentence.replace('%', '')) found++;
        else missed.push(`${sentence.replace('%', () => piece)}: ${seen.join(', ')}`);
      }
    expect(missed.slice(0, 5).join('\n')).toBe('');
    expect(found / (list.length * sentences.length)).toBeGreaterThanOrEqual(0.95);
  });

  it.each([
    'on 01.02.2026 at 10:20',
    'ISBN 978-3-16-148410-0',
    'order 20261121 of 1000 pieces, 007 and 00 11',
    'Annabel and Lisa went home',
    'at (at) at',
    'We met Bob (at) noon. Dinner. Later',
    'Tom (at) 5.30 or 6.15',
    'in 0.25 of 1,000 cases: 12 34 56',
  ])('finds nothing in: %s', (text) => {
    expect(replacePieces(text, among, (type, match) => `[${type} ${match}]`)).toBe(text);
  });
});

it('takes no words of the next sentence for an address', () => {
  const left = replacePieces('joe (at) example.com. Please call', piiDetectors(['email']), () => '<email>');
  expect(left).toBe('<email>. Please call');
});

describe('clean: names and tokens', () => {
  it('says which file of names is not there', async () => {
    await expect(run({ mask: ['name'], names: 'none.txt' }, [{ id: 'a', text: '' }])).rejects.toMatchObject({
      code: 'no-file',
      message: 'there is no file none.txt',
      hint: 'It should hold a name on each line.',
    });
  });

  it('masks the names of a file', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'names.txt'), `${names.join('\r\n')}\n\n`);
    const rows = [{ id: 'a', text: 'Dear Anna Schmidt, Li Wei and Annabel,' }];
    const { tables, metrics } = await run({ mask: ['name'], names: 'names.txt' }, rows, { root: folder });
    expect(tables['rows']![0]!['text']).toBe('Dear <name>, <name> and Annabel,');
    expect(metrics).toMatchObject({ masked: 2, masked_name: 2 });
    expect(tables['map']).toEqual([]);
    writeFileSync(join(folder, 'none.txt'), '\n');
    await expect(run({ mask: ['name'], names: 'none.txt' }, rows, { root: folder })).rejects.toMatchObject({
      code: 'no-names',
    });
  });

  it('keeps a map apart by which all is put back', async () => {
    const all = Object.values(pieces)
      .flat()
      .filter((piece) => !pieces['name']!.includes(piece));
    const rows = sentences.flatMap((sentence, at) =>
      all.map((piece, place) => ({
        id: `${at}-${place}`,
        text: sentence.replace('%', () => `${piece} and ${piece}`),
      })),
    );
    const masked = await run({ mask: [...piiTypes], keep_map: true }, rows);
    const map = masked.tables['map']!;
    expect(new Set(map.map((row) => row['token'])).size).toBe(map.length);
    expect(map.reduce((sum, row) => sum + Number(row['occurrences']), 0)).toBe(masked.metrics['masked']);
    for (const row of masked.tables['rows']!)
      for (const { value } of map as unknown as { value: string }[]) expect(row['text']).not.toContain(value);
    const restored = await run({}, masked.tables['rows']!, { map });
    expect(restored.tables['rows']).toEqual(rows);
    expect(restored.metrics['restored']).toBe(rows.length);
  });

  it('warns of texts that look like tokens, and of maps that are none', async () => {
    const rows = [{ id: 'a', text: 'see <email_1> or a@example.com' }];
    const { warnings, tables } = await run({ mask: ['email'], keep_map: true }, rows);
    expect(warnings[0]).toContain('1 texts already hold what looks like a token');
    expect(tables['rows']![0]!['text']).toBe('see <email_1> or <email_1>');
    await expect(run({}, rows, { map: [{ id: 'x' }] })).rejects.toMatchObject({ code: 'bad-map' });
    expect((await run({}, rows, { map: [] })).tables['rows']).toEqual(rows);
  });

  it('refuses parameters that do not go together', () => {
    const check = (given: JsonObject) => clean.check!(compileSchema(clean.parameters).parse(given)).length;
    expect(check({ mask: ['name'] })).toBe(1);
    expect(check({ names: 'names.txt' })).toBe(1);
    expect(check({ keep_map: true, mask_with: '***' })).toBe(1);
    expect(check({ mask: ['email'], mask_with: '***' })).toBe(0);
  });
});

describe('clean: what language models wrote', () => {
  it('leaves the answer, or sets the row aside with the reason', async () => {
    const texts: unknown[] = [
      '<think>so</think>Yes.',
      '<think>never ends',
      'As it is.',
      '<|im_start|>user\nhello',
      '<think>only</think>',
      'bro\ufffdken',
      '<tool_call>{"a": 1}</tool_call>Done.',
      [
        { role: 'user', content: '<think>of you?' },
        { role: 'assistant', content: '<thinking>hm</thinking>Fine.' },
      ],
      [{ role: 'root', content: 'x' }],
      [{ from: 'gpt', value: '<think>a</think>b' }],
      [],
      ['text'],
      null,
    ];
    const { tables, metrics } = await run(
      { generations: true },
      texts.map((text, at) => ({ id: `r${at}`, text }) as Row),
    );
    expect(tables['rejected']!.map((row) => [row.id, row['reason']])).toEqual([
      ['r1', 'unfinished'],
      ['r3', 'foreign-turn'],
      ['r4', 'empty'],
      ['r5', 'broken-characters'],
      ['r8', 'bad-role'],
      ['r10', 'no-messages'],
      ['r11', 'bad-message'],
    ]);
    expect(tables['rows']!.map((row) => row['text'])).toEqual([
      'Yes.',
      'As it is.',
      'Done.',
      [
        { role: 'user', content: '<think>of you?' },
        { role: 'assistant', content: 'Fine.' },
      ],
      [{ from: 'gpt', value: 'b' }],
      null,
    ]);
    expect(metrics).toMatchObject({ changed: 4, rejected: 7 });
  });
});
