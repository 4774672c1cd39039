import type { Similarity } from '../engine/reproduce/drift.ts';
import { Encoder } from '../models/encoder.ts';
import { readEncoderSettings } from '../models/encoder-folder.ts';
import { createModelResolver } from '../models/resolver.ts';

/** The encoder that answers are compared with; longer ones lose their end. */
const encoderName = 'all-minilm-l6-v2';
/** Texts that are encoded before anything else of the process gets a turn. */
const atOnce = 32;

/** Cosines of the sentence embeddings of pairs of texts; none where the encoder is not installed. */
export const answerSimilarity: Similarity = async (pairs) => {
  const found = createModelResolver({ root: '/' }).find(encoderName);
  if (found === undefined) return [];
  const settings = readEncoderSettings(found.folder, found.files);
  const encoder = await Encoder.open(found.folder, settings);
  const cosines: number[] = [];
  try {
    for (let start = 0; start < pairs.length; start += atOnce) {
      const part = pairs.slice(start, start + atOnce);
      const { vectors, dimensions } = await encoder.encode(part.flat(), {
        maxTokens: settings.maxTokens,
        normalize: true,
        dimensions: null,
      });
      for (let pair = 0; pair < part.length; pair++) {
        const at = 2 * pair * dimensions;
        let sum = 0;
        for (let n = 0; n < dimensions; n++) sum += vectors[at + n]! * vectors[at + dimensions + n]!;
        cosines.push(sum);
      }
      await new Promise((next) => setImmediate(next));
    }
  } finally {
    await encoder.close();
  }
  return cosines;
};
