import { type Encoded, type EncodeOptions, Encoder } from './encoder.ts';
import { EncoderError, type EncoderSettings } from './encoder-folder.ts';

/** What a worker gets: which encoder (its files' digest names it), and texts. */
export interface EncodeTask {
  encoder: { digest: string; folder: string; settings: EncoderSettings };
  texts: string[];
  options: EncodeOptions;
}

/** An `EncoderError` would lose its class and hint on the way out of a worker, so it comes as a value. */
export type EncodeReply =
  | { kind: 'encoded'; encoded: Encoded }
  | { kind: 'refused'; message: string; hint?: string };

/** URL of this module, for `pool.run`. */
export const encodeModule = import.meta.url;

/** The encoder that this thread used last: networks are large, so one is kept. */
let open: { digest: string; encoder: Promise<Encoder> } | undefined;

/** Encodes texts in a worker thread, which keeps the encoder open for the next task. */
export async function encode(task: EncodeTask): Promise<EncodeReply> {
  const { digest, folder, settings } = task.encoder;
  if (open?.digest !== digest) {
    const old = open;
    open = undefined;
    await (await old?.encoder)?.close();
    open = { digest, encoder: Encoder.open(folder, settings) };
  }
  let encoder: Encoder;
  try {
    encoder = await open.encoder;
  } catch (error) {
    open = undefined;
    if (!(error instanceof EncoderError)) throw error;
    return {
      kind: 'refused',
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    };
  }
  return { kind: 'encoded', encoded: await encoder.encode(task.texts, task.options) };
}
