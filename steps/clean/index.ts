import type { Row } from '../../engine/artefacts.ts';
import { StepError } from '../../engine/problems.ts';
import { defineStep } from '../../engine/step.ts';
import { requireFields } from '../missing-field.ts';
import { readNamedFile } from '../named-file.ts';
import { repairEncoding } from './encoding.ts';
import { cleanGeneration } from './generations.ts';
import { mapTexts } from './map-texts.ts';
import { type Detector, nameDetector, piiDetectors, piiTypes, replacePieces } from './pii.ts';
import { openRestorer, Pseudonyms } from './pseudonyms.ts';

const maskTypes = [...piiTypes, 'name'] as const;

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
   are replaced by \`mask_with\`; so are the \`names\` of a list.
6. \`generations\`: of what a language model wrote only the answer is left: no thinking aloud, tool calls or marks of a chat template around it. Rows of which the answer
   cannot be told go to \`rejected\` with the reason: \`unfinished\`, \`foreign-turn\`, \`broken-characters\`, \`empty\`, and for messages \`bad-role\`, \`bad-message\`,
   \`no-messages\`. This is done first.

Telephone numbers are taken for such with a country code, with the 0 or 8 that is dialled within a country, or with the usual marks between their parts; names
only from a list, and addresses not at all. With \`keep_map: true\` each piece has a token of its own (\`<email_1>\`) wherever it occurs, and the output \`map\` says what it stands for: keep it
apart. Bound as the input \`map\` of another \`clean\` it puts the pieces back, which is all that step does. Without it nothing says what was masked. Texts inside of lists and objects (the messages of a chat) are cleaned too.`,
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
        items: { enum: maskTypes },
        minItems: 1,
        uniqueItems: true,
        default: null,
        description: `What is masked: ${maskTypes.join(', ')}. Default: nothing.`,
      },
      mask_with: {
        type: ['string', 'null'],
        default: null,
        description:
          'What stands in its place: {type} is the kind, {n} a number for each different piece. Default: <{type}>, with `keep_map` <{type}_{n}>.',
      },
      names: {
        type: ['string', 'null'],
        minLength: 1,
        'x-reprise': 'input-path',
        default: null,
        description:
          'A file with a name on each line, for `mask: [name]`: first names, last names, or both in one.',
      },
      keep_map: {
        type: 'boolean',
        default: false,
        description: 'Whether the output `map` says what each token stands for.',
      },
      generations: {
        type: 'boolean',
        default: false,
        description:
          'Whether the fields hold what a language model wrote (texts or messages), of which the answer is wanted.',
      },
    },
  },
  inputs: {
    rows: { kind: 'table', description: 'Rows with texts.' },
    map: {
      kind: 'table',
      optional: true,
      description: 'The output `map` of an earlier step, to put back what it masked.',
    },
  },
  outputs: {
    rows: { kind: 'table', description: 'The rows, with clean texts.' },
    rejected: {
      kind: 'table',
      description:
        'With `generations`: rows without an answer that can be told, as they came, with the `reason`.',
    },
    map: {
      kind: 'table',
      description:
        'With `keep_map`: a row for each masked piece: `token`, `type`, `value` and its `occurrences`.',
    },
  },
  metrics: {
    changed: 'Rows with a text that was changed.',
    repaired: 'Rows with a text whose encoding was repaired.',
    rejected: 'Rows without an answer that can be told.',
    restored: 'With the input `map`: rows in which a piece was put back.',
    masked: 'Pieces that were masked.',
    ...Object.fromEntries(maskTypes.map((type) => [`masked_${type}`, `Of them ${type}.`])),
  },
  example: `clean:
  use: clean
  from: queries
  with: { mask: [email, phone, card] }`,

  check({ mask, names, keep_map: keepMap, mask_with: form }) {
    const mistakes: { parameter: string; message: string }[] = [];
    if ((mask?.includes('name') ?? false) !== (names !== null))
      mistakes.push({ parameter: 'names', message: 'names and mask: [name] need each other' });
    if (keepMap && form !== null && !(form.includes('{n}') && form.includes('{type}')))
      mistakes.push({
        parameter: 'mask_with',
        message: 'with keep_map it needs {type} and {n}, so that each piece has a token of its own',
      });
    return mistakes;
  },

  async run({ parameters, inputs, outputs, context }) {
    const { fields, encoding, unicode, control: dropControl, whitespace, generations, mask } = parameters;
    requireFields(inputs.rows, fields);
    outputs.rows.expect(inputs.rows.fields);
    outputs.rejected.expect([...inputs.rows.fields, 'reason']);
    outputs.map.expect(['id', 'token', 'type', 'value', 'occurrences']);
    const restore = inputs.map && (await openRestorer(inputs.map));
    const detectors: Detector[] = piiDetectors(mask ?? []);
    if (parameters.names !== null) {
      const names = await readNamedFile(parameters.names, 'a name on each line', context);
      const detector = nameDetector(names.split(/\r?\n/).map((name) => name.trim()));
      if (!detector)
        throw new StepError('no-names', `there is no name in ${parameters.names}`, 'write one on each line');
      detectors.push(detector);
    }
    const pseudonyms = new Pseudonyms(
      parameters.mask_with ?? (parameters.keep_map ? '<{type}_{n}>' : '<{type}>'),
    );
    // Texts that look like a token before anything is masked.
    let clashes = 0;
    const masked = new Map<string, number>(maskTypes.map((type) => [type, 0]));
    let changed = 0;
    let repaired = 0;
    let rejected = 0;
    // Of the row at hand: whether a text was changed, and whether its encoding was broken.
    let differs = false;
    let wasBroken = false;

    const cleanText = (text: string): string => {
      let clean = encoding ? repairEncoding(text) : text;
      if (clean !== text) wasBroken = true;
      if (unicode !== 'none') clean = clean.normalize(unicode);
      if (dropControl) clean = clean.replace(/\r\n?/g, '\n').replace(control, '');
      if (whitespace) clean = clean.replace(/\s+/g, ' ').trim();
      if (parameters.keep_map && pseudonyms.looksLikeToken(clean)) clashes++;
      if (detectors.length > 0)
        clean = replacePieces(clean, detectors, (type, match) => {
          masked.set(type, masked.get(type)! + 1);
          return pseudonyms.tokenOf(type, match);
        });
      if (clean !== text) differs = true;
      return clean;
    };
    const restoreText = (text: string): string => {
      const whole = restore ? restore(text) : text;
      if (whole !== text) differs = true;
      return whole;
    };

    let done = 0;
    for await (const block of inputs.rows.blocks()) {
      for (const row of block) {
        differs = false;
        wasBroken = false;
        const clean: Row = { ...row };
        let reason: string | undefined;
        if (generations && !restore)
          for (const field of fields) {
            const value = row[field];
            if (value === undefined) continue;
            const answer = cleanGeneration(value);
            if ('reason' in answer) {
              reason = answer.reason;
              break;
            }
            if (JSON.stringify(answer.value) !== JSON.stringify(value)) differs = true;
            clean[field] = answer.value;
          }
        if (reason === undefined)
          for (const field of fields) {
            const value = clean[field];
            if (value !== undefined) clean[field] = mapTexts(value, restore ? restoreText : cleanText);
          }
        done++;
        if (reason !== undefined) rejected++;
        else if (differs) changed++;
        if (reason === undefined && wasBroken) repaired++;
        const pending =
          reason === undefined ? outputs.rows.write(clean) : outputs.rejected.write({ ...row, reason });
        if (pending) await pending;
      }
      context.progress(done, inputs.rows.rows, 'rows');
      context.signal.throwIfAborted();
    }
    if (clashes > 0)
      context.warn(
        `${clashes.toLocaleString('en')} texts already hold what looks like a token: to tell them apart, give mask_with another form`,
      );
    if (parameters.keep_map)
      for (const { token, type, value, occurrences } of pseudonyms.list())
        await outputs.map.write({ id: token, token, type, value, occurrences });
    const counts = Object.fromEntries([...masked].map(([type, count]) => [`masked_${type}`, count]));
    const all = [...masked.values()].reduce((sum, count) => sum + count, 0);
    return {
      metrics: {
        changed,
        repaired,
        masked: all,
        ...counts,
        ...(generations && { rejected }),
        ...(restore && { restored: changed }),
      },
    };
  },
});
