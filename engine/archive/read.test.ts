import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Headers, pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { exampleRecord } from '../../test/run-record.ts';
import { temporaryFolder } from '../../test/temporary.ts';
import { digestOf, digestOfJson, hexOf } from '../digest.ts';
import { hasMark } from '../store/blob-mark.ts';
import { Store } from '../store/store.ts';
import { importArchive } from './read.ts';

const record = exampleRecord();
const recordText = JSON.stringify(record);
const blob = 'some content';
const good = {
  [`runs/${record.id}/run.json`]: recordText,
  [`objects/${hexOf(digestOf(blob))}`]: blob,
};

const files = [
  { name: 'onnx/model.onnx', text: 'weights' },
  { name: 'tokenizer.json', text: '{}' },
];
const modelHex = hexOf(digestOfJson(files.map(({ name, text }) => ({ name, digest: digestOf(text) }))));
/** A model that lay in `encoders/tiny` of its project. */
const model = Object.fromEntries(
  files.map(({ name, text }) => [`models/${modelHex}/encoders/tiny/${name}`, text]),
);

interface Part {
  name: string;
  text: string;
  more?: Partial<Headers>;
}

/** An archive of these entries, behind the manifest given, or the one that is true of them. */
async function archive(folder: string, parts: Part[], manifest?: object): Promise<string> {
  const tar = pack();
  const entries = parts.map(({ name, text }) => ({
    name,
    bytes: Buffer.byteLength(text),
    digest: digestOf(text),
  }));
  const said = { format: 1, run: record.id, engine: '0.1.0', entries, ...manifest };
  tar.entry({ name: 'manifest.json' }, JSON.stringify(said));
  for (const { name, text, more } of parts) tar.entry({ name, ...more }, text);
  tar.finalize();
  const path = join(folder, 'run.tgz');
  writeFileSync(path, gzipSync(Buffer.concat(await Array.fromAsync(tar))));
  return path;
}

const partsOf = (files: Record<string, string>): Part[] =>
  Object.entries(files).map(([name, text]) => ({ name, text }));

/** Imports into an empty project; gives the error, if any, and all files that were made. */
async function importing(folder: string, path: string) {
  const runsFolder = join(folder, 'project', 'runs');
  const store = Store.open({ folder: join(folder, 'project', '.reprise') });
  const signal = new AbortController().signal;
  const failure = await importArchive({ path, runsFolder, store, signal }).then(
    () => null,
    (error: Error & { problems?: { code: string; message: string }[] }) => error.problems?.[0] ?? error,
  );
  await store.close();
  const made = existsSync(join(folder, 'project'))
    ? readdirSync(join(folder, 'project'), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name !== 'format')
        .map((entry) => join(entry.parentPath, entry.name))
    : [];
  return { failure, made };
}

describe('an archive', () => {
  it('is taken in, and a second time changes nothing', async () => {
    const folder = temporaryFolder();
    const path = await archive(folder, partsOf(good));
    const first = await importing(folder, path);
    expect(first.failure).toBeNull();
    expect(readFileSync(join(folder, 'project/runs', record.id, 'run.json'), 'utf8')).toBe(recordText);
    expect(first.made).toHaveLength(2);
    expect(await importing(folder, path)).toEqual(first);
    expect(readdirSync(join(folder, 'project/runs'))).toEqual([record.id]);
  });

  it('is taken in by two at once, as by one', async () => {
    const folder = temporaryFolder();
    const path = await archive(folder, partsOf(good));
    const both = await Promise.all([importing(folder, path), importing(folder, path)]);
    expect(both.map(({ failure }) => failure)).toEqual([null, null]);
    expect(readdirSync(join(folder, 'project/runs'))).toEqual([record.id]);
  });

  it('mends a blob and a model that are here already and were changed', async () => {
    const folder = temporaryFolder();
    const path = await archive(folder, partsOf({ ...good, ...model }));
    expect((await importing(folder, path)).failure).toBeNull();
    const [network, tokenizer] = Object.keys(model).map((name) => join(folder, 'project/.reprise', name)) as [
      string,
      string,
    ];
    writeFileSync(network, 'tampered');
    rmSync(tokenizer);
    const hex = hexOf(digestOf(blob));
    const stored = join(folder, 'project/.reprise/objects', hex.slice(0, 2), hex.slice(2));
    const { mode, mtimeMs } = statSync(stored);
    chmodSync(stored, 0o644);
    writeFileSync(stored, 'x'.repeat(blob.length));
    // As a failing disk does it: nothing but the bytes tells.
    const seconds = Math.floor(mtimeMs / 1000) + ((Math.floor(mtimeMs * 1000) % 1e6) + 0.5) / 1e6;
    utimesSync(stored, seconds, seconds);
    chmodSync(stored, mode);
    expect(hasMark(statSync(stored).mtimeMs, hex)).toBe(true);
    expect((await importing(folder, path)).failure).toBeNull();
    expect(readFileSync(stored, 'utf8')).toBe(blob);
    expect([network, tokenizer].map((file) => readFileSync(file, 'utf8'))).toEqual(['weights', '{}']);
  });

  it('does not replace a run of the same id', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'project/runs', record.id), { recursive: true });
    writeFileSync(join(folder, 'project/runs', record.id, 'run.json'), '{}');
    const { failure, made } = await importing(folder, await archive(folder, partsOf(good)));
    expect(failure).toMatchObject({ code: 'run-exists' });
    expect(made).toHaveLength(1);
  });
});

describe('nothing is taken from an archive', () => {
  const hostile = (name: string, more: Partial<Headers> = {}, text = 'x'): Part[] => [
    ...partsOf(good),
    { name, text, more },
  ];
  const hex = 'a'.repeat(64);

  it.each<[string, Part[], object | undefined, string]>([
    ['with a path out of its folder', hostile('../outside'), undefined, 'archive-unsafe'],
    ['with an absolute path', hostile('/tmp/outside'), undefined, 'archive-unsafe'],
    ['with a path out of a run', hostile(`runs/${record.id}/../../outside`), undefined, 'archive-unsafe'],
    ['with a path out of a model', hostile(`models/${hex}/a/../../../outside`), undefined, 'archive-unsafe'],
    ['with a path for another system', hostile(`models/${hex}/a\\..\\b`), undefined, 'archive-unsafe'],
    ['with a program in a run', hostile(`runs/${record.id}/run.sh`), undefined, 'archive-unsafe'],
    ['with a hidden run', hostile('runs/.hidden/run.json'), undefined, 'archive-unsafe'],
    [
      'with a link',
      hostile(`models/${hex}/link`, { type: 'symlink', linkname: '/etc/passwd' }, ''),
      undefined,
      'archive-unsafe',
    ],
    [
      'with a folder',
      hostile(`models/${hex}/folder`, { type: 'directory' }, ''),
      undefined,
      'archive-unsafe',
    ],
    [
      'with more than its manifest says',
      hostile(`runs/${record.id}/events.ndjson`),
      { entries: manifestOf(good) },
      'archive-damaged',
    ],
    ['with less than its manifest says', partsOf({}), { entries: manifestOf(good) }, 'archive-damaged'],
    [
      'with other bytes',
      partsOf({ ...good, [`runs/${record.id}/run.json`]: recordText.replace('42', '43') }),
      { entries: manifestOf(good) },
      'archive-damaged',
    ],
    [
      'with a blob of another name',
      partsOf({ ...good, [`objects/${hex}`]: 'x' }),
      undefined,
      'archive-damaged',
    ],
    [
      'with the record of another run',
      partsOf({ ...good, [`runs/${record.id}/run.json`]: '{}' }),
      undefined,
      'archive-damaged',
    ],
    [
      'with a record that is damaged in its middle',
      partsOf({
        ...good,
        [`runs/${record.id}/run.json`]: recordText.replace('"metrics":{', '"metrics":7,"x":{'),
      }),
      undefined,
      'archive-damaged',
    ],
    [
      'with a record of a later version',
      partsOf({ ...good, [`runs/${record.id}/run.json`]: recordText.replace('"format":1', '"format":2') }),
      undefined,
      'archive-too-new',
    ],
    [
      'with a model that is not what its name says',
      partsOf({ ...good, ...model, [`models/${modelHex}/encoders/tiny/onnx/model.onnx`]: 'others' }),
      undefined,
      'archive-damaged',
    ],
    [
      'with a file beside a model',
      partsOf({ ...good, ...model, [`models/${modelHex}/encoders/more`]: 'x' }),
      undefined,
      'archive-damaged',
    ],
    [
      'without a record',
      partsOf({ [`objects/${hexOf(digestOf(blob))}`]: blob }),
      undefined,
      'archive-damaged',
    ],
    ['of a later version', partsOf(good), { format: 2, engine: '9.0.0' }, 'archive-too-new'],
  ])('%s', async (_, parts, manifest, code) => {
    const folder = temporaryFolder();
    const { failure, made } = await importing(folder, await archive(folder, parts, manifest));
    expect(failure).toMatchObject({ code });
    expect(made).toEqual([]);
    expect(existsSync(join(folder, 'outside'))).toBe(false);
  });

  it.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ['that is none', () => Buffer.from('no archive')],
    ['that is empty', () => Buffer.alloc(0)],
  ])('%s', async (_, change) => {
    const folder = temporaryFolder();
    const path = await archive(
      folder,
      partsOf({ ...good, [`runs/${record.id}/events.ndjson`]: recordText.repeat(50) }),
    );
    writeFileSync(path, change(readFileSync(path)));
    const { failure, made } = await importing(folder, path);
    expect(failure).toMatchObject({ code: 'archive-damaged' });
    expect(made).toEqual([]);
  });
});

function manifestOf(files: Record<string, string>): object[] {
  return Object.entries(files).map(([name, text]) => ({
    name,
    bytes: Buffer.byteLength(text),
    digest: digestOf(text),
  }));
}
