import { type Refused, refusalOf } from '../encoder-folder.ts';
import { type StaticEncoded, StaticEncoder, type StaticOptions } from './encoder.ts';
import type { StaticSettings } from './folder.ts';

/** What a worker gets: which model (its files' digest names it), and texts. */
export interface StaticTask {
  model: { digest: string; folder: string; settings: StaticSettings };
  texts: string[];
  options: StaticOptions;
}

export type StaticReply = { kind: 'encoded'; encoded: StaticEncoded } | Refused;

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
    return refusalOf(error);
  }
  return { kind: 'encoded', encoded: open.encoder.encode(texts, options) };
}
