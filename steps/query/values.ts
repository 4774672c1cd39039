import type { DuckDBType, DuckDBValue } from '@duckdb/node-api';
import type { Json, JsonObject } from '../../engine/json.ts';

type DuckDb = typeof import('@duckdb/node-api');

/** What could not be given as it is. */
export interface ValueNotes {
  /** Numbers that a double does not hold: kept as their digits in a text. */
  exactNumbers: number;
  /** NaN and infinities: null. */
  nonFinite: number;
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
    case Id.TIMESTAMP:
    case Id.TIMESTAMP_S:
    case Id.TIMESTAMP_MS:
    case Id.TIMESTAMP_NS:
      return String(value).replace(' ', 'T');
    case Id.TIMESTAMP_TZ:
      return utc((value as InstanceType<DuckDb['DuckDBTimestampTZValue']>).micros);
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

/** The package's own text has the machine's time zone. */
function utc(micros: bigint): string {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const digits = String(fraction).padStart(6, '0').replace(/0+$/, '');
  const seconds = new Date(Number((micros - fraction) / 1000n)).toISOString().replace(/\.000Z$/, '');
  return `${seconds}${digits === '' ? '' : `.${digits}`}Z`;
}

function finite(value: number, notes: ValueNotes): Json {
  if (Number.isFinite(value)) return Object.is(value, -0) ? 0 : value;
  notes.nonFinite++;
  return null;
}

/** A number of any number of digits: as a number if a double has the same ones. */
function exact(digits: string, notes: ValueNotes): Json {
  const number = Number(digits);
  const isInteger = !digits.includes('.');
  if (isInteger ? Number.isSafeInteger(number) : digits.replace(/^-?0*\.?0*|\D/g, '').length <= 15)
    return number;
  notes.exactNumbers++;
  return digits;
}
