import type { Digest } from '../digest.ts';
import { modelFolder } from '../execute/prepare.ts';
import type { RunRecord } from '../record/record.ts';
import type { ModelResolver } from '../registry.ts';
import type { FileDigests } from '../store/file-digests.ts';

/** Resolvers as one: each name is found by the chosen one, else by the first that has it. */
export function resolverOf(
  resolvers: readonly ModelResolver[],
  chosen: ReadonlyMap<string, ModelResolver> = new Map(),
): ModelResolver {
  return {
    names: [...new Set(resolvers.flatMap(({ names }) => names))].sort(),
    find(name) {
      for (const resolver of [chosen.get(name), ...resolvers]) {
        const found = resolver?.find(name);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

/** The models that a run used, as they are now. */
export interface ModelsNow {
  models: ModelResolver;
  /** Digests by name; null for one that is not there. */
  digests: Map<string, Digest | null>;
}

/**
 * Finds each model of a run where its files are those of the record: in the restored copy, in the project, or among those
 * that came with an archive. One that is nowhere as it was is taken as it is.
 */
export async function chooseModels(
  record: Pick<RunRecord, 'models'>,
  resolvers: readonly ModelResolver[],
  files: FileDigests,
): Promise<ModelsNow> {
  const chosen = new Map<string, ModelResolver>();
  const digests = new Map<string, Digest | null>();
  for (const { name, digest } of record.models) {
    if (digest === null) continue;
    digests.set(name, null);
    for (const models of resolvers) {
      const found = await modelFolder(name, { models, files }).catch(() => undefined);
      if (found === undefined) continue;
      if (found.digest === digest || digests.get(name) === null) {
        digests.set(name, found.digest);
        chosen.set(name, models);
      }
      if (found.digest === digest) break;
    }
  }
  return { models: resolverOf(resolvers, chosen), digests };
}
