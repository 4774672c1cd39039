import { readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, extname, isAbsolute, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isRelative } from './module-syntax.ts';

/** What an import leads to. */
export type ModuleTarget =
  /** A file of the project's own. */
  | { kind: 'file'; path: string }
  /** An installed package: its version stands for its code. */
  | { kind: 'package'; name: string; version: string }
  /** Node itself, or the engine: neither counts. */
  | { kind: 'ignored' }
  | { kind: 'missing'; message: string };

interface PackageJson {
  name?: string;
  version?: string;
  main?: string;
  exports?: unknown;
  imports?: unknown;
}

const builtins = new Set(builtinModules);
const conditions = new Set(['development', 'node', 'import', 'module-sync', 'default']);

/**
 * Finds what specifiers lead to, as Node does, and remembers every path that it looked at, there or not: as long as
 * all of them are as they were, so is every answer.
 */
export class ModuleResolution {
  /** Every path that was asked for: its state, or null for one that was not there. */
  readonly seen = new Map<string, Stats | null>();
  readonly #enginePackage: string | undefined;
  readonly #root: string | undefined;
  readonly #packages = new Map<string, PackageJson | null>();

  /**
   * @param enginePackage name of the engine's own package, whose version does not count
   * @param root folder of the project: built-in types may take a package from there that is not beside the engine
   */
  constructor(enginePackage: string | undefined, root?: string) {
    this.#enginePackage = enginePackage;
    this.#root = root;
  }

  /** @param from absolute path of the importing module */
  resolve(specifier: string, from: string): ModuleTarget {
    if (specifier.startsWith('node:') || builtins.has(specifier)) return { kind: 'ignored' };
    if (/^(data|https?):/.test(specifier)) return { kind: 'ignored' };
    if (specifier.startsWith('file:')) return this.#file(fileURLToPath(specifier), specifier);
    if (isRelative(specifier) || isAbsolute(specifier)) {
      const path = resolve(dirname(from), decodeURIComponent(specifier.replace(/[?#].*$/, '')));
      return this.#file(path, specifier);
    }
    if (specifier.startsWith('#')) return this.#ownImport(specifier, from);
    return this.#package(specifier, from);
  }

  /** The file that a package gives for a specifier, to a project in a folder; undefined if it is not installed. */
  fileOf(specifier: string, folder: string): ModuleTarget | undefined {
    const [, name, rest] = /^((?:@[^/]+\/)?[^/@]+)(\/.*)?$/.exec(specifier) ?? [];
    if (!name) return undefined;
    for (const above of foldersUpward(folder)) {
      const home = join(above, 'node_modules', name);
      const json = this.#packageJson(home);
      if (json) return this.#entry(json, realpathSync(home), `.${rest ?? ''}`, specifier);
    }
    return undefined;
  }

  /** The installed package that a module belongs to; null for one of the project's own, or of a linked package. */
  installedPackage(module: string): { name: string; version: string } | null {
    if (!dirname(module).split(sep).includes('node_modules')) return null;
    const own = this.#ownPackage(module);
    return own?.json.name === undefined
      ? null
      : { name: own.json.name, version: own.json.version ?? 'no version' };
  }

  /** A path's state. A folder is no file: null. */
  stat(path: string): Stats | null {
    const known = this.seen.get(path);
    if (known !== undefined) return known;
    const stat = statSync(path, { throwIfNoEntry: false });
    const state = stat?.isFile() ? stat : null;
    this.seen.set(path, state);
    return state;
  }

  #file(path: string, specifier: string): ModuleTarget {
    if (this.stat(path)) return this.#found(path);
    // `require` guesses extensions; an ES module's import of such a name fails anyway when it is loaded.
    if (extname(path) === '' || !/\.[cm]?[jt]s$|\.json$/.test(path)) {
      for (const guess of ['.js', '.cjs', '.json', '.ts', '.cts', '/index.js', '/index.ts'])
        if (this.stat(path + guess)) return this.#found(path + guess);
    }
    return { kind: 'missing', message: `imports ${specifier}, which is not there` };
  }

  /** Imports of a linked file start from where it really is. The link itself was looked at, so a new target is seen. */
  #found(path: string): ModuleTarget {
    return { kind: 'file', path: realpathSync(path) };
  }

  #package(specifier: string, from: string): ModuleTarget {
    const [, name, rest] = /^((?:@[^/]+\/)?[^/]+)(\/.*)?$/.exec(specifier) ?? [];
    if (!name) return { kind: 'missing', message: `imports ${specifier}, which names no package` };
    if (name === this.#enginePackage) return { kind: 'ignored' };
    const subpath = `.${rest ?? ''}`;
    const folders = [...foldersUpward(dirname(from)), ...(this.#root ? foldersUpward(this.#root) : [])];
    for (const folder of folders) {
      const json = this.#packageJson(join(folder, 'node_modules', name));
      if (!json) continue;
      const home = realpathSync(join(folder, 'node_modules', name));
      if (home.split(sep).includes('node_modules'))
        return { kind: 'package', name, version: json.version ?? 'no version' };
      // A package linked from a workspace keeps its version while it is edited: its code counts like any helper's.
      return this.#entry(json, home, subpath, specifier);
    }
    const own = this.#ownPackage(from);
    if (own && own.json.name === name) return this.#entry(own.json, own.folder, subpath, specifier);
    // Not installed is a state like any version: installing it is a change.
    return { kind: 'package', name, version: 'not installed' };
  }

  #entry(json: PackageJson, folder: string, subpath: string, specifier: string): ModuleTarget {
    const target =
      json.exports !== undefined
        ? exportTarget(json.exports, subpath)
        : subpath === '.'
          ? (json.main ?? './index.js')
          : subpath;
    if (target === null)
      return { kind: 'missing', message: `imports ${specifier}, which its package does not export` };
    return this.#file(join(folder, target), specifier);
  }

  #ownImport(specifier: string, from: string): ModuleTarget {
    const own = this.#ownPackage(from);
    const target = own ? exportTarget(own.json.imports ?? {}, specifier) : null;
    if (target === null)
      return { kind: 'missing', message: `imports ${specifier}, which no package.json defines` };
    return target.startsWith('./')
      ? this.#file(join(own!.folder, target), specifier)
      : this.resolve(target, from);
  }

  #ownPackage(from: string): { folder: string; json: PackageJson } | null {
    for (const folder of foldersUpward(dirname(from))) {
      const json = this.#packageJson(folder);
      if (json) return { folder, json };
    }
    return null;
  }

  #packageJson(folder: string): PackageJson | null {
    const path = join(folder, 'package.json');
    const known = this.#packages.get(path);
    if (known !== undefined) return known;
    const json = this.stat(path) ? (JSON.parse(readFileSync(path, 'utf8')) as PackageJson) : null;
    this.#packages.set(path, json);
    return json;
  }
}

function* foldersUpward(folder: string): Generator<string> {
  for (;;) {
    yield folder;
    const parent = dirname(folder);
    if (parent === folder) return;
    folder = parent;
  }
}

/** What `exports` or `imports` of a package.json maps a key to; null for nothing. https://nodejs.org/api/packages.html */
function exportTarget(map: unknown, key: string): string | null {
  if (typeof map === 'string' || Array.isArray(map)) return key === '.' ? conditional(map) : null;
  if (typeof map !== 'object' || map === null) return null;
  const entries = Object.entries(map);
  if (entries.every(([name]) => !name.startsWith('.') && !name.startsWith('#')))
    return key === '.' ? conditional(map) : null;
  const exact = entries.find(([name]) => name === key);
  if (exact) return conditional(exact[1]);
  // The longest pattern wins.
  for (const [name, value] of entries.sort(([a], [b]) => b.length - a.length)) {
    const [before, after, ...more] = name.split('*');
    if (before === undefined || after === undefined || more.length > 0) continue;
    if (!key.startsWith(before) || !key.endsWith(after) || key.length <= before.length + after.length)
      continue;
    const middle = key.slice(before.length, key.length - after.length);
    return conditional(value)?.replaceAll('*', middle) ?? null;
  }
  return null;
}

function conditional(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(conditional).find((target) => target !== null) ?? null;
  if (typeof value !== 'object' || value === null) return null;
  for (const [condition, target] of Object.entries(value)) {
    if (!conditions.has(condition)) continue;
    const found = conditional(target);
    if (found !== null) return found;
  }
  return null;
}
