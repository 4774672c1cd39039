import { type Encoded, type EncodeOptions, Encoder } from './encoder.ts';
import { type EncoderSettings, type Refused, refusalOf } from './encoder-folder.ts';

/** What a worker gets: which encoder (its files' digest names it), and texts. */
export interface EncodeTask {
  encoder: { digest: string; folder: string; settings: EncoderSettings };
  texts: string[];
  options: EncodeOptions;
}

export type EncodeReply = { kind: 'encoded'; encoded: Encoded } | Refused;

/** URL of this module, for `pool.run`. */
export const encodeModule = import.meta.url;

/** The encoder that this thread used last: networks are large, so one is kept. */
let open: { name: string; encoder: Promise<Encoder> } | undefined;

/** Encodes texts in a worker thread, which keeps the encoder open for the next task. */
export function encode({ encoder, texts, options }: EncodeTask): Promise<EncodeReply> {
  return withEncoder(encoder, (opened) => opened.encode(texts, options));
}

/** Lists of an encoder's own tokens, each to be encoded by itself. */
export interface EncodeTokensTask {
  encoder: EncodeTask['encoder'];
  lists: number[][];
}

/** Unscaled vectors of lists of tokens, as `encode` gives those of texts. */
export function encodeTokens({ encoder, lists }: EncodeTokensTask): Promise<EncodeReply> {
  return withEncoder(encoder, async (opened) => ({
    ...(await opened.encodeTokens(lists, { normalize: false, dimensions: null })),
    tokens: Int32Array.from(lists, ({ length }) => length),
  }));
}

async function withEncoder(
  { digest, folder, settings }: EncodeTask['encoder'],
  work: (encoder: Encoder) => Promise<Encoded>,
): Promise<EncodeReply> {
  // One network can be used in several ways.
  const name = `${digest} ${JSON.stringify(settings)}`;
  if (open?.name !== name) {
    const old = open;
    open = undefined;
    await (await old?.encoder)?.close();
    open = { name, encoder: Encoder.open(folder, settings) };
  }
  try {
    return { kind: 'encoded', encoded: await work(await open.encoder) };
  } catch (error) {
    open = undefined;
    return refusalOf(error);
  }
}
