import type { StepSource } from '../registry.ts';
import { CodeDigests, type PrecomputedCode } from './code.ts';

/**
 * Digests of the built-in types' code as the sources have it, for the built package: there nothing is scanned at run
 * time, and a result made from the sources is a hit in the installed package and the other way round.
 *
 * @param types the built-in types, each with the path of its TypeScript module
 * @param engineFolder absolute path of the sources' `engine/`
 */
export function precomputeCode(
  types: readonly Pick<StepSource, 'use' | 'module'>[],
  engineFolder: string,
): PrecomputedCode {
  const digests = new CodeDigests({ engineFolder });
  const made: PrecomputedCode = {};
  for (const { use, module } of types) {
    const code = digests.of(module);
    if ('problem' in code) throw new Error(`the code of step type "${use}" has no digest: ${code.problem}`);
    made[use] = { digest: code.digest, packages: Object.keys(code.packages), modules: code.modules };
  }
  return made;
}
