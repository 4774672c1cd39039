import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import {
  type FilesInput,
  type FilesOutput,
  type RowComputer,
  RowFailure,
  type StepContext,
  type TableInput,
} from '../../engine/step.ts';
import { digestOfFit, fitFiles, fitToFiles, type LexicalFit } from './lexical-fit.ts';
import {
  type FitTask,
  fitLexical,
  lexicalModule,
  type Transformed,
  type TransformTask,
  transformLexical,
} from './lexical-task.ts';
import { describeValue } from './text-field.ts';

export interface LexicalParameters {
  text: string;
  prefix: string;
  normalize: boolean;
  dimensions: number | null;
  analyzer: 'char_wb' | 'word';
  ngram_range: number[] | null;
  min_df: number;
  max_df: number;
  max_features: number | null;
  sublinear_tf: boolean;
  max_fit_rows: number;
  random_state: number;
}

export const defaultDimensions = 256;
export const defaultNgramRange = { char_wb: [2, 5], word: [1, 2] } as const;
const rowsPerBatch = 512;

/**
 * Rows to vectors by TF-IDF and truncated SVD. The fit comes from the input `fit`, or is made from the rows' texts
 * first and written to the output `fit`; a row's value is its vector and, as one more number at the end, how many
 * terms the fit knows of it.
 */
export async function openLexical(
  parameters: LexicalParameters,
  inputs: { rows: TableInput; fit: FilesInput | undefined },
  output: FilesOutput,
  context: StepContext,
): Promise<RowComputer<Float32Array>> {
  const fit = inputs.fit
    ? { digest: inputs.fit.digest, paths: givenPaths(inputs.fit) }
    : await fitted(parameters, inputs.rows, context, output);
  if (inputs.fit) for (const name of fitFiles) await output.write(name, await inputs.fit.read(name));
  return {
    identity: { fit: fit.digest },
    batchSize: rowsPerBatch,
    concurrency: context.pool.threads,
    order: ([text]) => (typeof text === 'string' ? -text.length : 0),
    async compute(batch) {
      const texts = batch.map(([text]) => text).filter((text) => typeof text === 'string');
      const { vectors, dimensions, terms } = await context.pool.run<TransformTask, Transformed>(
        lexicalModule,
        transformLexical.name,
        { fit, texts: texts.map((text) => parameters.prefix + text), normalize: parameters.normalize },
      );
      let next = 0;
      return batch.map(([text]) => {
        if (typeof text !== 'string') return new RowFailure(describeValue(parameters.text, text as Json));
        const row = next++;
        const value = new Float32Array(dimensions + 1);
        value.set(vectors.subarray(row * dimensions, (row + 1) * dimensions));
        value[dimensions] = terms[row]!;
        return value;
      });
    },
  };
}

function givenPaths(input: FilesInput): Record<string, string> {
  const missing = fitFiles.filter((name) => !input.names.includes(name));
  if (missing.length > 0)
    throw new StepError(
      'fit',
      `the input fit has no ${missing.join(', ')}`,
      'give the output `fit` of another embed step with method: lexical',
    );
  return Object.fromEntries(fitFiles.map((name) => [name, input.path(name)]));
}

async function fitted(
  parameters: LexicalParameters,
  rows: TableInput,
  context: StepContext,
  output: FilesOutput,
): Promise<{ digest: string; paths: Record<string, string> }> {
  const texts: string[] = [];
  for await (const block of rows.blocks()) {
    for (const row of block) {
      const text = row[parameters.text];
      if (typeof text === 'string') texts.push(parameters.prefix + text);
    }
  }
  const [least, greatest] = parameters.ngram_range ?? defaultNgramRange[parameters.analyzer];
  const fit = await context.pool.run<FitTask, LexicalFit>(lexicalModule, fitLexical.name, {
    texts,
    options: {
      analyzer: parameters.analyzer,
      ngramRange: [least!, greatest!],
      minDf: parameters.min_df,
      maxDf: parameters.max_df,
      maxFeatures: parameters.max_features,
      sublinearTf: parameters.sublinear_tf,
    },
    dimensions: parameters.dimensions ?? defaultDimensions,
    mostTexts: parameters.max_fit_rows,
    seed: parameters.random_state,
  });
  if (texts.length > 0 && fit.components.columns === 0)
    throw new StepError(
      'no-terms',
      `no term of the ${texts.length} texts is left to learn from`,
      `lower min_df (${parameters.min_df}), raise max_df (${parameters.max_df}), or take another analyzer`,
    );
  const files = fitToFiles(fit);
  const folder = await context.scratch();
  const paths: Record<string, string> = {};
  for (const [name, content] of files) {
    paths[name] = join(folder, name);
    await writeFile(paths[name]!, content);
    await output.write(name, content);
  }
  return { digest: digestOfFit(files), paths };
}
