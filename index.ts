/** The public API of the package: what a step file of a user's own imports. */
export type { Metrics, Row } from './engine/artefacts.ts';
export type { Json, JsonObject } from './engine/json.ts';
export type { Answer, LanguageRequest, Message, Sampling, Usage } from './engine/language-model.ts';
export { StepError } from './engine/problems.ts';
export * from './engine/step.ts';
