import type { Pooling } from './encoder-folder.ts';

/**
 * One vector from those of a text's tokens (`length * dimensions`, row-major), summed in float64. Names as in
 * sentence-transformers' `Pooling`.
 */
export function pool(tokens: Float32Array, length: number, pooling: Pooling): Float32Array {
  const dimensions = tokens.length / length;
  if (pooling === 'cls') return tokens.slice(0, dimensions);
  if (pooling === 'lasttoken') return tokens.slice((length - 1) * dimensions);
  const sums = new Float64Array(dimensions).fill(pooling === 'max' ? Number.NEGATIVE_INFINITY : 0);
  for (let token = 0; token < length; token++) {
    for (let column = 0; column < dimensions; column++) {
      const value = tokens[token * dimensions + column]!;
      if (pooling === 'max') sums[column] = Math.max(sums[column]!, value);
      else sums[column]! += value;
    }
  }
  const divisor = pooling === 'mean' ? length : pooling === 'mean_sqrt_len' ? Math.sqrt(length) : 1;
  return Float32Array.from(sums, (sum) => sum / divisor);
}
