import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/temporary.ts';
import { Interest, type WatchSet } from './watch-set.ts';
import { WatchedFiles } from './watched-files.ts';

let root: string;
let files: WatchedFiles;
let changes: string[][];
let heard: () => void;

beforeEach(() => {
  root = temporaryFolder();
  changes = [];
  heard = () => {};
  files = new WatchedFiles({
    onChange(paths) {
      changes.push(paths);
      heard();
    },
    onProblem(message) {
      throw new Error(message);
    },
    now: Date.now,
  });
});
afterEach(() => files.close());

function set(inputs: string[], own: string[] = []): WatchSet {
  return {
    root,
    sources: [join(root, 'flow.yaml')],
    unkeyed: [],
    inputs: inputs.map((path) => ({ path, steps: ['a'] })),
    own: { files: own.map((path) => join(root, path)), folders: [join(root, 'runs')] },
    needs: { a: [] },
  };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** Resolves when these files were reported. */
async function reported(...paths: string[]): Promise<void> {
  const told = () => paths.every((path) => changes.flat().includes(join(root, path)));
  while (!told())
    await new Promise<void>((resolve) => {
      heard = resolve;
    });
  changes = [];
}

/** A change that is reported after all that came before it: what was not reported by then never is. */
async function untouchedSoFar(): Promise<void> {
  const before = [...changes];
  write('flow.yaml', `steps: {} # ${Math.random()}`);
  await reported('flow.yaml');
  expect(before).toEqual([]);
}

const distantFuture = Number.POSITIVE_INFINITY;

describe('watched files', () => {
  it('reports a change of bytes, and no save without one', async () => {
    write('flow.yaml', 'a');
    write('data/a.jsonl', 'one');
    await files.follow(new Interest(set(['data/a.jsonl'])), distantFuture);
    expect(files.count).toBe(2);
    write('data/a.jsonl', 'one');
    utimesSync(join(root, 'data/a.jsonl'), new Date(), new Date());
    await untouchedSoFar();
    write('data/a.jsonl', 'two');
    await reported('data/a.jsonl');
  });

  it('sees atomic saves, and files that are deleted and made again', async () => {
    write('data/a.jsonl', 'one');
    await files.follow(new Interest(set(['data/a.jsonl'])), distantFuture);
    for (const text of ['two', 'three']) {
      write('data/.a.jsonl.swp', text);
      renameSync(join(root, 'data/.a.jsonl.swp'), join(root, 'data/a.jsonl'));
      await reported('data/a.jsonl');
    }
    rmSync(join(root, 'data/a.jsonl'));
    await reported('data/a.jsonl');
    write('data/a.jsonl', 'four');
    await reported('data/a.jsonl');
    rmSync(join(root, 'data'), { recursive: true });
    await reported('data/a.jsonl');
    write('data/a.jsonl', 'five');
    await reported('data/a.jsonl');
  });

  it('sees folders and files that come later: what a glob matches, and what was missing', async () => {
    await files.follow(
      new Interest(set(['data/*.jsonl', 'deep/**/*.txt', 'prompts/label.hbs'])),
      distantFuture,
    );
    write('data/new.jsonl', 'one');
    await reported('data/new.jsonl');
    write('deep/a/b/c.txt', 'one');
    await reported('deep/a/b/c.txt');
    write('prompts/label.hbs', 'one');
    await reported('prompts/label.hbs');
  });

  it('never reports what runs write, nor what nobody reads', async () => {
    write('flow.yaml', 'a');
    await files.follow(new Interest(set(['out/*'], ['out/table.csv'])), distantFuture);
    write('runs/1/run.json', '{}');
    write('out/table.csv.123.tmp', 'x');
    renameSync(join(root, 'out/table.csv.123.tmp'), join(root, 'out/table.csv'));
    write('notes.txt', 'x');
    await untouchedSoFar();
  });

  it('loses nothing when it changes what it follows, and says what changed before it could look', async () => {
    write('data/a.jsonl', 'one');
    write('data/b.jsonl', 'one');
    await files.follow(new Interest(set(['data/a.jsonl'])), distantFuture);
    write('data/a.jsonl', 'two');
    const following = files.follow(new Interest(set(['data/a.jsonl', 'data/b.jsonl'])), 0);
    await reported('data/a.jsonl', 'data/b.jsonl');
    await following;
    write('data/b.jsonl', 'three');
    await reported('data/b.jsonl');
  });

  it('is up to date with the last of many quick saves once it has caught up', async () => {
    write('data/a.jsonl', 'start');
    await files.follow(new Interest(set(['data/a.jsonl'])), distantFuture);
    for (let save = 0; save < 100; save++) write('data/a.jsonl', `save ${save}`);
    await reported('data/a.jsonl');
    await files.catchUp();
    changes = [];
    await untouchedSoFar();
    expect(readFileSync(join(root, 'data/a.jsonl'), 'utf8')).toBe('save 99');
  });

  it('follows links to files', async () => {
    const elsewhere = temporaryFolder();
    writeFileSync(join(elsewhere, 'big.jsonl'), 'one');
    mkdirSync(join(root, 'data'));
    symlinkSync(join(elsewhere, 'big.jsonl'), join(root, 'data/a.jsonl'));
    await files.follow(new Interest(set(['data/*.jsonl'])), distantFuture);
    writeFileSync(join(elsewhere, 'big.jsonl'), 'two');
    await reported('data/a.jsonl');
  });
});
