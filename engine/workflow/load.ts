import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { nearest } from '../nearest.ts';
import type { Place } from '../problems.ts';
import {
  type Located,
  type LocatedMap,
  type LocatedScalar,
  member,
  placeOf,
  type Span,
  textOf,
} from './located.ts';
import { Names } from './names.ts';
import { noParams } from './params.ts';
import { type Part, relocated } from './part.ts';
import type { ProblemList } from './problem-list.ts';
import { displayPath, SourceFile } from './source.ts';
import { parseYaml } from './yaml.ts';

/** Larger files are no workflows, and would only make the parser slow. */
const maxBytes = 16 * 1024 * 1024;

/** Reads a text file; what stands in the way is a problem, at the place that names the file. */
export function readSource(
  path: string,
  cwd: string,
  problems: ProblemList,
  where?: Span,
): SourceFile | undefined {
  const shown = new SourceFile(path, '', cwd).display;
  try {
    const { size } = statSync(path);
    if (size > maxBytes) {
      problems.error(
        'file-too-large',
        `${shown} has ${Math.round(size / 2 ** 20)} MB: that is no workflow`,
        where,
      );
      return undefined;
    }
    const text = decode(readFileSync(path));
    if (text !== undefined) return new SourceFile(path, text, cwd);
    problems.error('file-not-utf8', `${shown} is not a UTF-8 text`, where, { hint: 'save it as UTF-8' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      problems.error(
        'file-not-found',
        `there is no file ${shown}`,
        where,
        filesHint(path, cwd, where === undefined),
      );
    else if (code === 'EISDIR')
      problems.error(
        'file-not-readable',
        `${shown} is a folder, not a file`,
        where,
        filesHint(join(path, '.yaml'), cwd, where === undefined),
      );
    else problems.error('file-not-readable', `${shown} cannot be read (${code ?? String(error)})`, where);
  }
  return undefined;
}

/** The YAML file that was probably meant, or those there are: beside the path, and for a call in the usual places. */
function filesHint(path: string, cwd: string, isCall: boolean): { hint?: string } {
  const folders = new Set([dirname(path), ...(isCall ? [cwd, join(cwd, 'workflows')] : [])]);
  const files = [...folders].flatMap((folder) => yamlFiles(folder).map((name) => join(folder, name)));
  const stem = (file: string) => basename(file).replace(/\.ya?ml$/, '');
  const same = files.find((file) => stem(file) === stem(path));
  const close = same ? stem(same) : nearest(stem(path), files.map(stem));
  const meant = files.find((file) => stem(file) === close);
  if (meant) return { hint: `did you mean "${displayPath(meant, cwd)}"?` };
  const some = files.slice(0, 6).map((file) => displayPath(file, cwd));
  if (some.length === 0) return isCall ? { hint: 'a project to start from: reprise init <dir>' } : {};
  return {
    hint: `there are: ${some.join(', ')}${files.length > some.length ? `, … (${files.length})` : ''}`,
  };
}

function yamlFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /\.ya?ml$/.test(name) && name !== 'reprise.yaml')
      .sort();
  } catch {
    // No such folder.
    return [];
  }
}

/** UTF-8 text without its byte order mark; undefined if the bytes are none. */
export function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** A path as a file says it: `./x` and `../x` from the file's folder, others from the root. Absolute. */
export function resolvePath(path: string, folder: string, root: string): string {
  if (isAbsolute(path)) return resolve(path);
  return resolve(/^\.\.?([/\\]|$)/.test(path) ? folder : root, path);
}

/** A path relative to the root, with `/` on every system; absolute where it lies on another drive. */
export function fromRoot(path: string, root: string): string {
  const short = relative(root, path);
  const chosen = short === '' ? '.' : isAbsolute(short) ? path : short;
  return sep === '/' ? chosen : chosen.replaceAll(sep, '/');
}

/** The workflow file and all that it includes, itself first; incomplete if any of them cannot be read as YAML. */
export async function loadFiles(
  path: string,
  cwd: string,
  root: string,
  problems: ProblemList,
  onFile: (path: string) => void = () => {},
): Promise<{ parts: Part[]; sources: SourceFile[]; complete: boolean }> {
  const parts: Part[] = [];
  const sources: SourceFile[] = [];
  /** A file that is included more than once is read once. */
  const read = new Map<string, { source: SourceFile; node: LocatedMap } | undefined>();
  let complete = true;

  const readFile = async (file: string, chain: Link[], where?: Span) => {
    onFile(file);
    const source = readSource(file, cwd, problems, where);
    if (source === undefined) return undefined;
    sources.push(source);
    problems.setChain(source, chain);
    const node = await parseYaml(source, problems);
    if (node?.kind === 'map') return { source, node };
    if (node !== undefined) reportNoMap(node, problems);
    return undefined;
  };

  const load = async (file: string, parent: Part | null, include: Include | null, chain: Link[]) => {
    if (!read.has(file)) read.set(file, await readFile(file, chain, include?.file));
    const found = read.get(file);
    if (found === undefined) {
      complete = false;
      return;
    }
    let { source, node } = found;
    if (parts.some((part) => part.source === source)) {
      // Each inclusion has a chain of its own.
      source = source.copy();
      problems.setChain(source, chain);
      node = relocated(node, source);
    }
    const own = include?.prefix ?? '';
    const part: Part = {
      source,
      root: node,
      parent,
      names: parent !== null && own === '' ? parent.names : new Names({ outer: parent?.names, prefix: own }),
      prefix: (parent?.prefix ?? '') + own,
      given: include?.params ?? null,
      params: noParams(),
      profiles: parent?.profiles ?? [],
      ownParams: false,
      steps: new Map(),
      caller: null,
      axes: null,
      rows: null,
    };
    parts.push(part);
    for (const next of includesOf(node)) {
      const target = resolvePath(textOf(next.file)!, dirname(source.path), root);
      const link = { path: source.path, place: placeOf(next.file), message: 'included from here' };
      const open = [...chain.map((step) => step.path).reverse(), source.path];
      const loop = open.indexOf(target);
      if (loop !== -1) {
        const names = [...open.slice(loop), target];
        problems.error(
          'include-cycle',
          `the files include each other: ${names.map((name) => new SourceFile(name, '', cwd).display).join(' → ')}`,
          next.file,
          { hint: 'take one of the includes out' },
        );
        complete = false;
        continue;
      }
      const plain = next.prefix === '' && next.params === null;
      if (plain && parts.some((known) => known.source.path === target && known.prefix === part.prefix))
        continue;
      await load(target, part, next, [link, ...chain]);
    }
  };
  await load(path, null, null, []);
  return { parts, sources, complete };
}

interface Link {
  path: string;
  place: Place;
  message: string;
}

/** An entry of `include`. */
interface Include {
  file: LocatedScalar;
  prefix: string;
  params: LocatedMap | null;
}

/** The entries of `include` that can be followed; what is wrong with others, the schema says. */
function includesOf(root: LocatedMap): Include[] {
  const node = root.entries.get('include')?.value;
  const list = node?.kind === 'list' ? node.items : node === undefined ? [] : [node];
  return list.flatMap((item) => {
    const file = item.kind === 'map' ? member(item, 'file') : item;
    if (file?.kind !== 'scalar' || (textOf(file) ?? '') === '') return [];
    const params = member(item, 'params');
    return [
      { file, prefix: textOf(member(item, 'prefix')) ?? '', params: params?.kind === 'map' ? params : null },
    ];
  });
}

function reportNoMap(node: Located, problems: ProblemList): void {
  const text = textOf(node);
  const colon = text !== undefined && /^[\w-]+:\S/.test(text);
  problems.error(
    'wrong-type',
    `a workflow is a map of keys (name, params, steps), not ${kindOf(node)}`,
    node,
    {
      hint: colon ? 'put a space behind the colon' : 'start with: steps:',
    },
  );
}

function kindOf(node: Located): string {
  if (node.kind === 'list') return 'a list';
  return node.kind === 'scalar' && typeof node.value === 'string' ? 'a text' : 'a single value';
}
