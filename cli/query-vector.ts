import type { Digest } from '../engine/digest.ts';
import { modelFolder } from '../engine/execute/prepare.ts';
import type { JsonObject } from '../engine/json.ts';
import type { RunRecord, StepRecord } from '../engine/record/record.ts';
import type { FilesInput, Matrix, MatrixInput } from '../engine/step.ts';
import type { OpenProject } from './project.ts';

/** Words as a vector, in the space of vectors that a run made. */
export interface QueryVector {
  query: Matrix;
  /** Vectors of the rows. */
  vectors: MatrixInput;
}

/**
 * Encodes words as the run's `embed` step did it that made vectors of the rows with these ids. If that cannot be done, the
 * reason why.
 */
export async function queryVector(
  words: string,
  ids: Digest,
  record: RunRecord,
  project: OpenProject,
): Promise<QueryVector | { reason: string }> {
  const { store } = project.workspace;
  const step = record.steps.find((own) => {
    const vectors = own.outputs['vectors'];
    return (
      own.use === 'embed' && own.fingerprint !== null && vectors?.kind === 'matrix' && vectors.ids === ids
    );
  });
  if (step === undefined)
    return { reason: `run ${record.id} has no step embed that made vectors of these rows` };
  const vectors = store.open(step.outputs['vectors']!) as MatrixInput;
  const parameters = step.fingerprint!.parameters;
  const text = `${(parameters['prefix'] as string | undefined) ?? ''}${words}`;
  const query =
    parameters['method'] === 'lexical'
      ? await lexicalVector(text, parameters, store.open(step.outputs['fit']!) as FilesInput)
      : await encoderVector(text, parameters, step, project);
  if (query === null) return { reason: `the encoder of ${step.id} is not here as it was` };
  return { query, vectors };
}

async function lexicalVector(text: string, { normalize }: JsonObject, fit: FilesInput): Promise<Matrix> {
  const { transformLexical } = await import('../steps/embed/lexical-task.ts');
  const paths = Object.fromEntries(fit.names.map((name) => [name, fit.path(name)]));
  const found = transformLexical({
    fit: { digest: fit.digest, paths },
    texts: [text],
    normalize: normalize === true,
  });
  return { data: found.vectors, rows: 1, columns: found.dimensions };
}

/** Null if the model is not here, or has other files than the run's. */
async function encoderVector(
  text: string,
  parameters: JsonObject,
  step: StepRecord,
  { workspace }: OpenProject,
): Promise<Matrix | null> {
  const name = parameters['model'] as string;
  const model = await modelFolder(name, workspace);
  if (model === undefined || model.digest !== step.fingerprint!.models[name]) return null;
  const [{ Encoder }, { readEncoderSettings }] = await Promise.all([
    import('../models/encoder.ts'),
    import('../models/encoder-folder.ts'),
  ]);
  const settings = readEncoderSettings(
    model.folder,
    model.files.map((file) => file.name),
  );
  const encoder = await Encoder.open(model.folder, settings);
  try {
    const { vectors, dimensions } = await encoder.encode([text], {
      maxTokens: (parameters['max_tokens'] as number | null) ?? settings.maxTokens,
      normalize: parameters['normalize'] === true,
      dimensions: (parameters['dimensions'] as number | null) ?? null,
    });
    return { data: vectors, rows: 1, columns: dimensions };
  } finally {
    await encoder.close();
  }
}
