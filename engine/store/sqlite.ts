import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

/** The primary code of an SQLite error. */
export function sqliteCode(error: unknown): number | undefined {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown };
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : undefined;
}

/**
 * SQLITE_CORRUPT, SQLITE_FORMAT, SQLITE_NOTADB; SQLITE_ERROR, which our fixed statements meet only where the schema or
 * the file's header is not what we wrote; and, of SQLITE_IOERR, what reading meets: a file that is too short, a
 * folder in its place, a bad disk (IOERR_READ, IOERR_SHORT_READ, IOERR_DATA, IOERR_CORRUPTFS).
 */
export function isDamage(error: unknown): boolean {
  const { errcode } = (error ?? {}) as { errcode?: unknown };
  return (
    [1, 11, 24, 26].includes(sqliteCode(error) ?? 0) ||
    (sqliteCode(error) === 10 && [266, 522, 8202, 8458].includes(errcode as number))
  );
}

/**
 * Opens a database that cannot be written, also in a folder where nothing can be made.
 *
 * @param timeout milliseconds to wait for another process's transaction
 */
export function openForReading(path: string, timeout: number): DatabaseSync {
  let sql = new DatabaseSync(path, { readOnly: true, timeout });
  try {
    sql.prepare('PRAGMA user_version').get();
    sql.prepare('SELECT count(*) FROM sqlite_schema').get();
  } catch (error) {
    sql.close();
    if (isDamage(error) || ![8, 10, 13, 14].includes(sqliteCode(error) ?? 0)) throw error;
    // A WAL database wants to make files beside it; in a folder where nothing can be made, nobody changes it either.
    const url = pathToFileURL(path);
    url.search = '?immutable=1';
    sql = new DatabaseSync(url, { readOnly: true });
  }
  return sql;
}
