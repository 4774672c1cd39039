import type { JsonObject } from '../json.ts';
import type { AnyStepType, OutputSpecs } from '../step.ts';
import type { LocatedMap, Span } from './located.ts';
import type { Part } from './part.ts';
import type { InputBinding, ResolvedStep } from './resolved.ts';
import type { Scope } from './scope.ts';

/** A step as a file says it, on its way to the resolved one. */
export interface StepDraft {
  /** Its name among all steps: of a template that is used with a matrix, with the combination that it belongs to. */
  id: string;
  /** The id without that combination. */
  base: string;
  /** As its file or template says it: the id without what stands before it. */
  name: string;
  key: Span;
  node: LocatedMap;
  part: Part;
  /** As the registry knows it; undefined if the file does not say it. */
  use: string | undefined;
  /** Undefined if it cannot be loaded; the problem is reported. */
  type: AnyStepType | undefined;
  /** One without a matrix; none if the matrix is wrong. */
  instances: Instance[];
  hasMatrix: boolean;
  /** It runs for each row of a table: its instances stand for steps that are known later. */
  forEach: boolean;
  /** It has a key that no step has: a missing input may be meant by it. */
  misspelt: boolean;
}

/** A step, or one combination of its matrix. */
export interface Instance {
  id: string;
  draft: StepDraft;
  matrix: JsonObject | null;
  scope: Scope;
  parameters: JsonObject;
  deferred: ResolvedStep['deferred'];
  files: ResolvedStep['files'];
  outputFiles: ResolvedStep['outputFiles'];
  modelNames: ResolvedStep['modelNames'];
  languageModels: NonNullable<ResolvedStep['languageModels']>;
  sqlTexts: NonNullable<ResolvedStep['sqlTexts']>;
  env: ResolvedStep['env'];
  when: ResolvedStep['when'];
  resources: Pick<ResolvedStep, 'resources'>;
  /** Undefined if they depend on parameters that are wrong or not known. */
  outputs: OutputSpecs | undefined;
  inputs: { [name: string]: InputBinding };
  /** The table of `for_each`; null without one. */
  forEach: InputBinding | null;
  /** Steps that must be done first, each with the place that says so. */
  needs: Map<string, Need>;
}

export interface Need {
  span: Span;
  /** How: `reads`, `comes after`, `reads a metric of`. */
  how: string;
}

/** Notes that a step needs another; the first reason stays. */
export function addNeed(instance: Instance, id: string, need: Need): void {
  if (!instance.needs.has(id)) instance.needs.set(id, need);
}
