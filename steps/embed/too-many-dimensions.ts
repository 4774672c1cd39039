import { StepError } from '../../engine/problems.ts';

/** More leading numbers are asked for than a model's vectors have. */
export function dimensionsProblem(asked: number, model: string, dimensions: number): StepError {
  return new StepError(
    'dimensions',
    `dimensions is ${asked}, but vectors of ${model} have ${dimensions}`,
    `write dimensions: ${dimensions} or less, or leave it out`,
  );
}
