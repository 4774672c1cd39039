import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { jsonl, numberedTexts, TestProject } from '../project.ts';

const workflow = `name: many
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  part:
    use: filter
    from: rows
    matrix: { n: [${Array.from({ length: 60 }, (_, index) => index).join(', ')}] }
    with: { where: "row.id != 'r\${{ matrix.n }}'" }
`;

/** Every blob by its digest. */
function blobsOf(p: TestProject): Map<string, string> {
  const objects = p.path('.reprise/objects');
  const paths = new Map<string, string>();
  for (const shard of readdirSync(objects).filter((name) => /^[0-9a-f]{2}$/.test(name)))
    for (const rest of readdirSync(join(objects, shard)))
      paths.set(`sha256:${shard}${rest}`, join(objects, shard, rest));
  return paths;
}

/** Changes bytes as a bad disk does: neither size nor times say so. */
function secretly(path: string, change: (bytes: Buffer) => void): void {
  const { mtimeNs } = statSync(path, { bigint: true });
  const bytes = readFileSync(path);
  change(bytes);
  chmodSync(path, 0o644);
  writeFileSync(path, bytes);
  // To the microsecond, in which the mark is.
  const time = Number(mtimeNs / 1000n) / 1e6 + 0.5e-6;
  utimesSync(path, time, time);
}

const faults: Record<string, (path: string, other: string) => 'damaged' | 'missing'> = {
  'a flipped bit': (path) => {
    secretly(path, (bytes) => {
      bytes[bytes.length >> 1]! ^= 4;
    });
    return 'damaged';
  },
  'the last byte': (path) => {
    secretly(path, (bytes) => {
      bytes[bytes.length - 1]! ^= 255;
    });
    return 'damaged';
  },
  'a block of zeros': (path) => {
    secretly(path, (bytes) => void bytes.fill(0, 0, Math.min(512, bytes.length)));
    return 'damaged';
  },
  'a part': (path) => {
    truncateSync(path, statSync(path).size - 1);
    return 'damaged';
  },
  'nothing in it': (path) => {
    truncateSync(path, 0);
    return 'damaged';
  },
  'a byte more': (path) => {
    appendFileSync(path, 'x');
    return 'damaged';
  },
  'the bytes of another': (path, other) => {
    rmSync(path);
    copyFileSync(other, path);
    return 'damaged';
  },
  'a link to another': (path, other) => {
    rmSync(path);
    symlinkSync(other, path);
    return 'damaged';
  },
  'a folder': (path) => {
    rmSync(path);
    mkdirSync(path);
    writeFileSync(join(path, 'file'), 'x');
    return 'damaged';
  },
  gone: (path) => {
    rmSync(path);
    return 'missing';
  },
  'a link to nothing': (path) => {
    rmSync(path);
    symlinkSync(`${path}-not-there`, path);
    return 'missing';
  },
  'another name': (path) => {
    renameSync(path, `${path}.bak`);
    return 'missing';
  },
};

it('finds 50 faults of every kind, removes them on demand, and the next run makes good', async () => {
  using p = new TestProject({ 'w.yaml': workflow, 'data.jsonl': jsonl(numberedTexts(80)) });
  const first = await p.run('w.yaml');
  const verify = async (...more: string[]) => {
    const { code, out } = await p.reprise('cache', 'verify', '--json', ...more);
    const { damaged, missing, removed, checked } = JSON.parse(out);
    return { code, checked, damaged: damaged.sort(), missing: missing.sort(), removed: removed.sort() };
  };
  const blobs = blobsOf(p);
  expect(await verify()).toMatchObject({ code: 0, checked: blobs.size, damaged: [], missing: [] });
  expect(blobs.size).toBeGreaterThan(60);

  const expected: { damaged: string[]; missing: string[] } = { damaged: [], missing: [] };
  const [intact, ...victims] = [...blobs];
  for (const [index, [digest, path]] of victims.slice(0, 50).entries()) {
    const fault = Object.values(faults)[index % Object.keys(faults).length]!;
    expected[fault(path, intact![1])].push(digest);
  }
  expected.damaged.sort();
  expected.missing.sort();
  expect(expected.damaged.length + expected.missing.length).toBe(50);
  expect(await verify()).toEqual({
    code: 1,
    checked: blobs.size - expected.missing.length,
    ...expected,
    removed: [],
  });
  // Looking changes nothing; --repair removes, and what is missing stays missing until a run.
  expect(await verify('--repair')).toMatchObject({ code: 1, ...expected, removed: expected.damaged });
  expect(await verify()).toMatchObject({ damaged: [] });

  const again = await p.run('w.yaml');
  expect(again.code).toBe(0);
  expect(again.steps.map(({ outputs }) => outputs)).toEqual(first.steps.map(({ outputs }) => outputs));
  expect(await verify()).toMatchObject({ code: 0, damaged: [], missing: [] });
  const shown = await p.reprise('cache', 'verify', '--repair');
  expect(shown.out).toMatch(/^\d+ blobs read, 0 damaged, 0 missing, 0 removed\n$/);
});
