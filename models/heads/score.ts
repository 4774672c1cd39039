import type { InferenceSession } from 'onnxruntime-node';
import type { MatrixView } from '../../numerics/matrix-product.ts';

/** URL of this module, for `pool.run`. */
export const moduleUrl = import.meta.url;

export interface ScoreTask {
  /** Tells heads apart: this thread keeps the last one open. */
  digest: string;
  /** The ONNX file. */
  path: string;
  vectors: MatrixView;
}

/** Both `rows × classes`. */
export interface Scores {
  scores: Float32Array;
  probabilities: Float32Array;
}

let open: { digest: string; session: Promise<InferenceSession> } | undefined;

/** Runs a head on vectors, on one thread: equal vectors and chunks give equal bits. */
export async function score({ digest, path, vectors }: ScoreTask): Promise<Scores> {
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  if (open?.digest !== digest) {
    const old = open;
    open = undefined;
    await (await old?.session)?.release();
    open = {
      digest,
      session: InferenceSession.create(path, {
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        logSeverityLevel: 3,
      }),
    };
  }
  const session = await open.session;
  const { scores, probabilities } = await session.run({
    vectors: new Tensor('float32', vectors.data, [vectors.rows, vectors.columns]),
  });
  return {
    scores: scores!.data as Float32Array,
    probabilities: probabilities!.data as Float32Array,
  };
}
