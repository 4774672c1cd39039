import { readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { type Digest, digestOf, digestOfJson } from '../digest.ts';
import { ModuleResolution } from './module-resolution.ts';
import { type ModuleSyntax, readModuleSyntax } from './module-syntax.ts';

/** A file that belongs to a step type's code. */
export interface CodeModule {
  /** Relative to the project's root or, for a built-in type, to the engine's package; with `/`. */
  path: string;
  digest: Digest;
}

/** What a step type's code is, or why that cannot be known (then its steps run uncached). */
export type CodeFingerprint =
  | {
      digest: Digest;
      /** Versions of the packages that the code imports. Not in `digest`. */
      packages: Record<string, string>;
      modules: CodeModule[];
    }
  | { problem: string };

/** Where results are kept between processes. Losing an entry costs a scan. */
export interface CodeCache {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
}

/** Digests of the built-in types' code, made when the package was built: by the name in `use:`. */
export interface PrecomputedCode {
  [use: string]: { digest: Digest; packages: string[]; modules: CodeModule[] };
}

/** A file's state when it was read; equal states mean equal content. */
type FileState = [path: string, size: number, mtime: number, ctime: number, inode: number, content: Digest];

interface StoredGraph {
  files: FileState[];
  /** Paths that were looked for and not there: should one appear, imports may lead elsewhere. */
  absent: string[];
  code: CodeFingerprint;
}

/** Raised when the way of normalising changes, so that digests kept under the old way are not used. */
const cacheFormat = 2;
/** Modules of the engine that compute what a step writes, beside the seams that only carry it: they are its code. */
const computing = new Set(['cel', 'cel-paths', 'cel-values']);
/** A file changed this shortly before it was read may change again within the clock's grain, unseen. */
const grain = 100;

/**
 * Digests of step types' code: a module and all local modules that it reaches, normalised so that comments, white
 * space, formatting and types do not count, nor where the files lie. The engine's own modules do not count, but for
 * those that compute results; packages count by their version.
 *
 * An instance answers for one moment (a plan, a run): it looks at each file once.
 */
export class CodeDigests {
  readonly #engineFolder: string;
  readonly #packageFolder: string;
  readonly #root: string | undefined;
  #realRoot: string | undefined;
  readonly #cache: CodeCache | undefined;
  readonly #precomputed: PrecomputedCode | undefined;
  readonly #known = new Map<string, CodeFingerprint>();
  /** By module: every path that its answer hangs on. */
  readonly #behind = new Map<string, string[]>();
  #enginePackage: string | undefined;

  /**
   * @param options.engineFolder absolute path of `engine/`: most modules in it are seams, not steps' code
   * @param options.root the project's root: paths that people read begin there, and packages may be there
   */
  constructor(options: {
    engineFolder: string;
    root?: string;
    cache?: CodeCache;
    precomputed?: PrecomputedCode;
  }) {
    this.#engineFolder = options.engineFolder;
    this.#packageFolder = dirname(options.engineFolder);
    this.#root = options.root;
    this.#cache = options.cache;
    this.#precomputed = options.precomputed;
  }

  /**
   * @param modulePath absolute path of the module whose default export is the step type
   * @param use its name, if it is a built-in type
   */
  of(modulePath: string, use?: string): CodeFingerprint {
    const known = this.#known.get(modulePath);
    if (known) return known;
    const code = this.#precomputedCode(modulePath, use) ?? this.#stored(modulePath) ?? this.#scan(modulePath);
    this.#known.set(modulePath, code);
    return code;
  }

  /**
   * Absolute, real paths that a module's answer hangs on: all that it imports, and where else imports were looked for.
   * Known for a module with a problem as well; nothing for a built-in type whose digest came with the package.
   */
  pathsBehind(modulePath: string): readonly string[] {
    this.of(modulePath);
    return this.#behind.get(modulePath) ?? [];
  }

  /** Modules of a code digest seen before, so that a change can be told by file; undefined if it was forgotten. */
  modulesOf(digest: Digest): CodeModule[] | undefined {
    const stored = this.#cache?.get(`modules:${digest}`);
    if (stored) return JSON.parse(stored) as CodeModule[];
    for (const code of this.#known.values())
      if ('digest' in code && code.digest === digest) return code.modules;
    return undefined;
  }

  #precomputedCode(modulePath: string, use: string | undefined): CodeFingerprint | undefined {
    const made = use === undefined ? undefined : this.#precomputed?.[use];
    if (!made) return undefined;
    const key = `packages:${cacheFormat}:${this.#packageFolder}:${this.#root ?? ''}:${made.packages.join(',')}`;
    const stored = this.#verified(key);
    let packages = stored && 'packages' in stored ? stored.packages : undefined;
    if (!packages) {
      const resolution = new ModuleResolution(this.#enginePackageName(), this.#root);
      packages = {};
      for (const name of made.packages) {
        const target = resolution.resolve(name, modulePath);
        packages[name] = target.kind === 'package' ? target.version : 'not installed';
      }
      this.#store(key, resolution, new Map(), { digest: made.digest, packages, modules: [] });
    }
    const code = { digest: made.digest, packages, modules: made.modules };
    this.#rememberModules(code);
    return code;
  }

  #stored(modulePath: string): CodeFingerprint | undefined {
    return this.#verified(this.#graphKey(modulePath), modulePath);
  }

  #graphKey(modulePath: string): string {
    return `graph:${cacheFormat}:${this.#root ?? ''}:${modulePath}`;
  }

  /** What is kept under a key, if every file behind it is as it was. */
  #verified(key: string, modulePath?: string): CodeFingerprint | undefined {
    const text = this.#cache?.get(key);
    if (!text) return undefined;
    const stored = JSON.parse(text) as StoredGraph;
    let touched = false;
    for (const file of stored.files) {
      const [path, size, mtime, ctime, inode, content] = file;
      const stat = statSync(path, { throwIfNoEntry: false });
      if (!stat?.isFile()) return undefined;
      if (stat.size === size && stat.mtimeMs === mtime && stat.ctimeMs === ctime && stat.ino === inode)
        continue;
      if (digestOf(readFileSync(path)) !== content) return undefined;
      file.splice(0, 6, ...fileState(path, stat, content));
      touched = true;
    }
    for (const path of stored.absent)
      if (statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined;
    if (touched) this.#cache?.set(key, JSON.stringify(stored));
    if (modulePath) this.#behind.set(modulePath, [...stored.files.map(([path]) => path), ...stored.absent]);
    return stored.code;
  }

  #store(
    key: string,
    resolution: ModuleResolution,
    contents: Map<string, Digest>,
    code: CodeFingerprint,
  ): void {
    if (!this.#cache) return;
    const stored: StoredGraph = { files: [], absent: [], code };
    for (const [path, stat] of resolution.seen) {
      if (stat) stored.files.push(fileState(path, stat, contents.get(path) ?? digestOf(readFileSync(path))));
      else stored.absent.push(path);
    }
    this.#cache.set(key, JSON.stringify(stored));
    if ('digest' in code) this.#rememberModules(code);
  }

  #rememberModules(code: { digest: Digest; modules: CodeModule[] }): void {
    const key = `modules:${code.digest}`;
    if (this.#cache && code.modules.length > 0 && this.#cache.get(key) === undefined)
      this.#cache.set(key, JSON.stringify(code.modules));
  }

  /** Reads the graph of modules from its entry, depth first, in the order of the text. */
  #scan(modulePath: string): CodeFingerprint {
    const resolution = new ModuleResolution(this.#enginePackageName(), this.#root);
    const contents = new Map<string, Digest>();
    // A module is known by the number of its first visit, so that names and places of files do not count.
    const numbers = new Map<string, number>();
    const graph: [Digest, ...(number | string)[]][] = [];
    const modules: CodeModule[] = [];
    const packages: Record<string, string> = {};
    let problem: string | undefined;

    const visit = (path: string, asFile: boolean): number => {
      const id = asFile ? `file:${path}` : path;
      const visited = numbers.get(id);
      if (visited !== undefined) return visited;
      const number = graph.length;
      numbers.set(id, number);
      resolution.stat(path);
      const bytes = readFileSync(path);
      const content = digestOf(bytes);
      contents.set(path, content);
      const syntax = this.#syntax(path, bytes, content, asFile);
      const node: [Digest, ...(number | string)[]] = [syntax.digest];
      graph.push(node);
      modules.push({ path: this.#shownPath(path), digest: syntax.digest });
      if (syntax.problem)
        problem ??= `${this.#shownPath(path)}:${syntax.problem.line} ${syntax.problem.message}`;
      for (const edge of syntax.edges) {
        const targets = edge.specifiers.map((specifier) =>
          edge.kind === 'file' && !/^([a-z]+:|\/)/i.test(specifier)
            ? resolution.resolve(specifier.replace(/^(?!\.{1,2}(\/|$))/, './'), path)
            : resolution.resolve(specifier, path),
        );
        const found = targets.filter((target) => target.kind !== 'missing');
        // A URL may name a folder, or a file yet to be made: only what is there can be code.
        if (found.length === 0 && edge.kind === 'import') {
          const message = targets[0]?.kind === 'missing' ? targets[0].message : 'imports nothing';
          problem ??= `${this.#shownPath(path)} ${message}`;
        }
        for (const target of found) {
          if (target.kind === 'package') {
            packages[target.name] = target.version;
            node.push(`package:${target.name}`);
          } else if (target.kind === 'file') {
            node.push(this.#isSeam(target.path) ? 'engine' : visit(target.path, edge.kind === 'file'));
          }
        }
      }
      return number;
    };

    let code: CodeFingerprint;
    try {
      resolution.stat(modulePath);
      const entry = realpathSync(modulePath);
      visit(entry, false);
      const own = resolution.installedPackage(entry);
      if (own) packages[own.name] = own.version;
      code =
        problem === undefined
          ? { digest: digestOfJson(graph), packages: sorted(packages), modules }
          : { problem };
    } catch (error) {
      // A file that cannot be read (gone since, no permission) leaves the code unknown; nothing is kept of it.
      return { problem: error instanceof Error ? error.message : String(error) };
    } finally {
      this.#behind.set(modulePath, [...resolution.seen.keys()]);
    }
    this.#store(this.#graphKey(modulePath), resolution, contents, code);
    return code;
  }

  #syntax(path: string, bytes: Buffer, content: Digest, asFile: boolean): ModuleSyntax {
    const language = /\.[cm]?ts$/.test(path) ? 'typescript' : /\.[cm]?js$/.test(path) ? 'javascript' : null;
    if (!language) {
      const digest = path.endsWith('.json') && !asFile ? digestOfJsonText(bytes, content) : content;
      return { digest, edges: [], problem: null };
    }
    const key = `syntax:${cacheFormat}:${language}:${content}`;
    const stored = this.#cache?.get(key);
    if (stored) return JSON.parse(stored) as ModuleSyntax;
    const syntax = readModuleSyntax(bytes.toString('utf8'), language);
    this.#cache?.set(key, JSON.stringify(syntax));
    return syntax;
  }

  #isSeam(path: string): boolean {
    if (path.startsWith(this.#engineFolder + sep))
      return !computing.has(relative(this.#engineFolder, path).replace(/\.[jt]s$/, ''));
    return (
      dirname(path) === this.#packageFolder && /^index\.[jt]s$/.test(relative(this.#packageFolder, path))
    );
  }

  #shownPath(path: string): string {
    // Modules go by their real paths; the root may have been reached by a link.
    this.#realRoot ??= this.#root && realpathSync(this.#root);
    for (const folder of [this.#realRoot, this.#packageFolder])
      if (folder && path.startsWith(folder + sep)) return relative(folder, path).replaceAll(sep, '/');
    const outside = this.#realRoot ? relative(this.#realRoot, path) : path;
    return (isAbsolute(outside) ? path : outside).replaceAll(sep, '/');
  }

  #enginePackageName(): string | undefined {
    if (this.#enginePackage === undefined) {
      // Beside `engine/` in the sources, one folder up in the built package.
      for (const folder of [this.#packageFolder, dirname(this.#packageFolder)]) {
        const path = join(folder, 'package.json');
        if (!statSync(path, { throwIfNoEntry: false })) continue;
        this.#enginePackage = (JSON.parse(readFileSync(path, 'utf8')) as { name?: string }).name ?? '';
        break;
      }
    }
    return this.#enginePackage;
  }
}

function fileState(path: string, stat: Stats, content: Digest): FileState {
  // An impossible size makes the next look read the file.
  const settled = Math.max(stat.mtimeMs, stat.ctimeMs) < Date.now() - grain;
  return [path, settled ? stat.size : -1, stat.mtimeMs, stat.ctimeMs, stat.ino, content];
}

/** White space of a JSON module does not count; the order of its members does, since code can see it. */
function digestOfJsonText(bytes: Buffer, content: Digest): Digest {
  try {
    return digestOf(JSON.stringify(JSON.parse(bytes.toString('utf8'))));
  } catch {
    return content;
  }
}

function sorted(packages: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
}
