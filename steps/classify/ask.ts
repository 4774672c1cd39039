import type { Json, JsonObject } from '../../engine/json.ts';
import type { Answer, LanguageRequest, Message, Sampling } from '../../engine/language-model.ts';
import { type AskedModel, RowFailure } from '../../engine/step.ts';
import { allOf } from '../asking.ts';
import { numberProbabilities, topLogprobs } from '../number-logprobs.ts';
import type { Label } from './labels.ts';

export interface Question {
  model: AskedModel;
  /** What is put before the model about the row. */
  text: string;
  /** Classes to choose from, the one that stands for none of them included. */
  options: readonly Label[];
  instructions: string | null;
  multiLabel: boolean;
  reason: boolean;
  samples: number;
  confidence: 'votes' | 'logprobs';
  /** Texts with their classes of this level. */
  examples: readonly { text: string; labels: readonly string[] }[];
  sampling: Sampling;
}

/** How the answers fell out. */
export interface Choice {
  /** Share of each option, in their order; null if nothing is known but which one was chosen. */
  shares: number[] | null;
  /** Indices of the options chosen: one, or with several labels any number. */
  chosen: number[];
  reason: string | null;
}

/** Asks about one level of classes. Throws RowFailures. */
export async function chooseClass(question: Question): Promise<Choice> {
  const { options, multiLabel, samples, confidence } = question;
  if (options.length === 1 && !multiLabel) return { shares: [1], chosen: [0], reason: null };
  if (confidence === 'logprobs') return chooseByLogprobs(question);
  const request = requestOf(question);
  const answers = await allOf(
    Array.from({ length: samples }, (_, sample) => question.model.ask({ ...request, sample })),
  );
  const counts = new Array<number>(options.length).fill(0);
  const found = answers.map(({ json }) => namesIn(json!, multiLabel));
  for (const names of found) for (const name of new Set(names)) counts[indexOf(options, name)]!++;
  const shares = counts.map((count) => count / samples);
  const chosen = multiLabel
    ? shares.flatMap((share, index) => (share >= 0.5 ? [index] : []))
    : [shares.indexOf(Math.max(...shares))];
  const agreeing = answers.find((_, at) => multiLabel || indexOf(options, found[at]![0]!) === chosen[0]);
  const reason = (agreeing?.json as { reason?: string } | undefined)?.reason ?? null;
  return { shares: samples === 1 ? null : shares, chosen, reason };
}

function requestOf(question: Question): LanguageRequest {
  const { options, multiLabel, reason, sampling } = question;
  const names = options.map(({ name }) => name);
  const answer: JsonObject = multiLabel
    ? { labels: { type: 'array', items: { type: 'string', enum: names } } }
    : { label: { type: 'string', enum: names } };
  const schema: JsonObject = {
    type: 'object',
    additionalProperties: false,
    required: [...(reason ? ['reason'] : []), multiLabel ? 'labels' : 'label'],
    properties: { ...(reason && { reason: { type: 'string' } }), ...answer },
  };
  const task = multiLabel
    ? 'Say which of these classes the text has: all that fit, none if none does.'
    : 'Say which of these classes the text has: the one that fits best.';
  const list = options.map(({ name, description }) => `- ${name}${description ? `: ${description}` : ''}`);
  const said = (labels: readonly string[]) =>
    JSON.stringify({ ...(reason && { reason: '…' }), ...(multiLabel ? { labels } : { label: labels[0]! }) });
  return { messages: messages(question, task, list, said), schema, ...sampling };
}

function messages(
  { instructions, text, examples }: Question,
  task: string,
  list: readonly string[],
  said: (labels: readonly string[]) => string,
): Message[] {
  const system = [...(instructions === null ? [] : [instructions]), `${task}\n\n${list.join('\n')}`].join(
    '\n\n',
  );
  return [
    { role: 'system', content: system },
    ...examples.flatMap(({ text: shown, labels }): Message[] => [
      { role: 'user', content: shown },
      { role: 'assistant', content: said(labels) },
    ]),
    { role: 'user', content: text },
  ];
}

/** Asks for the number of a class: its first token says which, and how likely each of them was. */
async function chooseByLogprobs(question: Question): Promise<Choice> {
  const { options, model, sampling } = question;
  const list = options.map(
    ({ name, description }, index) => `${index + 1}. ${name}${description ? `: ${description}` : ''}`,
  );
  const numberOf = (labels: readonly string[]) => String(indexOf(options, labels[0]!) + 1);
  const task =
    'Say which of these classes the text has: the number of the one that fits best, and nothing else.';
  const answer: Answer = await model.ask({
    messages: messages(question, task, list, numberOf),
    ...sampling,
    top_logprobs: topLogprobs,
  });
  const number = /\d+/.exec(answer.text);
  const said = Number(number?.[0] ?? Number.NaN);
  if (number === null || !(said >= 1 && said <= options.length))
    throw new RowFailure(`the answer is no number of a class: ${answer.text.slice(0, 80)}`);
  return {
    shares: numberProbabilities(answer, number.index, { said, low: 1, high: options.length }),
    chosen: [said - 1],
    reason: null,
  };
}

function namesIn(json: Json, multiLabel: boolean): string[] {
  const { label, labels } = json as { label?: string; labels?: string[] };
  return multiLabel ? labels! : [label!];
}

function indexOf(options: readonly Label[], name: string): number {
  return options.findIndex((option) => option.name === name);
}
