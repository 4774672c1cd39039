import type { Digest } from '../digest.ts';
import { memberOf } from '../fingerprint/json-difference.ts';
import type { EnvironmentRecord } from '../record/environment.ts';
import type { RunRecord } from '../record/record.ts';

/** Something around the run that is not as it was. */
export interface EnvironmentDifference {
  /** `node`, `code of cluster`, `model all-minilm-l6-v2`, `package acorn`, … */
  what: string;
  recorded: string | null;
  now: string | null;
  /** Ids of the steps whose fingerprint it changes; null for what may touch any step and is in no fingerprint. */
  steps: string[] | null;
}

/** What the steps of a run would be made with now. */
export interface Surroundings {
  environment: EnvironmentRecord;
  /** Code of the built-in step types; of a step file, it comes from the record. */
  code: ReadonlyMap<string, { digest: Digest; packages: Record<string, string> }>;
  /** Digests of the models on disk by name; null for one that is not there. */
  models: ReadonlyMap<string, Digest | null>;
  /** Digests of the environment variables that steps see; absent if not set. */
  env: Readonly<Record<string, Digest>>;
}

/** Lists what differs, the engine first. A pure function. */
export function environmentDifferences(record: RunRecord, now: Surroundings): EnvironmentDifference[] {
  const differences: EnvironmentDifference[] = [];
  const add = (what: string, old: string | null, current: string | null, steps: string[] | null = null) => {
    if (old !== current) differences.push({ what, recorded: old, now: current, steps });
  };
  const { environment: was } = record;
  const { environment: is } = now;
  add('engine', was.engine, is.engine);
  add('node', was.node, is.node);
  add('os', `${was.os.type} ${was.os.release}`, `${is.os.type} ${is.os.release}`);
  add('arch', was.arch, is.arch);
  add('cpu', was.cpu.model, is.cpu.model);
  add('gpus', was.gpus.join(', ') || null, is.gpus.join(', ') || null);
  add('lockfile', was.lockfile?.digest ?? null, is.lockfile?.digest ?? null);

  const touched = new Map<string, { old: string | null; now: string | null; steps: string[] }>();
  const touch = (what: string, old: string | null, current: string | null, step: string) => {
    if (old === current) return;
    const known = touched.get(what);
    if (known) known.steps.push(step);
    else touched.set(what, { old, now: current, steps: [step] });
  };
  for (const { id, use, fingerprint } of record.steps) {
    if (fingerprint === null) continue;
    const code = now.code.get(use);
    if (code) {
      touch(`code of ${use}`, fingerprint.code, code.digest, id);
      for (const name of new Set([...Object.keys(fingerprint.packages), ...Object.keys(code.packages)]))
        touch(
          `package ${name}`,
          memberOf(fingerprint.packages, name) ?? null,
          memberOf(code.packages, name) ?? null,
          id,
        );
    }
    for (const [name, digest] of Object.entries(fingerprint.models))
      if (now.models.has(name)) touch(`model ${name}`, digest, now.models.get(name)!, id);
    for (const [name, digest] of Object.entries(fingerprint.env))
      touch(`env ${name}`, digest, memberOf(now.env, name) ?? null, id);
  }
  for (const [what, { old, now: current, steps }] of touched) add(what, old, current, steps);
  return differences;
}
