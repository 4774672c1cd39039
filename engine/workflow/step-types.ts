import type { StepRegistry } from '../registry.ts';
import type { AnyStepType } from '../step.ts';
import type { StepDraft } from './draft.ts';
import { member } from './located.ts';
import type { Part } from './part.ts';
import type { ProblemList } from './problem-list.ts';
import type { NamedType } from './schema.ts';
import { createSchemaCompiler, type SchemaCheck } from './schema-check.ts';

/** The step types that a workflow uses, each loaded and its schema compiled once. */
export class StepTypes {
  readonly #registry: StepRegistry;
  readonly #problems: ProblemList;
  readonly #types = new Map<string, AnyStepType | undefined>();
  readonly #compileSchema = createSchemaCompiler();
  readonly #checks = new Map<AnyStepType, SchemaCheck>();

  constructor(registry: StepRegistry, problems: ProblemList) {
    this.#registry = registry;
    this.#problems = problems;
  }

  get all(): NamedType[] {
    return [...this.#types].flatMap(([use, type]) => (type === undefined ? [] : [{ use, type }]));
  }

  /** Checks `with` of a type that was loaded for a step. */
  checkOf(type: AnyStepType): SchemaCheck {
    return this.#checks.get(type)!;
  }

  /** Loads the types of all steps, and those that `defaults` speak of. What cannot be loaded is a problem. */
  async load(drafts: Iterable<StepDraft>, files: readonly Part[]): Promise<void> {
    for (const draft of drafts) {
      const { use } = draft;
      if (use === undefined || use.startsWith('template:')) continue;
      if (!this.#types.has(use)) this.#types.set(use, await this.#loadType(draft, use));
      draft.type = this.#types.get(use);
    }
    for (const file of files) {
      const defaults = member(member(file.root, 'defaults'), 'with');
      if (defaults?.kind !== 'map') continue;
      // Names that there are not, the schema refuses.
      for (const use of defaults.entries.keys())
        if (!this.#types.has(use) && this.#registry.names.includes(use))
          this.#types.set(use, await this.#registry.find(use)?.load());
    }
  }

  async #loadType(draft: StepDraft, use: string): Promise<AnyStepType | undefined> {
    const where = member(draft.node, 'use')!;
    const source = this.#registry.find(use);
    if (source === undefined) {
      // An unknown name is the schema's to report, with all the names there are.
      if (use.startsWith('npm:')) {
        const name = /^npm:((?:@[^/]+\/)?[^/]*)/.exec(use)![1]!;
        this.#problems.error(
          'unknown-step-type',
          `the package ${name} is not installed in the project`,
          where,
          {
            hint: `npm install ${name}; a step of a package is written npm:package/step`,
          },
        );
      } else if (/[/\\]/.test(use))
        this.#problems.error('unknown-step-type', `there is no step file ${use}`, where, {
          hint: 'step files are named with their path: ./steps/mine.ts',
        });
      return undefined;
    }
    try {
      const type = await source.load();
      this.#checks.set(type, this.#compileSchema(type.parameters));
      return type;
    } catch (error) {
      const { message, hint } = error as Error & { hint?: string };
      this.#problems.error(
        'step-type-broken',
        `the step type ${use} cannot be used: ${message.split('\n')[0]}`,
        where,
        hint ? { hint } : {},
      );
      return undefined;
    }
  }
}
