import { suggestion } from '../nearest.ts';
import type { StepDraft } from './draft.ts';
import { type LocatedMap, member, placeOf, toJson } from './located.ts';
import { callersOf } from './part.ts';
import type { ProblemList } from './problem-list.ts';
import type { ProjectParts } from './project-parts.ts';
import type { Pool, ResolvedStep } from './resolved.ts';

/** What a step takes of pools: as the step says that uses a template, or the step itself. */
function resourcesOf(draft: StepDraft): LocatedMap | undefined {
  for (const node of [...callersOf(draft.part).map((caller) => caller.node), draft.node]) {
    const said = member(node, 'resources');
    if (said?.kind === 'map') return said;
  }
  return undefined;
}

/** The pools that a workflow's steps take of, from profiles and reprise.yaml. */
export class Pools {
  readonly #declared = new Map<string, { pool: Pool; node: LocatedMap }>();
  readonly #problems: ProblemList;
  /** Those that steps use. */
  readonly used: { [name: string]: Pool } = {};

  constructor(profiles: readonly LocatedMap[], project: ProjectParts | null, problems: ProblemList) {
    this.#problems = problems;
    for (const root of [...profiles, ...(project ? [project.root] : [])]) {
      const node = member(root, 'pools');
      if (node?.kind !== 'map') continue;
      for (const [name, { value }] of node.entries) {
        const pool = poolOf(toJson(value));
        if (pool !== undefined && !this.#declared.has(name)) this.#declared.set(name, { pool, node });
      }
    }
  }

  /** What a step takes, checked; nothing for most. */
  of(draft: StepDraft): Pick<ResolvedStep, 'resources'> {
    const node = resourcesOf(draft);
    if (node === undefined) return {};
    const resources: { [pool: string]: number } = {};
    for (const [name, { key, value }] of node.entries) {
      const amount = toJson(value);
      if (typeof amount !== 'number') continue;
      const found = this.#declared.get(name);
      if (found === undefined) {
        const known = [...this.#declared.keys()];
        const hint = suggestion(name, known, 'pools') ?? `declare it in reprise.yaml: pools: { ${name}: 1 }`;
        this.#problems.error('unknown-pool', `there is no pool "${name}"`, key, { hint });
        continue;
      }
      const { pool } = found;
      const size = 'at_once' in pool ? pool.at_once : pool.starts;
      if (amount > size) {
        const declared = found.node.entries.get(name)!.value;
        this.#problems.error(
          'pool-too-small',
          `step ${draft.id} takes ${amount} of the pool ${name}, which has ${size}: it would never run`,
          value,
          { trail: [{ place: placeOf(declared), message: 'declared here' }] },
        );
      }
      this.used[name] = pool;
      resources[name] = amount;
    }
    return { resources };
  }
}

const periods: Record<string, number> = { s: 1000, min: 60_000, h: 3_600_000 };

/** `1`, or `20/min`; undefined for what the schema refuses. */
function poolOf(value: unknown): Pool | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && value > 0 ? { at_once: value } : undefined;
  const [, starts, unit] = /^([1-9]\d*) ?\/ ?(s|min|h)$/.exec(String(value)) ?? [];
  return unit === undefined ? undefined : { starts: Number(starts), per_ms: periods[unit]! };
}
