import { StepError } from '../engine/problems.ts';
import type { ModelFolder } from '../engine/step.ts';
import {
  EncoderError,
  type EncoderSettings,
  type Refused,
  readEncoderSettings,
} from '../models/encoder-folder.ts';
import { readStaticSettings, type StaticSettings } from '../models/static/folder.ts';

const namesOf = ({ files }: ModelFolder) => files.map(({ name }) => name);
const hasNetwork = (model: ModelFolder) => namesOf(model).some((name) => name.endsWith('.onnx'));

/** How an ONNX encoder is used. Throws a `StepError` for a folder that holds none. */
export function onnxSettings(model: ModelFolder): EncoderSettings {
  if (!hasNetwork(model))
    throw new StepError(
      'model',
      `${model.name} is a static model, not an ONNX encoder`,
      'embed takes it with method: static',
    );
  return asStepError(() => readEncoderSettings(model.folder, namesOf(model)));
}

/** How a folder of static embeddings is used. Throws a `StepError` for a folder that holds none. */
export function staticSettings(model: ModelFolder): StaticSettings {
  if (hasNetwork(model))
    throw new StepError(
      'model',
      `${model.name} is an ONNX encoder, not a static model`,
      'embed takes it with method: onnx; train distils it into a static one (method: static_embedding)',
    );
  return asStepError(() => readStaticSettings(model.folder, namesOf(model)));
}

/** What a worker made of a model's texts or tokens. Throws a `StepError` with the model's name if it was refused. */
export function encodedBy<T>(name: string, reply: { kind: 'encoded'; encoded: T } | Refused): T {
  if (reply.kind === 'encoded') return reply.encoded;
  throw new StepError('model', `${name}: ${reply.message}`, reply.hint);
}

function asStepError<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof EncoderError) throw new StepError('model', error.message, error.hint);
    throw error;
  }
}
