import type { ParameterProblem, StepSurroundings } from '../../engine/step.ts';
import { defaultEncoder } from './parameters.ts';

/** What is wrong with a model for a method, as far as its name and the step's inputs tell: a folder is looked at when it is opened. */
export function modelProblems(
  { method, model }: { method: string; model: string },
  { inputs, languageModels }: StepSurroundings,
): ParameterProblem[] {
  const problem = (message: string) => [{ parameter: 'model', message }];
  const given = inputs.includes('model');
  const hosted = languageModels.includes(model);
  if (given && method !== 'static')
    return problem('the input model is a static model: write method: static, or leave the input out');
  if (hosted && method !== 'openai' && !given)
    return problem(`${model} is a model of a provider: embed asks it with method: openai`);
  if (!hosted && method === 'openai')
    return problem(
      `${model} is no model of a provider; method: openai takes an alias of models: ada: { provider: openai, model: text-embedding-3-small }`,
    );
  if (method === 'static' && model === defaultEncoder && !given)
    return problem(
      'method: static takes the input model (a step train with method: static_embedding), or a folder of static embeddings as model',
    );
  return [];
}
