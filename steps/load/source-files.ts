import { open, readdir, stat } from 'node:fs/promises';
import { extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { nearest } from '../../engine/nearest.ts';
import { StepError } from '../../engine/problems.ts';
import type { StepContext } from '../../engine/step.ts';
import { type Compression, compressionOf } from './bytes.ts';
import { dataFiles } from './folder.ts';

export const formats = [
  'jsonl',
  'json',
  'csv',
  'tsv',
  'parquet',
  'arrow',
  'txt',
  'md',
  'html',
  'pdf',
  'code',
] as const;
export type Format = (typeof formats)[number];

/** A file to be read. */
export interface SourceFile {
  path: string;
  /** Path relative to the project's root, with `/`: what rows and messages say. */
  name: string;
  bytes: number;
  compression: Compression;
  format: Format;
  /** The split of a data set, where the folder that was named says so. */
  split?: string;
  /** What is to be read of it; all if not given. */
  part?: FilePart;
}

/** The lines of a file that an earlier load has not read. */
export interface FilePart {
  /** Bytes: the first one, and the one after the last. */
  start: number;
  end: number;
  /** Line ends and records before it. */
  lines: number;
  records: number;
}

const globCharacters = /[*?[\]{}]/;

/** How files are read, by the extension of their names. */
export const extensions: Record<string, Format> = {
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'json',
  csv: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  parquet: 'parquet',
  pq: 'parquet',
  arrow: 'arrow',
  arrows: 'arrow',
  feather: 'arrow',
  ipc: 'arrow',
  txt: 'txt',
  text: 'txt',
  log: 'txt',
  md: 'md',
  markdown: 'md',
  html: 'html',
  htm: 'html',
  xhtml: 'html',
  pdf: 'pdf',
  py: 'code',
  pyi: 'code',
  ts: 'code',
  mts: 'code',
  cts: 'code',
  tsx: 'code',
  js: 'code',
  mjs: 'code',
  cjs: 'code',
  jsx: 'code',
};

/**
 * The files behind `path`, in the order of the list and sorted within a glob, each once.
 * Nothing found, a folder without data, an unreadable file or an unknown format is a StepError that says what to write instead.
 */
export async function sourceFiles(
  paths: readonly string[],
  asked: Format | 'auto',
  context: StepContext,
): Promise<SourceFile[]> {
  const found = new Map<string, SourceFile>();
  for (const path of paths) {
    const matches = context.files(path);
    const folder = resolve(context.root, path);
    const info = await stat(folder).catch(() => undefined);
    if (info?.isDirectory()) {
      for (const { path: match, split } of dataFiles(folder, path, matches, asked)) {
        const file = await describe(match, path, asked, context.root);
        found.set(match, split === undefined ? file : { ...file, split });
      }
      continue;
    }
    if (matches.length === 0) throw await nothingFound(path, context.root);
    for (const match of matches) {
      if (found.has(match)) continue;
      const file = await describe(match, path, asked, context.root);
      found.set(match, file);
    }
  }
  return [...found.values()];
}

async function describe(
  path: string,
  asPath: string,
  asked: Format | 'auto',
  root: string,
): Promise<SourceFile> {
  const name = relative(root, path).split(sep).join('/');
  let head: Buffer;
  let bytes: number;
  try {
    const info = await stat(path);
    if (!info.isFile())
      throw new StepError(
        'path-not-a-file',
        `${name} is not a regular file`,
        'Name a file with records in it.',
      );
    bytes = info.size;
    head = await firstBytes(path);
  } catch (error) {
    if (error instanceof StepError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw await nothingFound(asPath, root);
    const why =
      code === 'EACCES' || code === 'EPERM'
        ? 'permission denied'
        : code === 'ELOOP'
          ? 'it is a link that leads to itself'
          : (error as Error).message;
    throw new StepError(
      'unreadable-file',
      `${name} cannot be read: ${why}`,
      `Check its permissions: ls -l ${name}`,
    );
  }
  const packed = compressionOf(head);
  if (packed.kind === undefined) {
    throw new StepError(
      'unknown-format',
      `${name} is packed as ${packed.name}, which load does not read`,
      'Unpack it, or pack it as .gz or .zst; export a spreadsheet as CSV.',
    );
  }
  return { path, name, bytes, compression: packed.kind, format: formatOf(name, head, packed.kind, asked) };
}

async function firstBytes(path: string): Promise<Buffer> {
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(8), 0, 8, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function formatOf(name: string, head: Buffer, compression: Compression, asked: Format | 'auto'): Format {
  const bare = name.replace(/\.(gz|zst|zstd)$/i, '');
  const extension = extname(bare).slice(1).toLowerCase();
  let format: Format | undefined = asked === 'auto' ? extensions[extension] : asked;
  if (head.toString('latin1', 0, 4) === 'PAR1') format = 'parquet';
  if (head.toString('latin1', 0, 6) === 'ARROW1') format = 'arrow';
  if (format === undefined) {
    const what = extension === '' ? 'has no extension' : `has the extension .${extension}`;
    throw new StepError(
      'unknown-format',
      `${name} ${what}, which does not say how to read it`,
      `Add format: ${formats.join(' | ')}`,
    );
  }
  if ((format === 'parquet' || format === 'arrow') && compression !== 'none') {
    throw new StepError(
      'unknown-format',
      `${name} is a packed ${format === 'arrow' ? 'Arrow' : 'Parquet'} file, which cannot be read in parts`,
      'Unpack it: the format packs its columns itself.',
    );
  }
  return format;
}

/** The error for a path or glob that matches nothing, with a name that is there. */
async function nothingFound(path: string, root: string): Promise<StepError> {
  const message = globCharacters.test(path) ? `no file matches ${path}` : `there is no file ${path}`;
  // The first part that is not there is the mistake.
  const parts = path.split('/');
  let folder = isAbsolute(path) ? '/' : root;
  for (const [index, part] of parts.entries()) {
    if (part === '') continue;
    const names = await readdir(folder).catch(() => [] as string[]);
    const isGlob = globCharacters.test(part);
    if (!isGlob && (names.includes(part) || part === '..' || part === '.') && index < parts.length - 1) {
      folder = join(folder, part);
      continue;
    }
    const near = isGlob ? undefined : nearest(part, names);
    if (near !== undefined)
      return new StepError('no-file', message, `Did you mean ${parts.with(index, near).join('/')}?`);
    const where = relative(root, folder).split(sep).join('/') || 'The project';
    const shown = names.filter((name) => !name.startsWith('.')).sort();
    if (shown.length === 0) return new StepError('no-file', message, `${where} holds no files.`);
    const more = shown.length > 8 ? `, … (${shown.length})` : '';
    return new StepError('no-file', message, `${where} holds ${shown.slice(0, 8).join(', ')}${more}.`);
  }
  return new StepError('no-file', message, 'Check the path.');
}
