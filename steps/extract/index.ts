import type { Json, JsonObject } from '../../engine/json.ts';
import type { Message } from '../../engine/language-model.ts';
import { defineRowStep, RowFailure, type StepResult } from '../../engine/step.ts';
import { tokensOf } from '../../models/language/cost.ts';
import { answerFieldProblems } from '../answer-fields.ts';
import {
  languageModel,
  promptOf,
  promptProblems,
  rowFields,
  rowsAtOnce,
  sampling,
  samplingOf,
  template,
  write,
} from '../asking.ts';
import { askInParts, combinePrompt, contextShare, type Sample } from '../generate/long-input.ts';
import { ungrounded } from '../grounding.ts';
import { requireFields } from '../missing-field.ts';
import { significant } from '../significant.ts';

const task = `Extract what the schema asks for from the text. Take it from the text alone: what the text does not say is null where the schema allows null, an empty list where it wants a list. Copy names, numbers and quotations as they stand.`;

interface Value {
  found: JsonObject;
  /** Paths of texts and numbers in it that the row does not have. */
  ungrounded: string[];
  /** Parts that the text was read in. */
  parts: number;
}

export default defineRowStep({
  type: 'extract',
  summary: 'Takes what a JSON schema asks for out of each row, with a language model',
  description: `The model is shown the row's text and the schema; the \`description\`s in the schema tell it what is meant. The answer is held to the schema: one that does
not fit is sent back once with what is wrong, and if the second does not fit either, the row fails. A text that the model cannot take at once is read in parts, and what was found
is put together.

**Grounding.** A model may make up what the text does not say. \`grounded\` looks for every text and number of the answer in the fields that the model saw: as it stands, but for
upper and lower case, white space and the form of a number (1,000.50 and 1000.5). Choices of an \`enum\` are not looked for. With \`mark\` the paths of those that are not there
stand in the field \`ungrounded\`; with \`reject\` such rows go to the output \`rejected\`; with \`clear\` the values become null.`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    required: ['model', 'schema'],
    properties: {
      model: languageModel(),
      schema: { type: 'object', description: 'JSON Schema (`type: object`) of what is wanted.' },
      text: { type: 'string', minLength: 1, default: 'text', description: 'The field with the text.' },
      instructions: { type: 'string', minLength: 1, description: 'What to look for, in front of the text.' },
      prompt: template(
        "How a row is put before the model, over the row's fields; the text alone if not given.",
      ),
      examples: {
        type: 'array',
        default: [],
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['text', 'output'],
          properties: {
            text: { type: 'string', description: 'A text as the prompt would write it.' },
            output: { type: 'object', description: 'What is in it.' },
          },
        },
        description: 'Texts with what is in them, shown before each row (few-shot).',
      },
      field: {
        type: 'string',
        minLength: 1,
        default: 'extracted',
        description: 'The field for what was found.',
      },
      unpack: {
        type: 'boolean',
        default: false,
        description: "The members of what was found become the row's own fields.",
      },
      grounded: {
        enum: ['off', 'mark', 'clear', 'reject'],
        default: 'off',
        description: 'What is done with values that the row does not have.',
      },
      ...sampling,
    },
  },
  inputs: { rows: { kind: 'table', description: 'Rows with a text.' } },
  outputs: {
    rows: { kind: 'table', description: 'The rows with what was found; without those that failed.' },
    rejected: {
      kind: 'table',
      description: 'Rows with values that are not in them (`grounded: reject`), with the `reason`.',
    },
  },
  metrics: {
    rows: 'Rows with an answer.',
    rejected: 'Rows with made-up values (`grounded: reject`).',
    grounded_share: 'Share of the rows all of whose values are in them (with `grounded`).',
  },
  example: `facts:
  use: extract
  from: queries
  with:
    model: writer
    unpack: true
    grounded: mark
    schema:
      type: object
      required: [product, order]
      properties:
        product: { type: [string, "null"], description: what the customer bought }
        order: { type: [string, "null"], description: the number of the order }`,
  check({ prompt, schema, field, unpack }) {
    const problems = promptProblems({ prompt });
    problems.push(...answerFieldProblems({ field, unpack, schema }, ['id', 'parent_id']));
    if (schema['type'] !== 'object')
      problems.push({
        parameter: 'schema',
        message: 'schema must say type: object; other values are members of one',
      });
    return problems;
  },
  fields: ({ prompt, text }) => (prompt ? rowFields([promptOf(prompt, '')]) : [text]),
  rowParameters: ({ field: _, unpack: __, grounded: ___, ...counted }) => counted as JsonObject,
  async open({ parameters: given, inputs, context }) {
    const { prompt: source, text: textField, schema, examples, instructions } = given;
    const prompt = source && promptOf(source, '');
    const fields = prompt ? rowFields([prompt]) : [textField];
    requireFields(inputs.rows, fields);
    const model = context.languageModel(given.model);
    const tokens = context.modelTokens(given.model);
    const limit = tokens.context === null ? null : Math.floor(contextShare * tokens.context);
    const system = [task, ...(instructions === undefined ? [] : [instructions])].join('\n\n');
    const messagesOf = (values: JsonObject): Message[] => [
      { role: 'system', content: system },
      ...examples.flatMap(({ text: shown, output }): Message[] => [
        { role: 'user', content: shown },
        { role: 'assistant', content: JSON.stringify(output) },
      ]),
      { role: 'user', content: prompt ? write(prompt, values) : textOf(values[textField]!) },
    ];
    const ask = async (messages: readonly Message[]): Promise<Sample> => {
      const { text, json } = await model.ask({
        messages,
        schema: schema as JsonObject,
        ...samplingOf(given),
      });
      return { text, json };
    };
    let counter: Promise<(text: string) => number> | undefined;
    /** The answer; for a text that the model cannot take at once put together from those for its parts. */
    const answerTo = async (values: JsonObject): Promise<Sample> => {
      const messages = messagesOf(values);
      const bytes = messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
      // A token has a byte at least; where the tokenizer is not known, a quarter more are counted.
      if (limit === null || 1.25 * bytes <= limit) return ask(messages);
      counter ??= tokens.counter();
      const count = await counter;
      if (tokensOf(messages, count) <= limit) return ask(messages);
      const combine = promptOf(undefined, combinePrompt);
      const long = { limit, count, method: 'map_reduce' as const, field: prompt ? null : textField, combine };
      return askInParts(long, { values, fields, messagesOf, ask });
    };
    return {
      identity: { context: tokens.context },
      batchSize: 1,
      concurrency: rowsAtOnce,
      async compute([found]) {
        const row = Object.fromEntries(fields.map((field, index) => [field, found![index]!]));
        if (!prompt && row[textField] === null) throw new RowFailure(`${textField} is not there`);
        const { json, parts = 1 } = await answerTo({
          ...row,
          params: context.params,
          matrix: context.matrix,
        });
        const seen = fields.map((field) => textOf(row[field]!)).join('\n');
        const value: Value = {
          found: json as JsonObject,
          ungrounded: ungrounded(json!, schema as JsonObject, seen),
          parts,
        };
        return [value as unknown as Json];
      },
    };
  },
  async emit(
    { parameters: { field, unpack, grounded, model, schema }, inputs, outputs, context },
    rows,
  ): Promise<StepResult> {
    const added = [
      ...(unpack ? Object.keys((schema['properties'] ?? {}) as JsonObject) : [field]),
      ...(grounded === 'mark' ? ['ungrounded'] : []),
    ];
    outputs.rows.expect([...inputs.rows.fields, ...added]);
    outputs.rejected.expect([...inputs.rows.fields, ...added, 'reason']);
    let count = 0;
    let rejected = 0;
    let whole = 0;
    let inParts = 0;
    for await (const { row, value } of rows) {
      const { found, ungrounded: paths, parts } = value as unknown as Value;
      if (parts > 1) inParts++;
      const kept = grounded === 'clear' ? cleared(found, paths) : found;
      const out = {
        ...row,
        ...(unpack ? kept : { [field]: kept }),
        id: row.id,
        ...(grounded === 'mark' && { ungrounded: paths }),
      };
      if (paths.length === 0) whole++;
      if (grounded === 'reject' && paths.length > 0) {
        rejected++;
        await outputs.rejected.write({ ...out, reason: `not in the text: ${paths.join(', ')}` });
        continue;
      }
      count++;
      await outputs.rows.write(out);
    }
    if (inParts > 0)
      context.warn(
        `${inParts} texts are longer than ${100 * contextShare} % of the context of ${model}: they were read in parts`,
      );
    return {
      metrics: {
        rows: count,
        ...(grounded === 'reject' && { rejected }),
        ...(grounded !== 'off' &&
          count + rejected > 0 && { grounded_share: significant(whole / (count + rejected)) }),
      },
    };
  },
});

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The value with null in the places that the paths name. */
function cleared(found: JsonObject, paths: readonly string[]): JsonObject {
  const named = new Set(paths);
  const copy = (value: Json, path: string): Json => {
    if (named.has(path)) return null;
    if (Array.isArray(value))
      return value
        .map((item, index) => copy(item, `${path}/${index}`))
        .filter((item, index) => item !== null || value[index] === null);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [name, copy(member, `${path}/${name}`)]),
    );
  };
  return copy(found, '') as JsonObject;
}
