import { realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, matchesGlob, relative, resolve, sep } from 'node:path';
import { isInside } from '../inside.ts';
import type { ResolvedWorkflow } from '../workflow/resolved.ts';
import type { Workspace } from '../workspace.ts';

/** Every file that a workflow hangs on. Plain JSON; paths are absolute unless said otherwise. */
export interface WatchSet {
  root: string;
  /** Files whose change concerns the workflow as a whole: its YAML, what it includes, `reprise.yaml`, `.env`. */
  sources: string[];
  /** Those of the sources that count in no fingerprint, though what they say (a secret, a setting) may make a step fail. */
  unkeyed: string[];
  /** What steps read: files and globs, relative to the root or absolute, with the ids of the steps. */
  inputs: { path: string; steps: string[] }[];
  /** What runs themselves write: it never counts, wherever it lies. */
  own: { files: string[]; folders: string[] };
  /** Which steps need which. */
  needs: { [step: string]: string[] };
}

/** What a workflow reads: data and prompts of its steps, their step files with all that these import, models. */
export function inputsOf(workflow: ResolvedWorkflow, workspace: Workspace): WatchSet['inputs'] {
  const inputs = new Map<string, Set<string>>();
  const add = (path: string, step: string) => {
    const steps = inputs.get(path) ?? new Set();
    inputs.set(path, steps.add(step));
  };
  const codePaths = new Map<string, string[]>();
  for (const step of workflow.steps) {
    for (const { path } of step.files) add(path, step.id);
    for (const { name } of step.modelNames) {
      const model = workspace.models.find(name);
      for (const file of model?.files ?? []) {
        const path = workspace.relative(join(model!.folder, file));
        if (!isAbsolute(path)) add(path, step.id);
      }
    }
    if (workspace.registry.names.includes(step.use)) continue;
    const module = workspace.registry.find(step.use)?.module;
    if (module === undefined) continue;
    const paths = codePaths.get(module) ?? codeOf(module, workspace);
    codePaths.set(module, paths);
    for (const path of paths) add(path, step.id);
  }
  return [...inputs].map(([path, steps]) => ({ path, steps: [...steps] }));
}

/** The files of a step's code that lie in the project, there or looked for; relative to the root. */
export function codeOf(module: string, workspace: Workspace): string[] {
  const realRoot = realpathSync(workspace.root);
  return [module, ...workspace.code.pathsBehind(module)].flatMap((path) => {
    for (const root of [workspace.root, realRoot]) {
      if (isInside(root, path)) return [relative(root, path).split(sep).join('/')];
    }
    return [];
  });
}

/** The union of two sets of one project: the first one's steps, and what the second one reads beside it. */
export function mergedSets(set: WatchSet, more: WatchSet): WatchSet {
  const both = (a: string[], b: string[]) => [...new Set([...a, ...b])];
  return {
    root: set.root,
    sources: both(set.sources, more.sources),
    unkeyed: both(set.unkeyed, more.unkeyed),
    inputs: [...set.inputs, ...more.inputs],
    own: {
      files: both(set.own.files, more.own.files),
      folders: both(set.own.folders, more.own.folders),
    },
    needs: { ...more.needs, ...set.needs },
  };
}

const globCharacters = /[*?[\]{}]/;
/** What an output is written to before it is renamed to its name. */
const draftEnd = /^\.\d+\.tmp$/;

interface Glob {
  pattern: string;
  /** Absolute folder that the pattern starts from. */
  base: string;
  /** Folder levels below the base in which it can match. */
  levels: number;
  steps: string[];
}

/** Answers which paths count, and for whom. */
export class Interest {
  readonly set: WatchSet;
  readonly #sources: Set<string>;
  readonly #files = new Map<string, string[]>();
  readonly #globs: Glob[] = [];
  readonly #ownFiles: Set<string>;
  readonly #ancestors = new Set<string>();
  readonly #dependents = new Map<string, string[]>();

  constructor(set: WatchSet) {
    this.set = set;
    this.#sources = new Set(set.sources);
    this.#ownFiles = new Set(set.own.files);
    for (const path of set.sources) this.#addFile(path, []);
    for (const { path, steps } of set.inputs) {
      // A file whose name has such characters in it is meant before a pattern is.
      const plain = resolve(set.root, path);
      this.#addFile(plain, steps);
      if (statSync(plain, { throwIfNoEntry: false })?.isDirectory()) this.#addGlob(`${path}/**`, steps);
      else if (globCharacters.test(path)) this.#addGlob(path, steps);
    }
    for (const [step, needs] of Object.entries(set.needs))
      for (const need of needs) {
        const dependents = this.#dependents.get(need);
        if (dependents) dependents.push(step);
        else this.#dependents.set(need, [step]);
      }
  }

  /** Folders to watch; what in them does not count, `watches` leaves out. */
  get tops(): string[] {
    const outside = [...this.#files.keys()]
      .map(dirname)
      .concat(this.#globs.map(({ base }) => base))
      .filter((folder) => !isInside(this.set.root, folder));
    return [...new Set([this.set.root, ...outside])];
  }

  /** Every file that is named as such, there or not. */
  get files(): string[] {
    return [...this.#files.keys()].filter((path) => this.wants(path));
  }

  /** Whether a change of this file counts. */
  wants(path: string): boolean {
    if (this.#isOwn(path)) return false;
    return this.#files.has(path) || this.#globs.some((glob) => this.#matches(glob, path));
  }

  /** Whether a path must be looked at: a file that counts, or a folder that may hold one. */
  watches(path: string): boolean {
    if (this.#isOwn(path)) return false;
    if (this.#ancestors.has(path) || this.wants(path)) return true;
    return this.#globs.some(({ base, levels }) => {
      return isInside(base, path) && relative(base, path).split(sep).length <= levels;
    });
  }

  /** A file of the workflow itself, rather than one that its steps read. */
  isSource(path: string): boolean {
    return this.#sources.has(path);
  }

  /** Whether a step that failed may succeed with the same inputs now that this file has changed. */
  excuses(path: string): boolean {
    return this.set.unkeyed.includes(path);
  }

  /**
   * The steps that a change of this file makes stale: those that read it with all that hangs on them, but for those in
   * `finished`. None for a file of the workflow itself: what it changes is known when it has been read.
   */
  staleBy(path: string, finished: ReadonlySet<string>): string[] {
    const open = [
      ...(this.#files.get(path) ?? []),
      ...this.#globs.filter((glob) => this.#matches(glob, path)).flatMap(({ steps }) => steps),
    ];
    const seen = new Set(open);
    for (const step of seen) for (const dependent of this.#dependents.get(step) ?? []) seen.add(dependent);
    return [...seen].filter((step) => !finished.has(step));
  }

  #addFile(path: string, steps: string[]): void {
    this.#files.set(path, [...(this.#files.get(path) ?? []), ...steps]);
    this.#addAncestors(dirname(path));
  }

  #addGlob(pattern: string, steps: string[]): void {
    const parts = pattern.split('/');
    const first = parts.findIndex((part) => globCharacters.test(part));
    const base = resolve(
      this.set.root,
      parts.slice(0, first).join('/') || (pattern.startsWith('/') ? '/' : '.'),
    );
    const levels = pattern.includes('**') ? Number.POSITIVE_INFINITY : parts.length - first - 1;
    this.#globs.push({ pattern, base, levels, steps });
    this.#addAncestors(base);
  }

  #addAncestors(folder: string): void {
    for (let at = folder; !this.#ancestors.has(at); at = dirname(at)) this.#ancestors.add(at);
  }

  #matches({ pattern, base }: Glob, path: string): boolean {
    if (!isInside(base, path)) return false;
    return matchesGlob(isAbsolute(pattern) ? path : relative(this.set.root, path), pattern);
  }

  #isOwn(path: string): boolean {
    if (this.#ownFiles.has(path)) return true;
    if (this.set.own.folders.some((folder) => path === folder || isInside(folder, path))) return true;
    return this.set.own.files.some((file) => path.startsWith(file) && draftEnd.test(path.slice(file.length)));
  }
}
