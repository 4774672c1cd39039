import type { Row } from '../../engine/artefacts.ts';
import { defineStep } from '../../engine/step.ts';
import { requireFields } from '../missing-field.ts';
import { repairEncoding } from './encoding.ts';
import { mapTexts } from './map-texts.ts';
import { type PiiType, piiTypes, replacePii } from './pii.ts';

/** Control characters but tab and line feed, and the mark at the start of a file. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const control = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff]/g;

export default defineStep({
  type: 'clean',
  summary: 'Repairs the encoding of texts and masks personal data in them',
  description: `Changes the \`fields\` of every row, and leaves ids, order and other fields as they are:

1. \`encoding\`: UTF-8 that was read as windows-1252 or windows-1251 is put right, up to three times over: cafÃ© → café, РџСЂРёРІРµС‚ → Привет.
   Real words stay, since their letters are hardly ever UTF-8; a broken text that has lost bytes stays as it is.
2. \`unicode\`: the normal form.
3. \`control\`: control characters are dropped, but for tabs and line breaks; \\r\\n and \\r become \\n.
4. \`whitespace\`: runs of white space are one space.
5. \`mask\`: e-mail addresses, telephone numbers, payment cards (13 to 19 digits with Luhn's check digit), IP addresses, and keys of
   well-known services (OpenAI, Anthropic, AWS, GitHub, GitLab, Slack, Google, Stripe, Hugging Face, npm), web tokens and private keys
   are replaced by \`mask_with\`.

Telephone numbers are taken for such with a country code or with the usual marks between their parts; names and addresses of
people are not looked for. Texts inside of lists and objects (the messages of a chat) are cleaned too.`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    properties: {
      fields: {
        type: 'array',
        items: { type: 'string', minLength: 1 },
        minItems: 1,
        uniqueItems: true,
        default: ['text'],
        description: 'The fields that are cleaned.',
      },
      encoding: { type: 'boolean', default: true, description: 'Repair broken encodings.' },
      unicode: {
        enum: ['none', 'NFC', 'NFKC'],
        default: 'NFC',
        description: 'Unicode normal form.',
      },
      control: { type: 'boolean', default: true, description: 'Drop control characters.' },
      whitespace: {
        type: 'boolean',
        default: false,
        description: 'Make runs of white space one space, and none at the ends.',
      },
      mask: {
        type: ['array', 'null'],
        items: { enum: piiTypes },
        minItems: 1,
        uniqueItems: true,
        default: null,
        description: `What is masked: ${piiTypes.join(', ')}. Default: nothing.`,
      },
      mask_with: {
        type: 'string',
        default: '<{type}>',
        description: 'What stands in its place; {type} is email, phone, card, ip or key.',
      },
    },
  },
  inputs: { rows: { kind: 'table', description: 'Rows with texts.' } },
  outputs: { rows: { kind: 'table', description: 'All rows, with clean texts.' } },
  metrics: {
    changed: 'Rows with a text that was changed.',
    repaired: 'Rows with a text whose encoding was repaired.',
    masked: 'Pieces that were masked.',
    ...Object.fromEntries(piiTypes.map((type) => [`masked_${type}`, `Of them ${type}.`])),
  },
  example: `clean:
  use: clean
  from: queries
  with: { mask: [email, phone, card] }`,

  async run({ parameters, inputs, outputs, context }) {
    const {
      fields,
      encoding,
      unicode,
      control: dropControl,
      whitespace,
      mask,
      mask_with: maskWith,
    } = parameters;
    requireFields(inputs.rows, fields);
    outputs.rows.expect(inputs.rows.fields);
    const masked = new Map<PiiType, number>(piiTypes.map((type) => [type, 0]));
    let changed = 0;
    let repaired = 0;
    // Of the row at hand: whether a text was changed, and whether its encoding was broken.
    let differs = false;
    let wasBroken = false;

    const cleanText = (text: string): string => {
      let clean = encoding ? repairEncoding(text) : text;
      if (clean !== text) wasBroken = true;
      if (unicode !== 'none') clean = clean.normalize(unicode);
      if (dropControl) clean = clean.replace(/\r\n?/g, '\n').replace(control, '');
      if (whitespace) clean = clean.replace(/\s+/g, ' ').trim();
      if (mask)
        clean = replacePii(clean, mask as PiiType[], (type) => {
          masked.set(type, masked.get(type)! + 1);
          return maskWith.replaceAll('{type}', type);
        });
      if (clean !== text) differs = true;
      return clean;
    };

    let done = 0;
    for await (const block of inputs.rows.blocks()) {
      for (const row of block) {
        differs = false;
        wasBroken = false;
        const clean: Row = { ...row };
        for (const field of fields) {
          const value = row[field];
          if (value !== undefined) clean[field] = mapTexts(value, cleanText);
        }
        if (differs) changed++;
        if (wasBroken) repaired++;
        const pending = outputs.rows.write(clean);
        if (pending) await pending;
        done++;
      }
      context.progress(done, inputs.rows.rows, 'rows');
      context.signal.throwIfAborted();
    }
    const counts = Object.fromEntries([...masked].map(([type, count]) => [`masked_${type}`, count]));
    const all = [...masked.values()].reduce((sum, count) => sum + count, 0);
    return { metrics: { changed, repaired, masked: all, ...counts } };
  },
});
