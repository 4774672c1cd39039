import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { nearest } from '../nearest.ts';
import type { Place } from '../problems.ts';
import { type Located, type LocatedMap, placeOf, type Span, textOf } from './located.ts';
import type { ProblemList } from './problem-list.ts';
import { displayPath, SourceFile } from './source.ts';
import { parseYaml } from './yaml.ts';

/** Larger files are no workflows, and would only make the parser slow. */
const maxBytes = 16 * 1024 * 1024;

/** A file of a workflow: the one that was named, or one that another includes. */
export interface WorkflowFile {
  source: SourceFile;
  root: LocatedMap;
  /** The file that includes it; null for the workflow file itself. */
  parent: WorkflowFile | null;
}

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

/** The workflow file and all that it includes, itself first; undefined if any of them cannot be read as YAML. */
export async function loadFiles(
  path: string,
  cwd: string,
  root: string,
  problems: ProblemList,
): Promise<{ files: WorkflowFile[]; sources: SourceFile[]; complete: boolean }> {
  const files: WorkflowFile[] = [];
  const sources: SourceFile[] = [];
  let complete = true;
  const load = async (
    file: string,
    parent: WorkflowFile | null,
    chain: { path: string; place: Place; message: string }[],
    where?: Span,
  ): Promise<void> => {
    const source = readSource(file, cwd, problems, where);
    if (source === undefined) {
      complete = false;
      return;
    }
    sources.push(source);
    problems.setChain(
      source,
      chain.map(({ place, message }) => ({ place, message })),
    );
    const node = await parseYaml(source, problems);
    if (node?.kind !== 'map') {
      complete = false;
      if (node !== undefined) reportNoMap(node, problems);
      return;
    }
    const loaded: WorkflowFile = { source, root: node, parent };
    files.push(loaded);
    for (const included of includesOf(node)) {
      const target = resolvePath(textOf(included)!, dirname(source.path), root);
      const link = { path: source.path, place: placeOf(included), message: 'included from here' };
      const open = [...chain.map((step) => step.path).reverse(), source.path];
      const loop = open.indexOf(target);
      if (loop !== -1) {
        const names = [...open.slice(loop), target];
        problems.error(
          'include-cycle',
          `the files include each other: ${names.map((name) => new SourceFile(name, '', cwd).display).join(' → ')}`,
          included,
          { hint: 'take one of the includes out' },
        );
        complete = false;
        continue;
      }
      if (sources.some((known) => known.path === target)) continue;
      await load(target, loaded, [link, ...chain], included);
    }
  };
  await load(path, null, []);
  return { files, sources, complete };
}

function includesOf(root: LocatedMap): Located[] {
  const node = root.entries.get('include')?.value;
  const list = node?.kind === 'list' ? node.items : node === undefined ? [] : [node];
  return list.filter((item) => (textOf(item) ?? '') !== '');
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
