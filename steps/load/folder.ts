import { extname, relative, sep } from 'node:path';
import { StepError } from '../../engine/problems.ts';
import { extensions, type Format } from './source-files.ts';

/** Files beside the data of a Hugging Face data set. */
const metadata = new Set([
  'README.md',
  'dataset_info.json',
  'dataset_infos.json',
  'dataset_dict.json',
  'state.json',
]);

/** A file of a folder, and the part of the data set that its name says it is of. */
export interface FolderFile {
  path: string;
  split: string | undefined;
}

/**
 * The files of a folder that hold records: those of the format asked for; else the Parquet files, or the files of the
 * one format that there is, without a data set's metadata. No such file, or several formats, is a StepError.
 */
export function dataFiles(
  folder: string,
  name: string,
  files: readonly string[],
  asked: Format | 'auto',
): FolderFile[] {
  const byFormat = new Map<Format, string[]>();
  const kept = asked === 'auto' ? files.filter((path) => !metadata.has(path.split(sep).at(-1)!)) : files;
  for (const path of kept) {
    const extension = extname(path.replace(/\.(gz|zst|zstd)$/i, ''))
      .slice(1)
      .toLowerCase();
    const format = extensions[extension];
    if (format) byFormat.set(format, [...(byFormat.get(format) ?? []), path]);
  }
  const wanted = asked === 'auto' ? (byFormat.has('parquet') ? 'parquet' : [...byFormat.keys()][0]) : asked;
  const chosen = wanted && byFormat.get(wanted);
  if (!chosen) {
    throw new StepError(
      'no-file',
      `${name} holds no file that load can read`,
      'Name the files in it, and their format.',
    );
  }
  if (asked === 'auto' && wanted !== 'parquet' && byFormat.size > 1) {
    const there = [...byFormat].map(([format, { length }]) => `${length} ${format}`).join(', ');
    throw new StepError(
      'unknown-format',
      `${name} holds files of several formats: ${there}`,
      `Say which, as in format: ${wanted}`,
    );
  }
  return chosen.map((path) => ({ path, split: splitOf(relative(folder, path).split(sep).join('/')) }));
}

const words: Record<string, string> = {
  train: 'train',
  training: 'train',
  validation: 'validation',
  valid: 'validation',
  val: 'validation',
  dev: 'validation',
  test: 'test',
  testing: 'test',
  eval: 'test',
  evaluation: 'test',
};

/** The split that a path names, as Hugging Face's `datasets` reads it: `train-00000-of-00002`, `test.csv`, `dev/a.jsonl`. */
function splitOf(path: string): string | undefined {
  const shard = /(?:^|\/)(?:[^/]*?[-_.])??([a-z]\w*)-\d{5}-of-\d{5}/i.exec(path)?.[1];
  // `save_to_disk` calls every shard `data`, in a folder for each split.
  if (shard !== undefined && shard !== 'data') return words[shard.toLowerCase()] ?? shard;
  const found = path
    .toLowerCase()
    .split(/[^a-z]+/)
    .find((word) => Object.hasOwn(words, word));
  return found && words[found];
}
