import {
  copyFileSync,
  existsSync,
  readFileSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endOf, lineOf, runModule, temporaryFolder } from '../../test/temporary.ts';
import { ProblemError } from '../problems.ts';
import { type Database, openDatabase } from './database.ts';

function open(path: string, onDamage?: (message: string) => void): Database {
  return openDatabase(path, {
    version: 1,
    migrate: (sql) => sql.exec('CREATE TABLE words (word TEXT PRIMARY KEY, count INTEGER)'),
    ...(onDamage && { onDamage }),
  });
}

function put(database: Database, word: string): true | undefined {
  return database.write((prepare) => {
    prepare('INSERT OR REPLACE INTO words VALUES (?, 1)').run(word);
    return true;
  });
}

function words(database: Database): string[] {
  const rows = database.read((prepare) => prepare('SELECT word FROM words ORDER BY rowid').all(), []);
  return rows.map((row) => row['word'] as string);
}

describe('a database', () => {
  it('is made by the first write, and by nothing else', () => {
    const path = join(temporaryFolder(), 'cache', 'a.sqlite');
    const database = open(path);
    expect(words(database)).toEqual([]);
    expect(existsSync(path)).toBe(false);
    put(database, 'one');
    expect(words(database)).toEqual(['one']);
    database.close();
    expect(words(open(path))).toEqual(['one']);
  });

  it('undoes a transaction that fails', () => {
    const database = open(join(temporaryFolder(), 'a.sqlite'));
    put(database, 'one');
    expect(() =>
      database.write((prepare) => {
        prepare('INSERT INTO words VALUES (?, 1)').run('two');
        throw new RangeError('no');
      }),
    ).toThrow(RangeError);
    expect(words(database)).toEqual(['one']);
    put(database, 'three');
    expect(words(database)).toEqual(['one', 'three']);
    database.close();
  });

  it('that is durable afterwards has what was committed in its files after sync, and none to wait for before', async () => {
    const path = join(temporaryFolder(), 'a.sqlite');
    const database = openDatabase(path, {
      version: 1,
      migrate: (sql) => sql.exec('CREATE TABLE words (word TEXT PRIMARY KEY, count INTEGER)'),
      durable: 'afterwards',
    });
    await database.sync();
    expect(existsSync(path)).toBe(false);
    put(database, 'one');
    await Promise.all([database.sync(), database.sync()]);
    const copy = join(temporaryFolder(), 'b.sqlite');
    for (const end of ['', '-wal']) copyFileSync(path + end, copy + end);
    expect(words(open(copy))).toEqual(['one']);
    database.close();
    await database.sync();
    expect(words(open(path))).toEqual(['one']);
  });

  it('of a newer format is refused, and left as it is', () => {
    const path = join(temporaryFolder(), 'a.sqlite');
    const sql = new DatabaseSync(path);
    sql.exec('PRAGMA user_version = 2');
    sql.close();
    const before = readFileSync(path);
    expect(() => words(open(path))).toThrow(ProblemError);
    expect(() => words(open(path))).toThrow(/has format 2; this version of reprise knows formats up to 1/);
    expect(() => put(open(path), 'one')).toThrow(ProblemError);
    expect(readFileSync(path)).toEqual(before);
  });

  it('of an older format is migrated', () => {
    const path = join(temporaryFolder(), 'a.sqlite');
    const old = open(path);
    put(old, 'one');
    old.close();
    const newer = openDatabase(path, {
      version: 2,
      migrate: (sql, from) => {
        expect(from).toBe(1);
        sql.exec("UPDATE words SET word = word || '!'");
      },
    });
    expect(words(newer)).toEqual(['one!']);
    newer.close();
  });

  it.each([
    [
      'no database',
      (path: string) => writeFileSync(path, 'this is a text, and a rather long one '.repeat(400)),
    ],
    ['cut', (path: string) => truncateSync(path, statSync(path).size - 4096 - 77)],
    ['zeros', (path: string) => writeFileSync(path, Buffer.alloc(statSync(path).size))],
  ])('that is damaged (%s) is moved aside, reported and started afresh', (_, damage) => {
    const path = join(temporaryFolder(), 'a.sqlite');
    const first = open(path);
    for (let index = 0; index < 500; index++) put(first, `word ${index}`);
    first.close();
    damage(path);
    const reports: string[] = [];
    const database = open(path, (message) => void reports.push(message));
    // What is left may be readable in part; a write or a read through all of it meets the damage.
    words(database);
    expect(put(database, 'fresh')).toBe(true);
    words(database);
    expect(reports.join()).toMatch(/a\.sqlite is damaged \(.*\): it was moved to .*a\.sqlite\.damaged/);
    expect(words(database)).toContain('fresh');
    expect(existsSync(`${path}.damaged`)).toBe(true);
    database.shrink();
    expect(existsSync(`${path}.damaged`)).toBe(false);
    database.close();
  });

  it('with any byte flipped or any end cut off never fails, and works afterwards', () => {
    const folder = temporaryFolder();
    const original = join(folder, 'original.sqlite');
    const first = open(original);
    for (let index = 0; index < 300; index++) put(first, `word ${index}`);
    first.close();
    const good = readFileSync(original);
    let round = 0;
    fc.assert(
      fc.property(
        fc.oneof(fc.nat(100), fc.nat(good.length - 1)),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        (place, bits, cut) => {
          const path = join(folder, `${round++}.sqlite`);
          const bad = Buffer.from(good);
          bad[place] = bad[place]! ^ bits;
          writeFileSync(path, cut ? good.subarray(0, place) : bad);
          const database = open(path);
          try {
            words(database);
            put(database, 'one');
            put(database, 'two');
            words(database);
          } catch (error) {
            // The version field itself may say that the file is newer: that is refused, as it should be.
            if (!(error instanceof ProblemError)) throw error;
          }
          database.close();
          for (const end of ['', '.damaged']) if (existsSync(path + end)) unlinkSync(path + end);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('that somebody else has mended is opened again, not moved aside a second time', () => {
    const path = join(temporaryFolder(), 'a.sqlite');
    const reports: string[] = [];
    const [a, b] = [
      open(path, (message) => void reports.push(message)),
      open(path, (message) => void reports.push(message)),
    ];
    for (let index = 0; index < 500; index++) put(a, `word ${index}`);
    a.close();
    for (const database of [a, b])
      database.read((prepare) => prepare('SELECT count(*) FROM sqlite_schema').get(), undefined);
    const bytes = readFileSync(path);
    bytes.fill(0xff, 4096);
    writeFileSync(path, bytes);
    expect(words(a)).toEqual([]);
    put(a, 'fresh');
    expect(words(b)).toEqual(['fresh']);
    put(b, 'another');
    expect(words(a)).toEqual(['fresh', 'another']);
    expect(reports).toHaveLength(1);
    a.close();
    b.close();
  });

  it('deleted by somebody while it is closed is made again', () => {
    const path = join(temporaryFolder(), 'a.sqlite');
    const database = open(path);
    put(database, 'one');
    database.close();
    unlinkSync(path);
    expect(words(database)).toEqual([]);
    expect(put(database, 'two')).toBe(true);
    database.close();
  });

  it('where no folder can be made holds nothing and fails nothing', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const database = open(join(folder, 'file', 'cache', 'a.sqlite'));
    expect(database.mode).toBe('none');
    expect(put(database, 'one')).toBeUndefined();
    expect(words(database)).toEqual([]);
    database.close();
  });
});

const writer = `
  import { openDatabase } from '#/engine/store/database.ts';
  const [path, name, count] = process.argv.slice(1);
  const database = openDatabase(path, { version: 1, migrate: (sql) => sql.exec('CREATE TABLE words (word TEXT PRIMARY KEY, count INTEGER)') });
  for (let index = 0; index < Number(count); index++)
    database.write((prepare) => {
      prepare('INSERT INTO words VALUES (?, 0)').run(name + index);
      prepare("INSERT INTO words VALUES ('all', 1) ON CONFLICT DO UPDATE SET count = count + 1").run();
    });
  database.close();`;

describe('several processes', () => {
  it('make, write and close one database at the same time; no write fails or is lost', async () => {
    const path = join(temporaryFolder(), 'cache', 'a.sqlite');
    const names = ['a', 'b', 'c', 'd'];
    await Promise.all(names.map((name) => endOf(runModule(writer, [path, name, '80']))));
    const database = open(path);
    expect(words(database)).toHaveLength(4 * 80 + 1);
    expect(
      database.read((prepare) => prepare("SELECT count FROM words WHERE word = 'all'").get(), undefined),
    ).toMatchObject({ count: 320 });
    database.close();
  });

  it('open and close again and again beside one another', async () => {
    const path = join(temporaryFolder(), 'a.sqlite');
    const text = `
      import { openDatabase } from '#/engine/store/database.ts';
      for (let index = 0; index < 25; index++) {
        const database = openDatabase(process.argv[1], { version: 1, migrate: (sql) => sql.exec('CREATE TABLE words (word TEXT PRIMARY KEY, count INTEGER)') });
        database.read((prepare) => prepare('SELECT count(*) FROM words').get(), undefined);
        database.write((prepare) => prepare('INSERT INTO words VALUES (?, 0)').run(process.argv[2] + index));
        database.close();
      }`;
    await Promise.all(['a', 'b', 'c'].map((name) => endOf(runModule(text, [path, name]))));
    const database = open(path);
    expect(words(database)).toHaveLength(75);
    database.close();
  });

  it('find a damaged file at the same time: one of them moves it aside', async () => {
    const path = join(temporaryFolder(), 'a.sqlite');
    writeFileSync(path, 'this is a text, and a rather long one '.repeat(400));
    const text = `
      import { openDatabase } from '#/engine/store/database.ts';
      let reports = 0;
      const database = openDatabase(process.argv[1], { version: 1, onDamage: () => reports++, migrate: (sql) => sql.exec('CREATE TABLE words (word TEXT PRIMARY KEY, count INTEGER)') });
      console.log('ready');
      process.stdin.once('data', () => {
        database.write((prepare) => prepare('INSERT INTO words VALUES (?, 0)').run(process.argv[2]));
        console.log('reports ' + reports);
        database.close();
        process.exit();
      });`;
    const children = ['a', 'b', 'c'].map((name) => runModule(text, [path, name]));
    await Promise.all(children.map(lineOf));
    const ends = Promise.all(children.map(endOf));
    for (const child of children) child.stdin!.write('go\n');
    const reports = (await ends).join('').match(/reports 1/g);
    expect(reports).toHaveLength(1);
    const database = open(path);
    expect(words(database).sort()).toEqual(['a', 'b', 'c']);
    database.close();
  });

  it('killed in the middle of a transaction leave what was committed', async () => {
    const path = join(temporaryFolder(), 'a.sqlite');
    const child = runModule(
      `import { openDatabase } from '#/engine/store/database.ts';
       const database = openDatabase(process.argv[1], { version: 1, migrate: (sql) => sql.exec('CREATE TABLE words (word TEXT PRIMARY KEY, count INTEGER)') });
       for (let index = 0; ; index++) {
         database.write((prepare) => {
           for (let part = 0; part < 10; part++) prepare('INSERT INTO words VALUES (?, 0)').run(index + ' ' + part);
         });
         if (index === 20) process.stdout.write('ready\\n');
       }`,
      [path],
    );
    await lineOf(child);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    const database = open(path, (message) => {
      throw new Error(message);
    });
    const found = words(database);
    expect(found.length).toBeGreaterThanOrEqual(210);
    expect(found.length % 10).toBe(0);
    expect(put(database, 'one')).toBe(true);
    database.close();
  });
});
