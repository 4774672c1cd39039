import type { Artefact } from '../artefacts.ts';
import type { Asked } from '../asked.ts';
import type { StepOutcome } from '../events.ts';
import type { PastProducts } from '../execute/io.ts';
import type { PreparedStep } from '../execute/prepare.ts';
import type { ResolvedStep } from '../workflow/resolved.ts';
import type { ModelRecord } from './record.ts';

/** The answers of language models that steps were made from, cached steps included: another asking may get others. */
export function answersOf(
  steps: readonly ResolvedStep[],
  outcomes: ReadonlyMap<string, StepOutcome>,
): Artefact[] {
  return steps.flatMap(({ id, languageModels }) => {
    const answers = languageModels && outcomes.get(id)?.outputs['answers'];
    return answers ? [answers] : [];
  });
}

/** What steps read of earlier runs: without it the run cannot be done again. */
export function takenFromPast(
  steps: readonly ResolvedStep[],
  productsOfRun: (run: string, step: string) => PastProducts | undefined,
): readonly Artefact[] {
  return steps.flatMap(({ inputs, takesSteps }) =>
    Object.values(inputs).flatMap(({ run, parts, output }) =>
      parts.flatMap(({ step }) => {
        const outputs = run === null ? undefined : productsOfRun(run, step)?.outputs;
        if (outputs === undefined) return [];
        if (takesSteps) return Object.values(outputs);
        return outputs[output === '' ? Object.keys(outputs)[0]! : output] ?? [];
      }),
    ),
  );
}

/** Versions of the packages that the code of steps imports. */
export function packagesOf(prepared: ReadonlyMap<string, PreparedStep>): Record<string, string> {
  const packages: Record<string, string> = {};
  for (const { fingerprint } of prepared.values()) Object.assign(packages, fingerprint?.packages);
  return Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The models that steps used, by name. */
export function modelsOf(prepared: ReadonlyMap<string, PreparedStep>, asked: Asked): ModelRecord[] {
  const models = new Map<string, ModelRecord>();
  for (const { alias, asked: name, served } of asked.models)
    models.set(alias, { name: alias, asked: name, served, digest: null });
  for (const step of prepared.values()) {
    for (const { name, digest } of step.models.values())
      models.set(name, { name, asked: null, served: [], digest });
  }
  return [...models.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
