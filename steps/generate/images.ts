import type { Json } from '../../engine/json.ts';
import type { Message } from '../../engine/language-model.ts';
import { RowFailure } from '../../engine/step.ts';

type Images = NonNullable<Message['images']>;

const dataUrl = /^data:(image\/[\w.+-]+);base64,([A-Za-z0-9+/]+={0,2})$/;

/** Pictures of a row: a data URL, a list of them, or none. A RowFailure for anything else. */
export function imagesOf(value: Json | undefined, field: string): Images {
  if (value === undefined || value === null || value === '') return [];
  return [value].flat().map((item) => {
    const found = typeof item === 'string' ? dataUrl.exec(item.replace(/\s+/g, '')) : null;
    if (found === null)
      throw new RowFailure(
        `its field ${field} holds no picture: a data URL with base64 is one, or a list of them`,
      );
    return { media_type: found[1]!, base64: found[2]! };
  });
}

/** The messages with pictures at the last question. */
export function withImages(messages: readonly Message[], images: Images): Message[] {
  if (images.length === 0) return [...messages];
  return [...messages.slice(0, -1), { ...messages.at(-1)!, images }];
}
