import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../../test/temporary.ts';
import type { Row, TableArtefact } from '../artefacts.ts';
import { digestOf } from '../digest.ts';
import type { Json } from '../json.ts';
import { IdSet } from './id-set.ts';
import { concatDigest, DamagedBlobError, idsDigest, Store } from './store.ts';
import { ZstdFrameError, ZstdFrames } from './zstd-frames.ts';

function openStore(): Store {
  const store = Store.open({ folder: temporaryFolder() });
  onTestFinished(() => store.close());
  return store;
}

async function write(store: Store, rows: Iterable<Row>): Promise<TableArtefact> {
  const writer = store.writeTable();
  for (const row of rows) await writer.write(row);
  return await writer.finish();
}

/** Rows with anything that JSON can say, and strings that are no Unicode. */
const fields = fc.dictionary(
  fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '0', '7', 'toJSON', '', 'id2')),
  fc.jsonValue({
    maxDepth: 3,
    noUnicodeString: false,
    stringUnit: 'binary',
  } as fc.JsonSharedConstraints) as fc.Arbitrary<Json>,
  { noNullPrototype: true },
);
const oddNumber = fc.constantFrom(1e308, -1e308, 5e-324, 0.1 + 0.2, 2 ** 53 + 2, -1, 0);
const oddText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\ud800', 'a\udfffb', '\0', '\u2028\n\r', '"\\', '😀', ','),
);
const row: fc.Arbitrary<Row> = fc
  .tuple(fields, oddNumber, oddText, fc.boolean())
  .map(([more, number, text, idFirst]) =>
    idFirst ? { id: '', ...more, number, text } : { ...more, number, text, id: '' },
  );

describe('tables', () => {
  it('survive writing and reading to the byte, whatever is in them', async () => {
    const store = openStore();
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 20 }), oddText, async (rows, prefix) => {
        rows.forEach((one, index) => {
          one.id = `${index}${prefix}`;
        });
        const artefact = await write(store, rows);
        const input = store.readTable(artefact);
        const read = await input.all();
        // JSON writes -0 as 0.
        expect(read).toEqual(JSON.parse(JSON.stringify(rows)));
        for (const [index, one] of read.entries()) {
          expect(JSON.stringify(one)).toBe(JSON.stringify({ ...{ id: '' }, ...rows[index] }));
          expect(Object.getPrototypeOf(one)).toBe(Object.prototype);
        }
        // What was read writes the same table again.
        expect(await write(store, read)).toEqual(artefact);
        expect(artefact.rows).toBe(rows.length);
        expect(artefact.ids).toBe(idsDigest(rows.map(({ id }) => id)));
        expect(new Set(artefact.fields)).toEqual(new Set(['id', ...rows.flatMap((one) => Object.keys(one))]));
      }),
      { numRuns: 80 },
    );
  });

  it('are JSON Lines in zstd; the digest is that of the lines', async () => {
    const store = openStore();
    const artefact = await write(store, [
      { text: 'one', id: 'a' },
      { id: 'b', text: 'two', n: 1.5 },
    ]);
    const stored = readFileSync(store.path(artefact.blob));
    const lines = '{"id":"a","text":"one"}\n{"id":"b","text":"two","n":1.5}\n';
    expect(zstdDecompressSync(stored).toString()).toBe(lines);
    expect(artefact).toEqual({
      kind: 'table',
      digest: digestOf(lines),
      blob: digestOf(stored),
      bytes: stored.length,
      rows: 2,
      ids: digestOf('a\nb\n'),
      fields: ['id', 'text', 'n'],
    });
  });

  it('of many blocks, with rows larger than a block, are streamed in order', async () => {
    const store = openStore();
    const rows = Array.from({ length: 3000 }, (_, index) => ({
      id: `r${index}`,
      text: index === 1000 ? 'x'.repeat(6_000_000) : `ä${index} `.repeat(200),
      random: digestOf(String(index)),
    }));
    const artefact = await write(store, rows);
    const input = store.readTable(artefact);
    let blocks = 0;
    let next = 0;
    for await (const block of input.blocks()) {
      blocks++;
      for (const one of block) expect(one.id).toBe(`r${next++}`);
    }
    expect(next).toBe(3000);
    expect(blocks).toBeGreaterThan(3);
    next = 0;
    for await (const one of input.read()) expect(one['random']).toBe(rows[next++]!.random);
    const text = rows.map((one) => `${JSON.stringify(one)}\n`).join('');
    expect(artefact.digest).toBe(digestOf(text));
  });

  it('may be empty', async () => {
    const store = openStore();
    const artefact = await write(store, []);
    expect(artefact).toMatchObject({ rows: 0, digest: digestOf(''), ids: digestOf(''), fields: ['id'] });
    expect(await store.readTable(artefact).all()).toEqual([]);
    await store.sync();
    // A frame without content, as `zstd` itself writes it: a file of no bytes is refused by `zstd -d`.
    expect(zstdDecompressSync(await store.read(artefact.blob))).toHaveLength(0);
    expect(artefact.bytes).toBeGreaterThan(0);
    // Earlier versions stored no bytes at all.
    const nothing = await store.put('');
    expect(await store.readTable({ ...artefact, blob: nothing.digest, bytes: 0 }).all()).toEqual([]);
  });

  it('refuse a repeated id, in the same block or blocks before, and write nothing', async () => {
    const store = openStore();
    const writer = store.writeTable();
    await writer.write({ id: 'a"b' });
    expect(() => writer.write({ id: 'a"b', more: 1 })).toThrow(
      /row 2 has the id "a\\"b", which an earlier row has/,
    );
    const long = store.writeTable();
    for (let index = 0; index < 2000; index++)
      await long.write({ id: String(index), text: 'x'.repeat(2000) });
    expect(() => long.write({ id: '7' })).toThrow(expect.objectContaining({ code: 'duplicate-id' }));
    await expect(long.finish()).rejects.toThrow();
    await store.sync();
    expect(await Array.fromAsync(store.blobs())).toEqual([]);
  });

  it('refuse rows without a text id, and numbers that JSON has not', async () => {
    const writer = openStore().writeTable();
    expect(() => writer.write({ text: 'x' } as unknown as Row)).toThrow(/row 1 has no id/);
    expect(() => writer.write({ id: 7 } as unknown as Row)).toThrow(/not a text: 7/);
    expect(() => writer.write({ id: 'a', scores: { x: [1, Number.NaN] } })).toThrow(
      'row "a": scores.x[1] is NaN, which JSON has no number for',
    );
    expect(() => writer.write({ id: 'a', n: 1n as unknown as number })).toThrow(/cannot be written as JSON/);
    await writer.write({ id: 'a', nothing: null });
    expect((await writer.finish()).rows).toBe(1);
  });

  it('give no row when a byte is flipped anywhere', async () => {
    const store = openStore();
    const artefact = await write(
      store,
      Array.from({ length: 50 }, (_, index) => ({ id: `r${index}`, text: digestOf(String(index)) })),
    );
    const path = store.path(artefact.blob);
    const good = readFileSync(path);
    chmodSync(path, 0o644);
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (place, bits) => {
        const bad = Buffer.from(good);
        bad[place] = bad[place]! ^ bits;
        writeFileSync(path, bad);
        let rows = 0;
        const read = async (): Promise<void> => {
          for await (const _ of store.readTable(artefact).read()) rows++;
        };
        await expect(read()).rejects.toThrow(DamagedBlobError);
        expect(rows).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('are concatenated with a column per axis; ids stay unique and the id before is kept', async () => {
    const store = openStore();
    const first = await write(store, [{ id: 'a', text: 'x' }, { id: 'b' }]);
    const second = await write(store, [{ id: 'a', score: 2 }]);
    const parts = [
      { artefact: first, columns: { model: 'm1' }, suffix: 'model=m1' },
      { artefact: second, columns: { model: 'm2' }, suffix: 'model=m2' },
    ];
    const input = await store.concatTables(parts);
    const rows = await input.all();
    expect(rows).toEqual([
      { id: 'a@model=m1', row_id: 'a', text: 'x', model: 'm1' },
      { id: 'b@model=m1', row_id: 'b', model: 'm1' },
      { id: 'a@model=m2', row_id: 'a', score: 2, model: 'm2' },
    ]);
    expect(input).toMatchObject({ rows: 3, digest: concatDigest(parts) });
    expect(input.fields).toEqual(['id', 'row_id', 'text', 'score', 'model']);
    // The ids are those that a table of the same rows has, so that matrices of both fit each other.
    const written = await write(store, rows);
    expect(input.ids).toBe(written.ids);
    const again = await store.concatTables([{ artefact: written, columns: { seed: 1 }, suffix: 'seed=1' }]);
    expect((await again.all())[0]).toMatchObject({ id: 'a@model=m1@seed=1', row_id: 'a' });
    // A field of the axis's name may say the same, and nothing else.
    const fold = await write(store, [{ id: 'a', fold: 1 }, { id: 'b' }]);
    const same = await store.concatTables([{ artefact: fold, columns: { fold: 1 }, suffix: 'fold=1' }]);
    expect((await same.all()).map((row) => row['fold'])).toEqual([1, 1]);
    const other = store.concatTables([{ artefact: fold, columns: { fold: 2 }, suffix: 'fold=2' }]);
    await expect(other).rejects.toMatchObject({
      code: 'axis-is-a-field',
      message: expect.stringContaining('row a says 1, the axis 2'),
    });
    expect(concatDigest([...parts].reverse())).not.toBe(concatDigest(parts));
  });
});

describe('matrices', () => {
  it('are read in blocks of rows, in whatever pieces their bytes come', async () => {
    const store = openStore();
    // More than a block, and rows across the pieces that a blob is read in.
    const [rows, columns] = [120_007, 37];
    const data = Float32Array.from({ length: rows * columns }, (_, at) => at);
    const artefact = await store.writeMatrix({ data, rows, columns }, digestOf('ids'));
    let row = 0;
    for await (const block of store.readMatrix(artefact).blocks()) {
      expect(block.columns).toBe(columns);
      expect(block.data.length).toBe(block.rows * columns);
      expect(
        Buffer.compare(
          Buffer.from(block.data.buffer),
          Buffer.from(data.slice(row * columns, row * columns + block.data.length).buffer),
        ),
      ).toBe(0);
      row += block.rows;
    }
    expect(row).toBe(rows);
    for (const [noRows, noColumns] of [
      [0, 3],
      [0, 0],
    ] as const) {
      const empty = await store.writeMatrix(
        { data: new Float32Array(0), rows: noRows, columns: noColumns },
        digestOf(''),
      );
      expect(await Array.fromAsync(store.readMatrix(empty).blocks())).toEqual([]);
    }
  });

  it('survive writing and reading, and are .npy files', async () => {
    const store = openStore();
    await fc.assert(
      fc.asyncProperty(
        fc.nat(20),
        fc.nat(9),
        fc.float32Array({ minLength: 181, maxLength: 181 }),
        async (rows, columns, values) => {
          const data = values.subarray(1, 1 + rows * columns);
          const artefact = await store.writeMatrix({ data, rows, columns }, digestOf('ids'));
          expect(artefact).toMatchObject({ rows, columns, ids: digestOf('ids') });
          const matrix = await store.readMatrix(artefact).read();
          expect(matrix.rows).toBe(rows);
          expect(matrix.columns).toBe(columns);
          expect(Buffer.from(matrix.data.buffer, matrix.data.byteOffset, matrix.data.byteLength)).toEqual(
            Buffer.from(data.buffer, data.byteOffset, data.byteLength),
          );
        },
      ),
      { numRuns: 50 },
    );
    const { blob } = await store.writeMatrix(
      { data: new Float32Array([1, 2]), rows: 1, columns: 2 },
      digestOf(''),
    );
    const file = readFileSync(store.path(blob));
    expect(file.toString('latin1', 0, 10)).toBe('\x93NUMPY\x01\x00\x76\x00');
    expect(file.toString('latin1', 10, 128)).toBe(
      `${"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }".padEnd(117)}\n`,
    );
    expect(file.length).toBe(136);
  });

  it('refuse values that do not fit the shape', async () => {
    const matrix = { data: new Float32Array(5), rows: 2, columns: 3 };
    await expect(openStore().writeMatrix(matrix, digestOf(''))).rejects.toThrow(
      'a matrix of 2 × 3 has 6 values, not 5',
    );
  });

  it('takes a matrix in parts, and asks for its ids at the end', async () => {
    const store = openStore();
    const whole = { data: Float32Array.of(1, 2, 3, 4, 5, 6), rows: 3, columns: 2 };
    let last = false;
    async function* parts() {
      yield whole.data.slice(0, 4);
      yield new Float32Array(0);
      last = true;
      yield whole.data.slice(4);
    }
    const written = await store.writeMatrix({ rows: 3, columns: 2, parts: parts() }, () =>
      digestOf(String(last)),
    );
    expect(written).toEqual(await store.writeMatrix(whole, digestOf('true')));
    await expect(
      store.writeMatrix({ rows: 4, columns: 2, parts: parts() }, digestOf('')),
    ).rejects.toMatchObject({ code: 'bad-matrix' });
  });
});

describe('files', () => {
  it('are sorted by name, whatever the order of writing', async () => {
    const store = openStore();
    const first = store.writeFiles();
    await first.write('page/index.html', '<p>');
    await first.write('a.bin', new Uint8Array([1, 2]));
    const second = store.writeFiles();
    await second.write('a.bin', new Uint8Array([1, 2]));
    await second.write('page/index.html', '<p>');
    const artefact = await first.finish();
    expect(await second.finish()).toEqual(artefact);
    expect(artefact).toMatchObject({
      bytes: 5,
      files: [{ name: 'a.bin', bytes: 2 }, { name: 'page/index.html' }],
    });
    const input = store.readFiles(artefact);
    expect(input.names).toEqual(['a.bin', 'page/index.html']);
    expect(await input.read('a.bin')).toEqual(Buffer.from([1, 2]));
    await expect(input.read('b')).rejects.toThrow('there is no file b in this input');
  });

  it.each(['', '/a', '../a', 'a/../b', 'a//b', './a', 'a\\b', 'a\0', 'a/'])(
    'refuse the name %j',
    async (name) => {
      await expect(openStore().writeFiles().write(name, '')).rejects.toMatchObject({ code: 'bad-file-name' });
    },
  );

  it('refuse a name twice', async () => {
    const writer = openStore().writeFiles();
    await writer.write('a', '');
    await expect(writer.write('a', '')).rejects.toMatchObject({ code: 'duplicate-file' });
  });
});

describe('the parts of it', () => {
  it('frames are found wherever the pieces are cut, and a cut-off end is seen', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.uint8Array({ maxLength: 300 }),
            fc.constant(new Uint8Array(400_000)),
            fc.constant(Buffer.from(digestOf('x').repeat(9000))),
          ),
          { maxLength: 6 },
        ),
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 20 }),
        (contents, cuts) => {
          const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
          const file = Buffer.concat([...contents.map((content) => zstdCompressSync(content)), skippable]);
          const frames = new ZstdFrames();
          const found: Buffer[] = [];
          for (let start = 0, cut = 0; start < file.length; cut++) {
            const end = start + cuts[cut % cuts.length]!;
            for (const frame of frames.push(file.subarray(start, end))) found.push(zstdDecompressSync(frame));
            start = end;
          }
          frames.end();
          expect(found.map((one) => digestOf(one))).toEqual(contents.map((one) => digestOf(one)));
          if (contents.length === 0) return;
          const cutOff = new ZstdFrames();
          cutOff.push(file.subarray(0, file.length - skippable.length - 1));
          expect(() => cutOff.end()).toThrow(ZstdFrameError);
        },
      ),
      { numRuns: 50 },
    );
    expect(() => new ZstdFrames().push(Buffer.from('not a frame'))).toThrow(ZstdFrameError);
  });

  it('the set of ids knows what was added, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.nat(300).map(String)), { maxLength: 3000 }), (ids) => {
        const set = new IdSet();
        const exact = new Set<string>();
        for (const id of ids) {
          expect(set.add(id)).toBe(!exact.has(id));
          exact.add(id);
        }
        expect(set.size).toBe(exact.size);
      }),
      { numRuns: 30 },
    );
    // Ids as they come: numbered, with a common start. No two share a hash.
    const set = new IdSet();
    for (let index = 0; index < 300_000; index++)
      if (!set.add(`row-${index}`)) throw new Error(`row-${index} has the hash of another id`);
  });
});
