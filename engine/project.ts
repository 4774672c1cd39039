import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ProblemError } from './problems.ts';
import { displayPath } from './workflow/source.ts';

/** The name of the file that holds what belongs to a project. */
export const projectFile = 'reprise.yaml';

export interface Project {
  /** Absolute path of the folder that bare paths are relative to. */
  root: string;
  /** Absolute path of `reprise.yaml`; null if there is none. */
  config: string | null;
}

export interface ProjectSettings {
  /** Absolute path of the store's folder. */
  store: string;
  /** Bytes that the store may grow to before it is cleared of what is least needed. */
  cacheSize: number;
}

const defaultStore = '.reprise';
const defaultCacheSize = 10 * 2 ** 30;

/**
 * The project that a folder belongs to: the nearest ancestor with `reprise.yaml`, else with `package.json` or
 * `.git`, else the folder itself.
 */
export function findProject(folder: string): Project {
  const ancestors: string[] = [];
  for (let at = resolve(folder); ; at = dirname(at)) {
    ancestors.push(at);
    if (dirname(at) === at) break;
  }
  for (const root of ancestors) {
    const config = join(root, projectFile);
    if (existsSync(config)) return { root, config };
  }
  const root = ancestors.find((at) => existsSync(join(at, 'package.json')) || existsSync(join(at, '.git')));
  return { root: root ?? ancestors[0]!, config: null };
}

/** The settings of a project. Throws a `ProblemError` with every mistake in its `reprise.yaml`. */
export async function readSettings(project: Project, cwd: string = process.cwd()): Promise<ProjectSettings> {
  const defaults = { store: join(project.root, defaultStore), cacheSize: defaultCacheSize };
  if (project.config === null) return defaults;
  const shown = displayPath(project.config, cwd);
  let text: string;
  try {
    text = readFileSync(project.config, 'utf8');
  } catch (error) {
    throw ProblemError.of(
      'file-not-readable',
      `${shown} cannot be read (${(error as NodeJS.ErrnoException).code})`,
    );
  }
  const plain = plainSettings(text);
  const settings = plain ?? (await parsedSettings(project.config, text, cwd));
  return {
    store: settings.store === undefined ? defaults.store : resolve(project.root, settings.store),
    cacheSize: settings.cacheSize ?? defaults.cacheSize,
  };
}

interface Said {
  store?: string;
  cacheSize?: number;
}

/** A file of nothing but plain `key: value` lines needs no parser, which a run with nothing to do would wait for. */
function plainSettings(text: string): Said | undefined {
  const said: Said = {};
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(#.*)?$/.test(line)) continue;
    const [, key, value] =
      /^(store|cache_size): +([A-Za-z_./][\w./-]*|\d+(?:\.\d+)? ?[kKMGT]i?B)\s*(?:\s#.*)?$/.exec(line) ?? [];
    if (key === 'store' && said.store === undefined && !/B$/.test(value!)) said.store = value!;
    else if (key === 'cache_size' && said.cacheSize === undefined && bytesOf(value!) !== undefined)
      said.cacheSize = bytesOf(value!)!;
    else return undefined;
  }
  return said;
}

async function parsedSettings(path: string, text: string, cwd: string): Promise<Said> {
  const [
    { SourceFile },
    { parseYaml },
    { ProblemList },
    { createSchemaCompiler },
    { reportSchemaErrors },
    { toJson, member },
  ] = await Promise.all([
    import('./workflow/source.ts'),
    import('./workflow/yaml.ts'),
    import('./workflow/problem-list.ts'),
    import('./workflow/schema-check.ts'),
    import('./workflow/schema-errors.ts'),
    import('./workflow/located.ts'),
  ]);
  const problems = new ProblemList();
  const source = new SourceFile(path, text.replace(/^\uFEFF/, ''), cwd);
  if (/^\s*(#.*\s*)*$/.test(source.text)) return {};
  const root = await parseYaml(source, problems);
  if (root !== undefined) {
    const errors = createSchemaCompiler({ strict: false })(settingsSchema).check(toJson(root) as never);
    const context = {
      root,
      base: '',
      unknown: new Set<string>(),
      use: () => undefined,
      parameters: () => ({}),
      types: [],
    };
    reportSchemaErrors(errors, context, problems, 'reprise.yaml');
  }
  const size = root && member(root, 'cache_size');
  const cacheSize = size?.kind === 'scalar' ? bytesOf(String(size.value ?? '')) : undefined;
  if (problems.failed) throw new ProblemError(problems.errors);
  const store = root && member(root, 'store');
  return {
    ...(store?.kind === 'scalar' && typeof store.value === 'string' && { store: store.value }),
    ...(cacheSize !== undefined && { cacheSize }),
  };
}

/** What `reprise.yaml` may say. */
export const settingsSchema = {
  type: 'object',
  properties: {
    store: {
      type: 'string',
      minLength: 1,
      default: defaultStore,
      description: 'The folder of the store, from the root.',
    },
    cache_size: {
      type: ['string', 'integer'],
      pattern: '^\\d+(\\.\\d+)? ?([kKMGT]i?)?B$',
      patternErrorMessage: 'a size is written 500MB, 10GB or 10GiB; a number counts bytes',
      minimum: 1,
      default: '10GiB',
      description: 'What the store may grow to.',
    },
    remote: false,
    pools: false,
    profiles: false,
    notify: false,
  },
  additionalProperties: false,
};

/** `500MB`, `10GiB` or a number of bytes; undefined for anything else. */
export function bytesOf(text: string): number | undefined {
  const [, amount, prefix, binary] = /^(\d+(?:\.\d+)?) ?(?:([kKMGT])(i?))?B?$/.exec(text.trim()) ?? [];
  if (amount === undefined) return undefined;
  const power = prefix === undefined ? 0 : 'KMGT'.indexOf(prefix.toUpperCase()) + 1;
  return Math.round(Number(amount) * (binary === 'i' ? 1024 : 1000) ** power);
}
