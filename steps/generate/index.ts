import type { Json, JsonObject } from '../../engine/json.ts';
import { defineRowStep, RowFailure, type StepResult } from '../../engine/step.ts';
import { compilePrompt, PromptError } from '../../models/language/prompt.ts';
import { requireFields } from '../missing-field.ts';
import { messagesOf, type Texts } from './messages.ts';
import { parameters } from './parameters.ts';

/** Rows that wait for an answer at once; how many requests are under way, the model's limits say. */
const rowsAtOnce = 128;

interface Sample {
  text: string;
  json: Json | null;
}

export default defineRowStep({
  type: 'generate',
  summary: 'Asks a language model about each row: any prompt, text or JSON, one answer or several',
  description: `The prompt is a Handlebars text over the row's fields and \`params\`; values are put in as they are, lists
and objects as JSON. Only the fields that it names count: a row that changes elsewhere is not asked again.

With \`schema\` the answer is JSON that fits it. One that does not is sent back once with what is wrong; if the second does not
fit either, the row fails. An answer that is cut off or refused is a failed row too, with the reason, never a short text.
What a model thinks aloud (\`<think>…</think>\`) is left out.

\`samples: n\` asks each row n times: the rows of the output are \`<id>#1\` to \`<id>#n\` with \`parent_id\` and \`sample\`.

Answers are kept as they arrive, by what was asked of which model and by nothing of this step's code: after a crash, an edit
of the step or a change of its other parameters nothing is asked twice. The output \`answers\` has them, with tokens and cost.`,
  parameters,
  inputs: { rows: { kind: 'table', description: 'Rows with the fields that the prompt names.' } },
  outputs: { rows: { kind: 'table', description: 'The rows with their answer; without those that failed.' } },
  metrics: {
    rows: 'Rows with an answer.',
    answers: 'Answers.',
  },
  example: `labels:
  use: generate
  from: queries
  with:
    model: writer
    prompt: { text: "What does this customer want? Three words at most.\\n\\n{{text}}" }`,
  check({ prompt, system, schema, unpack }) {
    const problems: { parameter: string; message: string }[] = [];
    for (const [parameter, source] of Object.entries({ prompt, system })) {
      if (source?.text === undefined) continue;
      try {
        compilePrompt(source.text);
      } catch (error) {
        if (!(error instanceof PromptError)) throw error;
        problems.push({ parameter, message: `${parameter} is no Handlebars text: ${error.message}` });
      }
    }
    if (schema !== undefined && schema['type'] !== 'object')
      problems.push({
        parameter: 'schema',
        message: 'schema must say type: object; other values are members of one',
      });
    if (unpack && schema === undefined)
      problems.push({ parameter: 'unpack', message: 'unpack is for answers with a schema' });
    return problems;
  },
  fields: ({ prompt, system }) => fieldsOf(prompt, system),
  rowParameters: ({ field: _, unpack: __, ...counted }) => counted as JsonObject,
  async open({ parameters: given, inputs, context }) {
    const fields = fieldsOf(given.prompt, given.system);
    requireFields(inputs.rows, fields);
    const texts: Texts = {
      prompt: compilePrompt(textOf(given.prompt)),
      system: given.system === undefined ? null : compilePrompt(textOf(given.system)),
    };
    const model = context.languageModel(given.model);
    const { samples, schema, temperature, top_p, max_tokens, stop, seed } = given;
    const sampling = Object.fromEntries(
      Object.entries({ temperature, top_p, max_tokens, stop, seed }).filter(
        ([, value]) => value !== undefined,
      ),
    );
    return {
      identity: null,
      batchSize: 1,
      concurrency: rowsAtOnce,
      async compute([values]) {
        const row = Object.fromEntries(fields.map((field, index) => [field, values![index]!]));
        let messages: ReturnType<typeof messagesOf>;
        try {
          messages = messagesOf(texts, given.examples, { ...row, params: context.params });
        } catch (error) {
          if (error instanceof PromptError)
            throw new RowFailure(`the prompt cannot be written: ${error.message}`);
          throw error;
        }
        const answers = await Promise.all(
          Array.from({ length: samples }, (_, sample) =>
            model.ask({ messages, ...sampling, ...(schema && { schema: schema as JsonObject }), sample }),
          ),
        );
        return [answers.map(({ text, json }) => ({ text, json })) as unknown as Json];
      },
    };
  },
  async emit({ parameters: { field, samples, schema, unpack }, outputs }, rows): Promise<StepResult> {
    let count = 0;
    let answers = 0;
    for await (const { row, value } of rows) {
      count++;
      for (const [index, { text, json }] of (value as unknown as Sample[]).entries()) {
        answers++;
        const own: JsonObject =
          samples > 1 ? { id: `${row.id}#${index + 1}`, parent_id: row.id, sample: index + 1 } : {};
        const answer: Json = schema === undefined ? text : json;
        await outputs.rows.write({
          ...row,
          ...own,
          ...(unpack ? (answer as JsonObject) : { [field]: answer }),
        });
      }
    }
    return { metrics: { rows: count, answers } };
  },
});

interface Source {
  text?: string | undefined;
}

/** The engine has put the text of a file in its place. */
function textOf({ text }: Source): string {
  return text ?? '';
}

function fieldsOf(...sources: (Source | undefined)[]): string[] {
  return [...new Set(sources.flatMap((source) => (source ? compilePrompt(textOf(source)).fields : [])))];
}
