import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suggestion } from '../nearest.ts';
import { projectFile } from '../project.ts';
import { decode } from './load.ts';
import { type LocatedMap, member, toJson } from './located.ts';
import { model } from './model-schema.ts';
import type { Part } from './part.ts';
import type { ProblemList } from './problem-list.ts';
import { createSchemaCompiler } from './schema-check.ts';
import { reportSchemaErrors } from './schema-errors.ts';
import { options, pools, profile, profilePattern } from './schema-parts.ts';
import { SourceFile } from './source.ts';
import { parseYaml } from './yaml.ts';

/** What reprise.yaml says for workflows: profiles and pools. Its other keys belong to the project. */
export interface ProjectParts {
  source: SourceFile;
  root: LocatedMap;
}

/** Reads and checks those sections of reprise.yaml; null if there is no such file, or it is no YAML. */
export async function readProjectParts(
  root: string,
  cwd: string,
  problems: ProblemList,
): Promise<ProjectParts | null> {
  const path = join(root, projectFile);
  let text: string | undefined;
  try {
    text = decode(readFileSync(path));
  } catch {
    return null;
  }
  if (text === undefined) return null;
  const source = new SourceFile(path, text, cwd);
  const nothing: LocatedMap = { kind: 'map', file: source, start: 0, end: 0, entries: new Map() };
  if (!/^["']?(pools|profiles)\b/m.test(text)) return { source, root: nothing };
  const node = await parseYaml(source, problems);
  if (node?.kind !== 'map') return null;
  const parts = new Map([...node.entries].filter(([key]) => key === 'pools' || key === 'profiles'));
  const own: LocatedMap = { ...node, entries: parts };
  const errors = createSchemaCompiler({ strict: false })(partsSchema).check(toJson(own) as never);
  const context = { root: own, base: '', unknown: new Set<string>(), use: () => undefined };
  reportSchemaErrors(errors, { ...context, parameters: () => ({}), types: [] }, problems, projectFile);
  return { source, root: own };
}

const partsSchema = {
  type: 'object',
  properties: {
    pools,
    profiles: {
      type: 'object',
      propertyNames: { pattern: profilePattern },
      additionalProperties: { $ref: '#/definitions/profile' },
    },
  },
  definitions: {
    profile,
    model,
    // Which step types there are, the workflow knows that uses them.
    defaults: {
      type: 'object',
      properties: { ...options, with: { type: 'object', additionalProperties: { type: 'object' } } },
      additionalProperties: false,
    },
  },
};

/**
 * The profiles of these names: what the last one says wins, and the workflow's over the project's of that name. The first
 * of the result is the one that wins.
 */
export function chosenProfiles(
  names: readonly string[],
  main: Part,
  project: ProjectParts | null,
  problems: ProblemList,
): LocatedMap[] {
  const places = [main.root, ...(project ? [project.root] : [])].map((root) => member(root, 'profiles'));
  const known = places.flatMap((node) => (node?.kind === 'map' ? [...node.entries.keys()] : []));
  return names.toReversed().flatMap((name) => {
    if (!known.includes(name)) {
      const hint =
        suggestion(name, known, 'profiles') ??
        'declare it under profiles: in the workflow or in reprise.yaml';
      problems.error('unknown-profile', `there is no profile "${name}"`, undefined, { hint });
    }
    return places.flatMap((node) => {
      const found = member(node, name);
      return found?.kind === 'map' ? [found] : [];
    });
  });
}
