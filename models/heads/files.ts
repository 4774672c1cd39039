/** What a head was made by. */
export type HeadMethod = 'softmax' | 'knn' | 'centroid';

/** `head.json`: what the file `head.onnx` beside it takes and gives. */
export interface HeadDescription {
  format: 1;
  method: HeadMethod;
  /** Numbers in a vector. */
  dimensions: number;
  /** Class names, in the order of the columns of `scores` and `probabilities`. */
  labels: string[];
  /** Rows that it learnt from. */
  rows: number;
  /** What the step was told. */
  parameters: { [name: string]: unknown };
  /** What the step measured. */
  metrics: { [name: string]: number | string | boolean };
}

/** Names of the files that make up a head. */
export const headFiles = { graph: 'head.onnx', description: 'head.json', labels: 'labels.json' } as const;

/** Reads `head.json`; undefined if it is none. */
export function readHead(text: string): HeadDescription | undefined {
  try {
    const head = JSON.parse(text) as Partial<HeadDescription>;
    const isWhole =
      head.format === 1 &&
      Number.isInteger(head.dimensions) &&
      Array.isArray(head.labels) &&
      head.labels.length > 0;
    return isWhole ? (head as HeadDescription) : undefined;
  } catch {
    return undefined;
  }
}
