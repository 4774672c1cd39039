import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Digest, digestOf, digestOfJson } from '../digest.ts';
import { projectFile } from '../project.ts';
import type { ModelResolver, StepRegistry } from '../registry.ts';
import type { CompileOptions, ResolvedWorkflow } from './resolved.ts';

/** Raise it when the same files would be resolved to something else: a new rule, a new field, within a version. */
const frontEndVersion = 8;

/** Texts by key, such as a table of a database. */
export interface TextStore {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
}

interface Entry {
  /** Files that were read, the workflow's first, with the digest of their bytes. */
  files: { path: string; digest: Digest }[];
  /** Environment variables that were read, with the digest of their values; null if not set. */
  env: { [name: string]: Digest | null };
  /** Digests of the code of the step types. */
  code: { [use: string]: string };
  /** Without the text of the sources: they are read for their digests anyway. */
  workflow: ResolvedWorkflow;
}

interface Parts {
  root: string;
  registry: StepRegistry;
  models: ModelResolver;
  cache: TextStore;
  engineVersion?: string;
  codeDigest?: (use: string) => string | undefined;
}

/**
 * Resolved workflows, filed under what the call says; an entry counts only if all that it was made from is as it was:
 * the files, the variables of the environment that were read, and the code of the step types. A doubt is a miss.
 */
export class CompileCache {
  readonly #options: CompileOptions;
  readonly #parts: Parts;
  readonly #key: string;

  constructor(options: CompileOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    this.#key = digestOfJson({
      kind: 'workflow',
      version: frontEndVersion,
      engine: parts.engineVersion ?? null,
      file: resolve(options.cwd, options.file),
      cwd: options.cwd,
      root: parts.root,
      params: options.params ?? {},
      profiles: options.profiles ?? [],
      project: existsSync(resolve(parts.root, projectFile)),
      types: parts.registry.names,
      models: parts.models.names,
    });
  }

  /** The workflow, if nothing that it depends on has changed. */
  read(): ResolvedWorkflow | undefined {
    const text = this.#parts.cache.get(this.#key);
    if (text === undefined) return undefined;
    let entry: Entry;
    try {
      entry = JSON.parse(text) as Entry;
    } catch {
      return undefined;
    }
    const texts: string[] = [];
    for (const { path, digest } of entry.files) {
      const bytes = readBytes(path);
      if (bytes === undefined || digestOf(bytes) !== digest) return undefined;
      texts.push(new TextDecoder().decode(bytes));
    }
    for (const [name, digest] of Object.entries(entry.env))
      if (this.#envDigest(name) !== digest) return undefined;
    for (const [use, digest] of Object.entries(entry.code))
      if (this.#parts.codeDigest?.(use) !== digest) return undefined;
    const { workflow } = entry;
    workflow.sources.forEach((source, index) => {
      source.text = texts[index]!;
    });
    return workflow;
  }

  /** Keeps a workflow, and the names of the environment variables that it was made from, for the next call. */
  write(workflow: ResolvedWorkflow, variables: Iterable<string>): void {
    const files: Entry['files'] = [];
    for (const source of workflow.sources) {
      const path = resolve(this.#parts.root, source.path);
      const bytes = readBytes(path);
      // Changed while it was being read: what was read is not what is there.
      if (bytes === undefined || new TextDecoder().decode(bytes) !== source.text) return;
      files.push({ path, digest: digestOf(bytes) });
    }
    const code: Entry['code'] = {};
    const env = Object.fromEntries([...variables].map((name) => [name, this.#envDigest(name)]));
    for (const step of workflow.steps) {
      if (!(step.use in code)) {
        const digest = this.#parts.codeDigest?.(step.use);
        if (this.#parts.codeDigest !== undefined && digest === undefined) return;
        if (digest !== undefined) code[step.use] = digest;
      }
    }
    const bare = { ...workflow, sources: workflow.sources.map((source) => ({ ...source, text: '' })) };
    this.#parts.cache.set(this.#key, JSON.stringify({ files, env, code, workflow: bare } satisfies Entry));
  }

  #envDigest(name: string): Digest | null {
    const value = this.#options.env[name];
    return value === undefined ? null : digestOf(value);
  }
}

function readBytes(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
