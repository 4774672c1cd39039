import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ProblemError } from './problems.ts';
import { type RemoteSettings, remoteSettings, type SaidRemote } from './remote/settings.ts';
import { bytesOf } from './size.ts';
import { defaultCacheBytes } from './store/size-cap.ts';
import { displayPath, SourceFile } from './workflow/source.ts';

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
  /** Bytes that the store may grow to before what was used least recently goes. */
  cacheSize: number;
  /** The cache that several machines share; null for none. */
  remote: RemoteSettings | null;
}

const defaultStore = '.reprise';

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
  const of = ({ store = defaultStore, cacheSize, remote }: Said): ProjectSettings => {
    const folder = resolve(project.root, store);
    return { store: folder, cacheSize: cacheSize ?? defaultCacheBytes(folder), remote: remote ?? null };
  };
  if (project.config === null) return of({});
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
  return of(plainSettings(withoutParts(text)) ?? (await parsedSettings(project.config, text, cwd)));
}

interface Said {
  store?: string;
  cacheSize?: number;
  remote?: RemoteSettings;
}

/** The text without what workflows are read with: their pools and profiles, whose lines are indented. */
function withoutParts(text: string): string {
  return text.replaceAll(
    /^(?:pools|profiles):(?:\s*#.*| \{.*\})?\s*\n(?:(?:[ \t].*|[ \t]*#.*|)(?:\n|$))*/gm,
    '',
  );
}

/**
 * A file of nothing but plain `key: value` lines, with those of `remote` indented, needs no parser, which a run with nothing
 * to do would wait for. Undefined for anything else.
 */
function plainSettings(text: string): Said | undefined {
  const said: Record<string, string> = {};
  let section = '';
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(#.*)?$/.test(line)) continue;
    if (/^remote:\s*(\s#.*)?$/.test(line) && section === '') {
      section = 'remote.';
      continue;
    }
    const [, indent, key, value] =
      /^( *)([a-z_]+): +([A-Za-z_./][\w./:-]*|\d+(?:\.\d+)? ?[kKMGT]i?B|\d+)\s*(?:\s#.*)?$/.exec(line) ?? [];
    const name = `${indent ? section : ''}${key}`;
    if (key === undefined || (indent !== '' && section === '') || name in said) return undefined;
    if (indent === '') section = section && 'over';
    if (!(name in plainForms) || !plainForms[name]!.test(value!)) return undefined;
    said[name] = value!;
  }
  const { store, cache_size: size, 'remote.url': url, 'remote.push': push, 'remote.timeout': timeout } = said;
  if (section !== '' && url === undefined) return undefined;
  return {
    ...(store !== undefined && { store }),
    ...(size !== undefined && { cacheSize: bytesOf(size)! }),
    ...(url !== undefined && {
      remote: remoteSettings({
        url,
        ...(push !== undefined && { push: push === 'true' }),
        ...(timeout !== undefined && { timeout: Number(timeout) }),
      }),
    }),
  };
}

/** Values that mean the same to YAML: no text that it would take for a number, a truth value or nothing. */
const plainForms: { readonly [name: string]: RegExp } = {
  store: /^(?!(true|false|null)$)[A-Za-z_./][\w./-]*(?<!B)$/i,
  cache_size: /^\d+(\.\d+)? ?[kKMGT]i?B$/,
  'remote.url': /^(file:[\w./-]+|s3:\/\/[\w.-]+(\/[\w./-]*)?|rediss?:\/\/[\w.-]+(:\d+)?(\/\d+)?)$/,
  'remote.push': /^(true|false)$/,
  'remote.timeout': /^[1-9]\d*$/,
};

async function parsedSettings(path: string, text: string, cwd: string): Promise<Said> {
  const [
    { parseYaml },
    { ProblemList },
    { createSchemaCompiler },
    { reportSchemaErrors },
    { toJson, member },
  ] = await Promise.all([
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
  const said = root && member(root, 'remote');
  return {
    ...(store?.kind === 'scalar' && typeof store.value === 'string' && { store: store.value }),
    ...(cacheSize !== undefined && { cacheSize }),
    ...(said?.kind === 'map' && { remote: remoteSettings(toJson(said) as unknown as SaidRemote) }),
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
      description:
        'What the store may grow to, such as 50GB. Without it: 20 GB or a tenth of the disk, whichever is less. At the end of a run, what was used least recently goes.',
    },
    remote: {
      type: 'object',
      description: 'A cache of step results that several machines share.',
      properties: {
        url: {
          type: 'string',
          pattern: '^(file:.+|s3://[^/@]+(/.*)?|rediss?://[^@]+)$',
          patternErrorMessage:
            'a shared cache is file:<folder>, s3://bucket/prefix or redis://host:port; credentials come from the environment',
          description:
            '`file:../folder` (from the root), `s3://bucket/prefix` or `redis://host:port`. Credentials come from the environment.',
        },
        push: {
          type: 'boolean',
          default: true,
          description: 'Whether results of this machine are put there.',
        },
        timeout: {
          type: 'number',
          exclusiveMinimum: 0,
          default: 5,
          description: 'Seconds to wait for an answer before the run goes on without the shared cache.',
        },
      },
      required: ['url'],
      additionalProperties: false,
    },
    // What they hold is checked with the workflow that uses it: see workflow/project-parts.ts.
    pools: {
      type: 'object',
      description: 'Groups of concurrency: how many steps that name one may run at once.',
    },
    profiles: { type: 'object', description: 'What --profile name changes.' },
    notify: false,
  },
  additionalProperties: false,
};
