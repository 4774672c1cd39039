import { isAbsolute, relative, sep } from 'node:path';
import { CodeDigests, type CodeFingerprint } from './fingerprint/code.ts';
import type { LanguageModels } from './language-model.ts';
import type { ModelResolver, StepRegistry } from './registry.ts';
import type { RemoteSettings } from './remote/settings.ts';
import { type Environment, environmentOf } from './secrets.ts';
import { Caches } from './store/caches.ts';
import type { FileDigests } from './store/file-digests.ts';
import type { Leases } from './store/leases.ts';
import type { RowCache } from './store/row-cache.ts';
import type { StepIndex } from './store/step-index.ts';
import { Store } from './store/store.ts';

/** A project as commands work on it: its store and caches, and the step types and models it can name. */
export interface Workspace {
  /** Absolute path of the project's root. */
  readonly root: string;
  readonly registry: StepRegistry;
  /** Replaced once a workflow is read whose `models` section adds aliases. */
  models: ModelResolver;
  /** Null where the workflow names none. */
  languageModels: LanguageModels | null;
  readonly store: Store;
  readonly caches: Caches;
  readonly steps: StepIndex;
  readonly files: FileDigests;
  readonly leases: Leases;
  readonly code: CodeDigests;
  /** The cache that several machines share; null for none. */
  readonly remote: RemoteSettings | null;
  /** The digest of a step type's code as its files are now; `code` answers as they were when it was first asked. */
  codeNow(module: string, use: string): CodeFingerprint;
  /** Opened when it is first asked for: most commands touch no row. */
  rowCache(): RowCache;
  /** The environment that steps may be let see: the process's, over what `.env` says. */
  readonly env: Environment;
  /** A path as records and fingerprints write it: relative to the root, with `/`. Absolute on another drive only. */
  relative(path: string): string;
  close(): Promise<void>;
}

export interface WorkspaceOptions {
  root: string;
  /** Folder of the store; `<root>/.reprise` unless reprise.yaml says otherwise. */
  storeFolder: string;
  registry: StepRegistry;
  models: ModelResolver;
  /** None if not given. */
  remote?: RemoteSettings | null;
  /** Folders with a `.env`; the root if not given. */
  envRoots?: readonly string[];
  /** Code digests made when the package was built, by step type. */
  precomputed?: ConstructorParameters<typeof CodeDigests>[0]['precomputed'];
  /** Damage that was found and mended: a corrupt index, say. */
  onDamage(message: string): void;
}

/** Opens a project's store and caches. Costs a few milliseconds; databases are opened when they are first used. */
export function openWorkspace(options: WorkspaceOptions): Workspace {
  const { root, storeFolder, registry, models } = options;
  const store = Store.open({ folder: storeFolder });
  const caches = Caches.open({ folder: storeFolder, onDamage: options.onDamage });
  let env: Environment | undefined;
  const codeOptions = {
    engineFolder: import.meta.dirname,
    root,
    cache: caches.texts,
    precomputed: options.precomputed,
  };
  return {
    root,
    registry,
    models,
    languageModels: null,
    remote: options.remote ?? null,
    store,
    caches,
    get steps() {
      return caches.steps;
    },
    get files() {
      return caches.files;
    },
    get leases() {
      return caches.leases;
    },
    code: new CodeDigests(codeOptions),
    codeNow: (module, use) => new CodeDigests(codeOptions).of(module, use),
    rowCache: () => caches.rows,
    get env() {
      env ??= environmentOf(options.envRoots ?? [root], process.env);
      return env;
    },
    relative(path) {
      const short = relative(root, path);
      return isAbsolute(short) ? path : short.split(sep).join('/');
    },
    async close() {
      try {
        await caches.close();
      } finally {
        await store.close();
      }
    },
  };
}
