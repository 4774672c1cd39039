import { EncoderError } from '../encoder-folder.ts';
import { type StaticEncoded, StaticEncoder, type StaticOptions } from './encoder.ts';
import type { StaticSettings } from './folder.ts';

/** What a worker gets: which model (its files' digest names it), and texts. */
export interface StaticTask {
  model: { digest: string; folder: string; settings: StaticSettings };
  texts: string[];
  options: StaticOptions;
}

/** An `EncoderError` would lose its class and hint on the way out of a worker, so it comes as a value. */
export type StaticReply =
  | { kind: 'encoded'; encoded: StaticEncoded }
  | { kind: 'refused'; message: string; hint?: string };

/** URL of this module, for `pool.run`. */
export const staticModule = import.meta.url;

/** The model that this thread used last. */
let open: { digest: string; encoder: StaticEncoder } | undefined;

/** Encodes texts in a worker thread, which keeps the model open for the next task. */
export async function encodeStatic({ model, texts, options }: StaticTask): Promise<StaticReply> {
  const { digest, folder, settings } = model;
  try {
    if (open?.digest !== digest) open = { digest, encoder: await StaticEncoder.open(folder, settings) };
  } catch (error) {
    if (!(error instanceof EncoderError)) throw error;
    const { message, hint } = error;
    return { kind: 'refused', message, ...(hint !== undefined && { hint }) };
  }
  return { kind: 'encoded', encoded: open.encoder.encode(texts, options) };
}
