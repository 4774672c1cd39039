import { sampleIndices } from '../../numerics/random.ts';
import { truncatedSvd } from '../../numerics/svd.ts';
import { fitVocabulary, Tfidf, type TfidfOptions } from '../../numerics/tfidf.ts';
import { type LexicalFit, readFit } from './lexical-fit.ts';

/** URL of this module, for `pool.run`. */
export const lexicalModule = import.meta.url;

export interface FitTask {
  texts: string[];
  options: TfidfOptions;
  dimensions: number;
  /** Of more texts, a sample of so many is used. */
  mostTexts: number;
  seed: number;
}

/** Learns vocabulary, weights and components from texts, in a worker thread. */
export async function fitLexical({
  texts,
  options,
  dimensions,
  mostTexts,
  seed,
}: FitTask): Promise<LexicalFit> {
  const sample =
    texts.length > mostTexts
      ? Array.from(sampleIndices(texts.length, mostTexts, seed), (row) => texts[row]!)
      : texts;
  const vocabulary = fitVocabulary(sample, options);
  const weights = new Tfidf(vocabulary, options).transform(sample);
  const { vectors, singularValues } = await truncatedSvd(weights, { components: dimensions, seed });
  return {
    options: { analyzer: options.analyzer, ngramRange: options.ngramRange, sublinearTf: options.sublinearTf },
    vocabulary,
    components: vectors,
    singularValues: [...singularValues],
  };
}

export interface TransformTask {
  fit: { digest: string; paths: Record<string, string> };
  texts: string[];
  normalize: boolean;
}

export interface Transformed {
  /** Row-major, `rows * dimensions`. */
  vectors: Float32Array;
  dimensions: number;
  /** Different terms of each text that the fit knows. */
  terms: Int32Array;
}

/** The fit that this thread used last. */
let open: { digest: string; fit: LexicalFit; tfidf: Tfidf } | undefined;

/** Vectors of texts under a fit, in a worker thread, which keeps the fit for the next task. */
export function transformLexical({ fit: { digest, paths }, texts, normalize }: TransformTask): Transformed {
  if (open?.digest !== digest) {
    const fit = readFit(paths);
    open = { digest, fit, tfidf: new Tfidf(fit.vocabulary, fit.options) };
  }
  const { components } = open.fit;
  const dimensions = components.columns;
  const weights = open.tfidf.transform(texts);
  const vectors = new Float32Array(texts.length * dimensions);
  const terms = new Int32Array(texts.length);
  const sum = new Float64Array(dimensions);
  for (let row = 0; row < texts.length; row++) {
    const end = weights.starts[row + 1]!;
    sum.fill(0);
    for (let entry = weights.starts[row]!; entry < end; entry++) {
      const weight = weights.values[entry]!;
      const from = weights.indices[entry]! * dimensions;
      for (let i = 0; i < dimensions; i++) sum[i]! += weight * components.data[from + i]!;
    }
    terms[row] = end - weights.starts[row]!;
    let scale = 1;
    if (normalize) {
      const squares = sum.reduce((total, value) => total + value * value, 0);
      scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    }
    for (let i = 0; i < dimensions; i++) vectors[row * dimensions + i] = sum[i]! * scale;
  }
  return { vectors, dimensions, terms };
}
