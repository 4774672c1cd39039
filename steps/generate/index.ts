import type { Json, JsonObject } from '../../engine/json.ts';
import type { Message } from '../../engine/language-model.ts';
import { StepError } from '../../engine/problems.ts';
import { defineRowStep, RowFailure, type StepResult } from '../../engine/step.ts';
import { tokensOf } from '../../models/language/cost.ts';
import { compilePrompt, type Prompt, PromptError } from '../../models/language/prompt.ts';
import { answerFieldProblems } from '../answer-fields.ts';
import { allOf, promptOf, promptProblems, rowFields, rowsAtOnce, samplingOf } from '../asking.ts';
import { requireFields } from '../missing-field.ts';
import { type Candidate, type Chooser, type choices, chooserOf } from './few-shot.ts';
import { imagesOf, withImages } from './images.ts';
import { askInParts, combinePrompt, contextShare, type LongInput, type Sample } from './long-input.ts';
import { messagesOf, shownExamples, type Texts } from './messages.ts';
import { parameters } from './parameters.ts';

export default defineRowStep({
  type: 'generate',
  summary: 'Asks a language model about each row: any prompt, text or JSON, one answer or several',
  description: `The prompt is a Handlebars text over the row's fields, \`params\` and \`matrix\`; values are put in as they are, lists
and objects as JSON. Only the fields that it names count: a row that changes elsewhere is not asked again.

With \`schema\` the answer is JSON that fits it, with its members in the schema's order. One that does not fit is sent back once with
what is wrong; if the second does not fit either, the row fails. An answer that is cut off, refused or empty is a failed row too, with
the reason, never a short text. What a model thinks aloud before its answer (\`<think>…</think>\`) is left out, and kept in \`answers\`.

\`samples: n\` asks each row n times: the rows of the output are \`<id>#1\` to \`<id>#n\` with \`parent_id\` and \`sample\`.

Examples are fixed (\`examples\`), or chosen for each row among those of the input \`examples\` (\`few_shot\`): the prompt over an
example's fields is the question, its field \`output\` the answer. An example that asks a row's very question is not shown with it.

A question longer than 80 % of the model's context is asked in parts: its longest text is cut at headings, else at paragraphs,
lines, sentences, words, and the answers for the parts are put together (\`long_input\`). The step warns of it. Where the context of a
model is not known, its alias can say it (\`context\`).

Answers are kept as they arrive, by what was asked of which model and by nothing of this step's code: after a crash, an edit
of the step or a change of its other parameters nothing is asked twice. The output \`answers\` has them, with tokens and cost.`,
  parameters,
  inputs: {
    rows: { kind: 'table', description: 'Rows with the fields that the prompt names.' },
    examples: {
      kind: 'table',
      optional: true,
      learnt: true,
      description: 'With `few_shot`: rows with the fields that the prompt names, and the answer.',
    },
  },
  outputs: { rows: { kind: 'table', description: 'The rows with their answer; without those that failed.' } },
  metrics: {
    rows: 'Rows with an answer.',
    answers: 'Answers.',
    rows_in_parts: 'Rows that were too long for one request.',
  },
  example: `labels:
  use: generate
  from: queries
  with:
    model: writer
    prompt: { text: "What does this customer want? Three words at most.\\n\\n{{text}}" }`,
  check({ prompt, system, schema, field, unpack, samples, long_input: { combine } }) {
    const problems = promptProblems({ prompt, system, 'long_input.combine': combine });
    const own = ['id', 'parent_id', ...(samples > 1 ? ['sample'] : [])];
    problems.push(...answerFieldProblems({ field, unpack, ...(schema && { schema }) }, own));
    if (schema !== undefined && schema['type'] !== 'object')
      problems.push({
        parameter: 'schema',
        message: 'schema must say type: object; other values are members of one',
      });
    if (unpack && schema === undefined)
      problems.push({ parameter: 'unpack', message: 'unpack is for answers with a schema' });
    return problems;
  },
  fields: ({ prompt, system, images }) => withField(fieldsOf(prompt, system), images),
  rowParameters: ({ field: _, unpack: __, ...counted }) => counted as JsonObject,
  async open({ parameters: given, inputs, context }) {
    const fields = withField(fieldsOf(given.prompt, given.system), given.images);
    requireFields(inputs.rows, fields);
    const texts: Texts = {
      prompt: promptOf(given.prompt, ''),
      system: given.system === undefined ? null : promptOf(given.system, ''),
    };
    const scope = { params: context.params, matrix: context.matrix } as JsonObject;
    const examples = written(() => shownExamples(texts.prompt, given.examples, scope));
    const chooser = await openChooser(given.few_shot, inputs.examples, texts.prompt, scope);
    const model = context.languageModel(given.model);
    const tokens = context.modelTokens(given.model);
    const room = requestRoom(tokens.context, given.max_tokens);
    let longInput: Promise<LongInput> | undefined;
    const openLong = async (limit: number): Promise<LongInput> => ({
      limit,
      count: await tokens.counter(),
      method: given.long_input.method,
      field: given.long_input.field ?? null,
      combine: promptOf(given.long_input.combine, combinePrompt),
    });
    const request = {
      ...samplingOf(given),
      ...(given.stop !== undefined && { stop: given.stop }),
      ...(given.schema !== undefined && { schema: given.schema as JsonObject }),
    };
    return {
      identity: { context: tokens.context, examples: chooser === null ? null : inputs.examples!.digest },
      batchSize: 1,
      concurrency: rowsAtOnce,
      async compute([found]) {
        const row = Object.fromEntries(fields.map((field, index) => [field, found![index]!]));
        const values: JsonObject = { ...row, ...scope };
        const shown = [...examples];
        if (chooser !== null) shown.push(...chooser(written(() => texts.prompt.render(values))));
        const images = given.images === undefined ? [] : imagesOf(row[given.images], given.images);
        const questionOf = (of: JsonObject) =>
          withImages(
            written(() => messagesOf(texts, shown, of)),
            images,
          );
        const messages = questionOf(values);
        const ask = async (asked: readonly Message[], sample: number): Promise<Sample> => {
          const { text, json } = await model.ask({ messages: asked, ...request, sample });
          return { text, json };
        };
        if (room !== null && mostTokens(messages) > room) longInput ??= openLong(room);
        const long = (await longInput) ?? null;
        const tooLong = long !== null && tokensOf(messages, long.count) > long.limit ? long : null;
        const answers = await allOf(
          Array.from({ length: given.samples }, (_, sample) =>
            tooLong === null
              ? ask(messages, sample)
              : askInParts(tooLong, {
                  values,
                  fields,
                  messagesOf: questionOf,
                  ask: (part) => ask(part, sample),
                }),
          ),
        );
        return [answers as unknown as Json];
      },
    };
  },
  async emit({ parameters: given, outputs, context }, rows): Promise<StepResult> {
    const { field, samples, schema, unpack, model } = given;
    let count = 0;
    let answers = 0;
    let inParts = 0;
    let mostParts = 0;
    for await (const { row, value } of rows) {
      count++;
      const said = value as unknown as Sample[];
      const parts = Math.max(...said.map((sample) => sample.parts ?? 1));
      if (parts > 1) inParts++;
      mostParts = Math.max(mostParts, parts);
      for (const [index, { text, json }] of said.entries()) {
        answers++;
        const own: JsonObject =
          samples > 1
            ? { id: `${row.id}#${index + 1}`, parent_id: row.id, sample: index + 1 }
            : { id: row.id };
        const answer: Json = schema === undefined ? text : json;
        await outputs.rows.write({
          ...row,
          ...own,
          ...(unpack ? (answer as JsonObject) : { [field]: answer }),
          // An answer may have members that its schema does not name.
          ...own,
        });
      }
    }
    if (inParts > 0)
      context.warn(
        `${inParts} ${inParts === 1 ? 'row was' : 'rows were'} longer than ${100 * contextShare} % of the context of ${model} (${context.modelTokens(model).context} tokens), and asked about in parts: ${mostParts} at most`,
      );
    return { metrics: { rows: count, answers, rows_in_parts: inParts } };
  },
});

/** Tokens that a request may have; null if the model's context is not known. */
function requestRoom(context: number | null, maxTokens: number | undefined): number | null {
  if (context === null) return null;
  const share = Math.floor(contextShare * context);
  return maxTokens === undefined ? share : Math.max(1, Math.min(share, context - maxTokens));
}

/** More than any way of counting comes to: a token is a byte at least. Only what passes this need be counted. */
function mostTokens(messages: readonly Message[]): number {
  return messages.reduce((sum, { content }) => sum + 4 + 1.25 * Buffer.byteLength(content), 0);
}

/** How examples are chosen; null if none are. */
async function openChooser(
  given: { output: string; by: (typeof choices)[number]; count: number; seed: number } | undefined,
  table: Parameters<typeof requireFields>[0] | undefined,
  prompt: Prompt,
  scope: JsonObject,
): Promise<Chooser | null> {
  if (given === undefined && table === undefined) return null;
  if (given === undefined)
    throw new StepError(
      'few-shot-examples',
      'the input examples is given, and nothing says how to choose among them',
      'with: { few_shot: { output: label, by: similarity, count: 4 } }',
    );
  if (table === undefined)
    throw new StepError(
      'few-shot-examples',
      'few_shot chooses among the rows of the input examples, and there is none',
      'from: { rows: queries, examples: labelled }',
    );
  const { output } = given;
  requireFields(table, [...prompt.fields, output]);
  const candidates: Candidate[] = [];
  for await (const row of table.read()) {
    const answer = row[output] ?? null;
    // A row without an answer is no example.
    if (answer === null || answer === '') continue;
    candidates.push(
      ...written(() => shownExamples(prompt, [{ input: row as JsonObject, output: answer }], scope)),
    );
  }
  return chooserOf(candidates, given);
}

/** What a prompt makes of values. A RowFailure if it cannot be written with them. */
function written<T>(render: () => T): T {
  try {
    return render();
  } catch (error) {
    if (error instanceof PromptError) throw new RowFailure(`the prompt cannot be written: ${error.message}`);
    throw error;
  }
}

function withField(fields: string[], field: string | undefined): string[] {
  return field === undefined || fields.includes(field) ? fields : [...fields, field];
}

interface Source {
  text?: string | undefined;
}

function fieldsOf(...sources: (Source | undefined)[]): string[] {
  return rowFields(sources.flatMap((source) => (source ? [compilePrompt(source.text ?? '')] : [])));
}
