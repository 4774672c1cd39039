/**
 * Weights of tokens by how likely they are: a / (a + p), smooth inverse frequency (Arora, Liang and Ma 2017). What is in
 * every text counts little. `coefficient` is a.
 */
export function sifWeights(probabilities: Float64Array, coefficient: number): Float64Array {
  return probabilities.map((probability) => coefficient / (coefficient + probability));
}

/**
 * What Zipf's law says of tokens that stand in the order of their frequency, as tokenizers list them: p ∝ 1 / rank, the
 * first of rank 2 (Model2Vec: Tulkens and van Dongen 2024). Shares counted in texts of one subject are no substitute: the
 * words that make the subject are frequent there, and would count for nothing (banking77, kNN accuracy: 0.58 in place of 0.85).
 */
export function zipfProbabilities(tokens: number): Float64Array {
  const inverse = Float64Array.from({ length: tokens }, (_, index) => 1 / (index + 2));
  const sum = inverse.reduce((total, value) => total + value, 0);
  return inverse.map((value) => value / sum);
}
