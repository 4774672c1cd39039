import type { DuckDBType, DuckDBValue } from '@duckdb/node-api';
import type { Json, JsonObject } from '../../engine/json.ts';
import { exactNumber } from '../exact-number.ts';

type DuckDb = typeof import('@duckdb/node-api');

/** What could not be given as it is. */
export interface ValueNotes {
  /** Numbers that a double does not hold: kept as their digits in a text. */
  exactNumbers: number;
  /** NaN, infinities, and times that are infinite or some 270,000 years away: null. */
  nonFinite: number;
}

/** Warnings about what could not be given as it is. */
export function warningsOf({ exactNumbers, nonFinite }: ValueNotes): string[] {
  const warnings: string[] = [];
  if (exactNumbers > 0)
    warnings.push(
      `${exactNumbers.toLocaleString('en')} numbers that a double does not hold: kept as their digits in texts`,
    );
  if (nonFinite > 0)
    warnings.push(`${nonFinite.toLocaleString('en')} values NaN or infinite, or times out of range: null`);
  return warnings;
}

/**
 * The JSON value of a value of DuckDB. Integers and decimals that a double holds are numbers, others their digits in a
 * text; dates and times ISO 8601 (with `Z` where they have a time zone); bytes base64; JSON as what it says; a map with
 * texts as keys an object, any other a list of `{key, value}`.
 */
export function jsonOf(value: DuckDBValue, type: DuckDBType, duckdb: DuckDb, notes: ValueNotes): Json {
  if (value === null) return null;
  const inner = (member: DuckDBValue, its: DuckDBType) => jsonOf(member, its, duckdb, notes);
  const { DuckDBTypeId: Id } = duckdb;
  switch (type.typeId) {
    case Id.BOOLEAN:
      return value as boolean;
    case Id.TINYINT:
    case Id.SMALLINT:
    case Id.INTEGER:
    case Id.UTINYINT:
    case Id.USMALLINT:
    case Id.UINTEGER:
    case Id.FLOAT:
    case Id.DOUBLE:
      return finite(value as number, notes);
    case Id.BIGINT:
    case Id.UBIGINT:
    case Id.HUGEINT:
    case Id.UHUGEINT:
    case Id.BIGNUM:
    case Id.DECIMAL:
      return exact(String(value), notes);
    case Id.VARCHAR:
      return type.alias === 'JSON' ? (JSON.parse(value as string) as Json) : String(value);
    case Id.DATE: {
      const date = value as InstanceType<DuckDb['DuckDBDateValue']>;
      return time(date, BigInt(date.days) * 86_400n, 1n, notes)?.slice(0, -'T00:00:00'.length) ?? null;
    }
    case Id.TIMESTAMP: {
      const local = value as InstanceType<DuckDb['DuckDBTimestampValue']>;
      return time(local, local.micros, 1_000_000n, notes);
    }
    case Id.TIMESTAMP_S: {
      const local = value as InstanceType<DuckDb['DuckDBTimestampSecondsValue']>;
      return time(local, local.seconds, 1n, notes);
    }
    case Id.TIMESTAMP_MS: {
      const local = value as InstanceType<DuckDb['DuckDBTimestampMillisecondsValue']>;
      return time(local, local.millis, 1000n, notes);
    }
    case Id.TIMESTAMP_NS: {
      const local = value as InstanceType<DuckDb['DuckDBTimestampNanosecondsValue']>;
      return time(local, local.nanos, 1_000_000_000n, notes);
    }
    case Id.TIMESTAMP_TZ: {
      const zoned = value as InstanceType<DuckDb['DuckDBTimestampTZValue']>;
      const text = time(zoned, zoned.micros, 1_000_000n, notes);
      return text === null ? null : `${text}Z`;
    }
    case Id.BLOB:
      return Buffer.from((value as InstanceType<DuckDb['DuckDBBlobValue']>).bytes).toString('base64');
    case Id.LIST:
    case Id.ARRAY: {
      const { valueType } = type as InstanceType<DuckDb['DuckDBListType']>;
      const { items } = value as InstanceType<DuckDb['DuckDBListValue']>;
      return items.map((item) => inner(item, valueType));
    }
    case Id.STRUCT: {
      const { entryNames, entryTypes } = type as InstanceType<DuckDb['DuckDBStructType']>;
      const { entries } = value as InstanceType<DuckDb['DuckDBStructValue']>;
      const object: JsonObject = {};
      for (const [index, name] of entryNames.entries())
        object[name] = inner(entries[name] ?? null, entryTypes[index]!);
      return object;
    }
    case Id.MAP: {
      const { keyType, valueType } = type as InstanceType<DuckDb['DuckDBMapType']>;
      const { entries } = value as InstanceType<DuckDb['DuckDBMapValue']>;
      const pairs = entries.map(({ key, value: member }) => ({
        key: inner(key, keyType),
        value: inner(member, valueType),
      }));
      if (keyType.typeId !== Id.VARCHAR) return pairs;
      return Object.fromEntries(pairs.map(({ key, value: member }) => [String(key), member]));
    }
    case Id.UNION: {
      const { tag, value: member } = value as InstanceType<DuckDb['DuckDBUnionValue']>;
      return inner(member, (type as InstanceType<DuckDb['DuckDBUnionType']>).memberTypeForTag(tag));
    }
    default:
      return String(value);
  }
}

/**
 * ISO 8601 without a zone. The package's own texts are in the machine's zone, and of infinite dates they are wrong.
 *
 * @param count units since 1970, of which there are so many a second
 */
function time(
  value: { isFinite: boolean },
  count: bigint,
  perSecond: bigint,
  notes: ValueNotes,
): string | null {
  const fraction = ((count % perSecond) + perSecond) % perSecond;
  const date = new Date(Number((count - fraction) / perSecond) * 1000);
  if (!value.isFinite || Number.isNaN(date.getTime())) {
    notes.nonFinite++;
    return null;
  }
  const digits = String(fraction)
    .padStart(String(perSecond).length - 1, '0')
    .replace(/0+$/, '');
  return `${date.toISOString().slice(0, -'.000Z'.length)}${digits === '' ? '' : `.${digits}`}`;
}

function finite(value: number, notes: ValueNotes): Json {
  if (Number.isFinite(value)) return Object.is(value, -0) ? 0 : value;
  notes.nonFinite++;
  return null;
}

function exact(digits: string, notes: ValueNotes): Json {
  const number = exactNumber(digits);
  if (typeof number === 'string') notes.exactNumbers++;
  return number;
}
