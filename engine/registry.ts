import type { JsonObject } from './json.ts';
import type { AnyStepType } from './step.ts';

/** Where a step type comes from: what the engine needs to load it, and to fingerprint its code. */
export interface StepSource {
  /** The name in `use:`. */
  readonly use: string;
  /** Absolute path of the module whose default export is the type. */
  readonly module: string;
  /** Loads it. Done only when a workflow is read anew or the step runs, never for a cached result. */
  load(): Promise<AnyStepType>;
}

/** The step types that a command knows. The CLI hands one to the engine; the engine itself knows no type. */
export interface StepRegistry {
  /** Names of the built-in types, sorted. */
  readonly names: readonly string[];
  /** The source behind a `use:`; undefined if there is none. Paths of users' step files are relative to the root. */
  find(use: string): StepSource | undefined;
}

/** Finds the folder of a model by the name that a `model` parameter says. */
export interface ModelResolver {
  readonly names: readonly string[];
  /** Absolute folder and the files in it that count, relative to it; undefined for an unknown name. */
  find(name: string): { folder: string; files: readonly string[] } | undefined;
  /**
   * Of an entry of `models`, or of its `fallback`, whose model the provider's own servers will not know: those that they
   * are known to have. Null for any other entry. Not given where nothing is known of hosted models.
   */
  otherModels?(entry: JsonObject): readonly string[] | null;
}
