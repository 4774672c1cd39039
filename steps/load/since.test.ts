import { appendFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import type { JsonObject } from '../../engine/json.ts';
import { compileSchema } from '../../engine/workflow/schema-check.ts';
import { folderWith, runStep, type StepOutputs } from '../../test/run-step.ts';
import load from './index.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A project whose loads are dealt with at once: each begins where the one before it ended. */
function project(files: Record<string, string | Uint8Array>, parameters: JsonObject) {
  const root = folderWith(files);
  folders.push(root);
  const read = (): Promise<StepOutputs> =>
    runStep(load, { root, with: { since: 'seen.jsonl', ...parameters } });
  return {
    root,
    path: (name: string) => join(root, name),
    read,
    async next(): Promise<StepOutputs> {
      const result = await read();
      const lines = result.tables['manifest']!.map((row) => `${JSON.stringify(row)}\n`);
      writeFileSync(join(root, 'seen.jsonl'), lines.join(''));
      return result;
    },
  };
}

const texts = ({ tables }: StepOutputs): unknown[] => tables['rows']!.map((row) => row['text']);
const places = (rows: Row[]): unknown[] => rows.map((row) => [row['line'], row['record']]);

describe('since', () => {
  it('reads the ten rows that 100,000 have got more', async () => {
    const lines = (from: number, count: number): string =>
      Array.from({ length: count }, (_, n) => `{"id":${from + n},"text":"row ${from + n}"}\n`).join('');
    const { next, read, path } = project({ 'a.jsonl': lines(0, 100_000) }, { path: 'a.jsonl', id: 'id' });
    expect((await next()).metrics).toMatchObject({ rows: 100_000, records: 100_000, files: 1 });
    expect((await read()).metrics).toMatchObject({ rows: 0, records: 0, files: 0 });
    appendFileSync(path('a.jsonl'), lines(100_000, 10));
    const first = await read();
    expect(first.metrics).toMatchObject({ rows: 10, records: 10, files: 1 });
    expect(first.tables['rows']![0]).toEqual({ id: '100000', text: 'row 100000' });
    // Until the manifest says otherwise, they are what is new.
    expect(await read()).toEqual(first);
    expect(first.tables['manifest']).toEqual([
      { id: 'a.jsonl', bytes: expect.any(Number), digest: expect.any(String), records: 100_010, lines: 100_010 },
    ]); // biome-ignore format: one row
    // The manifest is a function of the file: the same, however often it was read on the way.
    rmSync(path('seen.jsonl'));
    expect((await read()).tables['manifest']).toEqual(first.tables['manifest']);
  });

  it('lets a truncated last line wait, and reads it when it is whole', async () => {
    const { next, path } = project({ 'a.jsonl': '{"text":"a"}\n{"text":"b' }, { path: 'a.jsonl' });
    const cut = await next();
    expect([texts(cut), cut.tables['rejected'], cut.warnings]).toEqual([
      ['a'],
      [],
      ['a.jsonl: the last line has no end yet: its 10 bytes wait for the next run'],
    ]);
    appendFileSync(path('a.jsonl'), 'c"}');
    expect(texts(await next())).toEqual(['bc']);
    appendFileSync(path('a.jsonl'), '\nnot json\n{"text":"d"}\n');
    const last = await next();
    expect(texts(last)).toEqual(['d']);
    expect(places(last.tables['rejected']!)).toEqual([[3, 3]]);
  });

  it('reads CSV and text on, with their header, their lines and their records', async () => {
    const csv = project({ 'a.csv': 'id;text\n1;"a\nb"\n' }, { path: 'a.csv', id: 'id' });
    expect(texts(await csv.next())).toEqual(['a\nb']);
    appendFileSync(csv.path('a.csv'), '2;c\n3\n4;d');
    const grown = await csv.next();
    expect(texts(grown)).toEqual(['c']);
    expect(places(grown.tables['rejected']!)).toEqual([[5, 3]]);
    appendFileSync(csv.path('a.csv'), 'e\n');
    expect((await csv.next()).tables['rows']).toEqual([{ id: '4', text: 'de' }]);
    const text = project({ 'a.txt': 'one\ntwo' }, { path: 'a.txt' });
    expect(texts(await text.next())).toEqual(['one']);
    appendFileSync(text.path('a.txt'), '\nthree\n');
    expect(texts(await text.next())).toEqual(['two', 'three']);
    appendFileSync(text.path('a.txt'), '\n');
    expect(texts(await text.next())).toEqual([]);
  });

  it('begins anew where what was read has changed, and says so', async () => {
    const { next, path } = project({ 'a.jsonl': '{"text":"a"}\n{"text":"b"}\n' }, { path: 'a.jsonl' });
    await next();
    writeFileSync(path('a.jsonl'), '{"text":"A"}\n{"text":"b"}\n{"text":"c"}\n');
    const changed = await next();
    expect(texts(changed)).toEqual(['A', 'b', 'c']);
    expect(changed.warnings).toEqual([
      'a.jsonl has changed in the 26 bytes that were read before: it is read from its start',
    ]);
    truncateSync(path('a.jsonl'), 13);
    expect(texts(await next())).toEqual(['A']);
    truncateSync(path('a.jsonl'), 0);
    expect(texts(await next())).toEqual([]);
    appendFileSync(path('a.jsonl'), '{"text":"z"}\n');
    expect(texts(await next())).toEqual(['z']);
  });

  it('reads files that are no lines whole, if they have changed', async () => {
    const packed = (...rows: string[]): Buffer =>
      gzipSync(rows.map((text) => `{"text":"${text}"}\n`).join(''));
    const files = {
      'd/a.md': 'a',
      'd/b.md': 'b',
      'd/c.jsonl.gz': packed('c'),
      'd/e.jsonl': Buffer.from('\ufeff{"text":"e"}\n', 'utf16le'),
    };
    const { next, path } = project(files, { path: 'd/*', source: false });
    expect(texts(await next())).toEqual(['a', 'b', 'c', 'e']);
    expect((await next()).metrics).toMatchObject({ rows: 0, files: 0 });
    writeFileSync(path('d/b.md'), 'B');
    writeFileSync(path('d/bb.md'), 'bb');
    writeFileSync(path('d/c.jsonl.gz'), packed('c', 'd'));
    rmSync(path('d/a.md'));
    const changed = await next();
    expect(texts(changed)).toEqual(['B', 'bb', 'c', 'd']);
    expect(changed.tables['manifest']!.map((row) => row.id)).toEqual([
      'd/b.md',
      'd/bb.md',
      'd/c.jsonl.gz',
      'd/e.jsonl',
    ]);
  });

  it('leaves a file that could not be read for the next time', async () => {
    const parameters = { path: '*.json', on_bad_file: 'reject' };
    const { next, path } = project({ 'a.json': '[{"text":"a"},]', 'b.json': '[{"text":"b"}]' }, parameters);
    expect(texts(await next())).toEqual(['b']);
    writeFileSync(path('a.json'), '[{"text":"a"}]');
    expect(texts(await next())).toEqual(['a']);
  });

  it('refuses what is no manifest, and what would lose rows', async () => {
    const { read } = project({ 'a.jsonl': '{}', 'seen.jsonl': '{"id":"a.jsonl"}\n' }, { path: 'a.jsonl' });
    await expect(read()).rejects.toMatchObject({
      code: 'invalid-manifest',
      message: 'seen.jsonl:1 is no line of a manifest: {"id":"a.jsonl"}',
    });
    const filled = compileSchema(load.parameters).parse({ path: 'x', since: 'y', limit: 5 });
    expect(load.check!(filled).map(({ parameter }) => parameter)).toEqual(['limit']);
    expect(Object.keys(load.outputsOf!(filled))).toEqual(['rows', 'rejected', 'manifest']);
    expect(Object.keys(load.outputsOf!({ path: 'x' }))).toEqual(['rows', 'rejected']);
  });
});
