import { join } from 'node:path';
import { type DenseLayer, EncoderError } from './encoder-folder.ts';
import { readTensors } from './static/safetensors.ts';

/** A layer with its numbers: `weight` is [outputs, inputs], row-major. */
export interface Dense {
  weight: Float32Array;
  bias: Float32Array | null;
  inputs: number;
  outputs: number;
  activation: DenseLayer['activation'];
}

export function openDense(folder: string, { tensors, activation }: DenseLayer): Dense {
  const found = readTensors(join(folder, tensors), ['linear.weight', 'linear.bias']);
  const weight = found.get('linear.weight');
  const [outputs, inputs] = weight?.shape ?? [];
  if (weight === undefined || outputs === undefined || inputs === undefined)
    throw new EncoderError(`${tensors} in ${folder} has no table linear.weight`, 'save the model again');
  const bias = found.get('linear.bias')?.data ?? null;
  return { weight: weight.data, bias, inputs, outputs, activation };
}

/** y = activation(W x + b), summed in float64. Throws an `EncoderError` where the layer is for vectors of another length. */
export function dense(
  vector: Float32Array,
  { weight, bias, inputs, outputs, activation }: Dense,
): Float32Array {
  if (vector.length !== inputs)
    throw new EncoderError(
      `a Dense layer takes ${inputs} numbers, and the network gives ${vector.length}`,
      'copy the layer and the network of one and the same model',
    );
  const result = new Float32Array(outputs);
  for (let output = 0; output < outputs; output++) {
    let sum = bias === null ? 0 : bias[output]!;
    for (let input = 0; input < inputs; input++) sum += weight[output * inputs + input]! * vector[input]!;
    result[output] = activated(sum, activation);
  }
  return result;
}

function activated(value: number, activation: DenseLayer['activation']): number {
  switch (activation) {
    case 'identity':
      return value;
    case 'tanh':
      return Math.tanh(value);
    case 'relu':
      return Math.max(0, value);
    case 'gelu':
      return (value / 2) * (1 + erf(value / Math.SQRT2));
  }
}

/** The error function, to 1.5e-7 (Abramowitz and Stegun 7.1.26). */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const series =
    ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - series * Math.exp(-x * x));
}
