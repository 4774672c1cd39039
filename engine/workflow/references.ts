import { suggestion } from '../nearest.ts';
import { addNeed, type Instance } from './draft.ts';
import type { Expander, Reference } from './expression.ts';
import type { ProblemList } from './problem-list.ts';
import type { Sources } from './sources.ts';

/** The metrics that expressions of steps read: each is an edge. */
export class References {
  readonly #expander: Expander;
  readonly #sources: Sources;
  readonly #problems: ProblemList;
  readonly #found: { instance: Instance; reference: Reference }[] = [];

  constructor(expander: Expander, sources: Sources, problems: ProblemList) {
    this.#expander = expander;
    this.#sources = sources;
    this.#problems = problems;
  }

  /** Runs something that evaluates expressions of a step, and remembers the metrics that they read. */
  during(instance: Instance, work: () => void): void {
    this.#expander.onReference = (reference) => void this.#found.push({ instance, reference });
    work();
    this.#expander.onReference = () => {};
  }

  /** Makes edges of what was found. */
  resolve(): void {
    for (const { instance, reference } of this.#found.splice(0)) this.#resolve(instance, reference);
  }

  #resolve(instance: Instance, { step, metric, span }: Reference): void {
    const target = this.#sources.find(step);
    if (target === undefined) {
      const hint = suggestion(step, instance.draft.part.names.known, 'steps');
      this.#problems.error('unknown-step', `there is no step "${step}"`, span, hint ? { hint } : {});
      return;
    }
    const draft = 'draft' in target ? target.draft : target;
    const { rows } = instance.draft.part;
    const sameRow = rows !== null && draft.part.rows === rows;
    if (draft.forEach && !sameRow) {
      this.#problems.error(
        'ambiguous-instance',
        `step ${draft.id} runs for each row of a table: which there are is known only then, so no metric of one can be named`,
        span,
        { hint: `read its rows instead: from: ${draft.id}` },
      );
      return;
    }
    if (target === draft && draft.hasMatrix) {
      const [first] = draft.instances;
      this.#problems.error(
        'ambiguous-instance',
        `step ${step} has a matrix: say which combination's metric is meant`,
        span,
        {
          hint: `write steps["${first?.id ?? `${step}[axis=value]`}"].metrics.${metric ?? 'name'}`,
        },
      );
      return;
    }
    const metrics = Object.keys(draft.type?.metrics ?? {});
    if (metric !== null && metrics.length > 0 && !metrics.includes(metric)) {
      const hint = suggestion(metric, metrics, 'metrics');
      // Types may report more than they list; a name that is close to a listed one is a slip.
      if (hint?.startsWith('did you mean')) {
        this.#problems.error(
          'unknown-metric',
          `step ${step} (${draft.use}) has no metric "${metric}"`,
          span,
          { hint },
        );
        return;
      }
    }
    for (const needed of target === draft ? draft.instances : [target as Instance])
      addNeed(instance, needed.id, { span, how: 'reads a metric of' });
  }
}
