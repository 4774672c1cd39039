import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { runStep } from '../../test/run-step.ts';
import { repairEncoding } from './encoding.ts';
import clean from './index.ts';
import { type PiiType, piiTypes, replacePii } from './pii.ts';

const rows = (...texts: unknown[]): Row[] => texts.map((text, index) => ({ id: `r${index}`, text }) as Row);

/** A text's UTF-8 read as another encoding. */
const broken = (text: string, encoding: string) =>
  new TextDecoder(encoding).decode(new TextEncoder().encode(text));

describe('repairEncoding', () => {
  const texts = [
    'café',
    'Привет, мир!',
    'naïve “quotes” – and dashes… it’s',
    'Ünïcödé straße',
    '今天天气很好',
    'emoji 👍 and flags 🇫🇷',
    'żółć ąę',
    'Ελληνικά',
    '5 °C, £10, €20',
  ];

  it.each(texts)('brings back %s', (text) => {
    expect(repairEncoding(broken(text, 'windows-1252'))).toBe(text);
    expect(repairEncoding(broken(broken(text, 'windows-1252'), 'windows-1252'))).toBe(text);
    expect(repairEncoding(text)).toBe(text);
  });

  it.each(['Привет, мир!', 'её слова — «да»', 'Съешь ещё этих мягких булок'])(
    'brings back %s from windows-1251',
    (text) => {
      expect(repairEncoding(broken(text, 'windows-1251'))).toBe(text);
    },
  );

  it('leaves words alone that look like it', () => {
    for (const text of [
      'CITÉ»',
      '«CITÉ»',
      'Он любил её»',
      'Её дом',
      'Рі',
      'Ёё №5',
      'São João à noite',
      'Pietä“',
      'Ã',
      'smörgåsbord',
      'Việt Nam được',
      'Ça va là-bas où',
      'Україна їжак ґанок',
    ])
      expect(repairEncoding(text)).toBe(text);
  });

  it('changes no text of the data sets that is whole', () => {
    const file = join(import.meta.dirname, '../../use-cases/support-topics/data/queries.jsonl');
    for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
      const { text } = JSON.parse(line) as { text: string };
      expect(repairEncoding(text)).toBe(text);
    }
  });
});

describe('replacePii', () => {
  const found = (text: string, types: readonly PiiType[] = piiTypes) => {
    const list: [PiiType, string][] = [];
    replacePii(text, types, (type, match) => {
      list.push([type, match]);
      return '';
    });
    return list;
  };

  it.each<[PiiType, string]>([
    ['email', 'first.last+tag@mail.example.co.uk'],
    ['email', 'почта@пример.рф'],
    ['phone', '+1 (555) 010-2030'],
    ['phone', '+442079460958'],
    ['phone', '+7 916 123-45-67'],
    ['phone', '8 (916) 123-45-67'],
    ['phone', '(030) 1234 5678'],
    ['phone', '555-010-2030'],
    ['card', '4111 1111 1111 1111'],
    ['card', '5500-0000-0000-0004'],
    ['card', '378282246310005'],
    ['ip', '192.168.0.1'],
    ['ip', '2001:db8::ff00:42:8329'],
    ['ip', '2001:0db8:0000:0000:0000:ff00:0042:8329'],
    ['key', `sk-${'a1B2'.repeat(8)}`],
    ['key', `ghp_${'a1B2'.repeat(9)}`],
    ['key', 'AKIAIOSFODNN7EXAMPLE'],
    ['key', '-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----'],
    ['key', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N'],
  ])('finds an %s: %s', (type, text) => {
    expect(found(`call ${text}, please`)).toEqual([[type, text]]);
    expect(found(text)).toEqual([[type, text]]);
  });

  it.each([
    '4111 1111 1111 1112',
    '0000 0000 0000 0000',
    'it is 12:30:05 now',
    'version 1.2.3 of 2026-11-21',
    '256.1.1.1',
    '1.2.3.4.5',
    'a@b',
    'costs 1,000,000.00 or 12345678',
    'see sk-short and std::vector',
    'the years 1999 2000 2001 2002',
  ])('finds nothing in: %s', (text) => {
    expect(found(text)).toEqual([]);
  });

  it('needs no more time than the text is long', () => {
    for (const text of [
      'a@'.repeat(50_000),
      '1-'.repeat(50_000),
      '+1 '.repeat(30_000),
      ':'.repeat(100_000),
      'a.'.repeat(50_000),
    ])
      expect(found(text).length).toBeGreaterThanOrEqual(0);
  });

  it('changes nothing but what it finds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(replacePii(text, piiTypes, (_, match) => match)).toBe(text);
      }),
    );
  });
});

describe('clean', () => {
  it('repairs, masks and counts, in fields and inside of messages', async () => {
    const { tables, metrics } = await runStep(clean, {
      with: { mask: ['email', 'card'], fields: ['text', 'chat'] },
      inputs: {
        rows: [
          { id: 'a', text: 'cafÃ© of a@example.com', n: 1 },
          { id: 'b', text: 'as it is' },
          { id: 'c', chat: [{ role: 'user', content: 'my card is 4111 1111 1111 1111\u0000\r\n' }] },
          { id: 'd', text: null },
        ] as Row[],
      },
    });
    expect(tables['rows']).toEqual([
      { id: 'a', text: 'café of <email>', n: 1 },
      { id: 'b', text: 'as it is' },
      { id: 'c', chat: [{ role: 'user', content: 'my card is <card>\n' }] },
      { id: 'd', text: null },
    ]);
    expect(metrics).toMatchObject({ changed: 2, repaired: 1, masked: 2, masked_email: 1, masked_card: 1 });
  });

  it.each([
    ['no rows', []],
    ['empty texts', ['', ' ']],
    ['a long text', ['Ã©'.repeat(50_000), 'é'.repeat(100_000)]],
    ['broken characters', ['\ud800', '\ufeffa', '\u0000']],
  ])('takes %s', async (_, texts) => {
    const { tables } = await runStep(clean, {
      with: { mask: [...piiTypes], whitespace: true, unicode: 'NFKC' },
      inputs: { rows: rows(...texts) },
    });
    expect(tables['rows']!.length).toBe(texts.length);
  });

  it('takes every naughty string', async () => {
    const file = join(import.meta.dirname, '../../test/hostile/naughty-strings/blns.json');
    const input = rows(...(JSON.parse(readFileSync(file, 'utf8')) as string[]));
    const { tables } = await runStep(clean, { with: { mask: [...piiTypes] }, inputs: { rows: input } });
    expect(tables['rows']!.length).toBe(input.length);
  });
});
