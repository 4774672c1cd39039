import type { Row } from '../../engine/artefacts.ts';
import type { Json } from '../../engine/json.ts';
import type { Random } from '../../engine/step.ts';

/** What made-up values are of; a list means one of its values. */
export const mockKinds = ['text', 'integer', 'number', 'boolean', 'timestamp'] as const;
export type MockField = (typeof mockKinds)[number] | readonly Json[];

export interface Mock {
  rows: number;
  fields: { readonly [name: string]: MockField };
}

const words =
  'account answer balance bank call card change charge check close code credit customer day exchange fee help limit lost money month number open order pay payment phone please rate receive refund send top transfer wait week wrong'.split(
    ' ',
  );

/**
 * Made-up rows in the place of data that is not there: ids `mock-1`, …, and `mock: true`, by which they can be told
 * wherever they get to. The same seed gives the same rows, and fewer rows the first of them.
 */
export function* mockRows({ rows, fields }: Mock, random: (...names: string[]) => Random): Generator<Row> {
  const streams = Object.entries(fields).map(([name, kind]) => ({
    name,
    kind,
    random: random('mock', name),
  }));
  for (let number = 1; number <= rows; number++) {
    const row: Row = { id: `mock-${number}`, mock: true };
    for (const field of streams) row[field.name] = madeUp(field.kind, field.random);
    yield row;
  }
}

function madeUp(kind: MockField, random: Random): Json {
  if (typeof kind !== 'string') return kind[random.int(kind.length)] ?? null;
  switch (kind) {
    case 'text': {
      const text = Array.from({ length: 4 + random.int(9) }, () => words[random.int(words.length)]).join(' ');
      return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
    }
    case 'integer':
      return random.int(1000);
    case 'number':
      return Math.round(random.next() * 1000) / 1000;
    case 'boolean':
      return random.next() < 0.5;
    case 'timestamp':
      // Seconds of 2024, so that rows do not depend on today.
      return new Date(Date.UTC(2024, 0, 1) + random.int(366 * 86_400) * 1000).toISOString();
  }
}
