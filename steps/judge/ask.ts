import type { JsonObject } from '../../engine/json.ts';
import type { LanguageRequest, Message } from '../../engine/language-model.ts';
import { type AskedModel, RowFailure } from '../../engine/step.ts';
import { samplingOf } from '../asking.ts';
import type { Given, Judged, Judgment, Outcome, Verdict } from './given.ts';
import { scaleOf } from './given.ts';
import { type JudgePrompts, messagesFor, repairOf } from './prompts.ts';
import {
  compilePatterns,
  type Patterns,
  type Reading,
  readJson,
  readText,
  verdictSchema,
} from './verdict.ts';

/** A panel of judges that is ready to look at rows. */
export interface Panel {
  given: Given;
  judges: readonly AskedModel[];
  prompts: JudgePrompts;
  patterns: Patterns;
  /** Everything of a request but its messages. */
  request: Omit<LanguageRequest, 'messages'>;
  /** `params` and `matrix`, for prompts. */
  scope: JsonObject;
}

export function openPanel(
  given: Given,
  prompts: JudgePrompts,
  judges: readonly AskedModel[],
  scope: JsonObject,
): Panel {
  return {
    given,
    judges,
    prompts,
    patterns: compilePatterns(given),
    request: { ...samplingOf(given), ...(given.format === 'json' && { schema: verdictSchema(given) }) },
    scope,
  };
}

type Order = Verdict['order'];

/** Lets every judge look at a row. Throws a RowFailure if fewer of them than needed have a usable verdict. */
export async function judgeRow(panel: Panel, row: JsonObject): Promise<Judged> {
  const { given, judges } = panel;
  const empty = answerFields(given).find((field) => (row[field] ?? null) === null);
  if (empty !== undefined) throw new RowFailure(`the row has no ${empty}`);
  const orders: Order[] =
    given.mode === 'score' ? [null] : given.orders === 'both' ? ['given', 'swapped'] : [given.orders];
  const tries = orders.flatMap((order) =>
    Array.from({ length: given.samples }, (_, sample) => ({ order, sample })),
  );
  const judgments = await Promise.all(
    judges.map(async (judge): Promise<Judgment> => {
      // All are waited for: what is under way is paid for.
      const ended = await Promise.allSettled(tries.map((one) => ask(panel, judge, row, one)));
      const errors = ended.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
      const fatal = errors.find((error) => !(error instanceof RowFailure));
      if (fatal !== undefined) throw fatal;
      const [first] = errors as RowFailure[];
      return {
        judge: judge.name,
        verdicts: ended.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : [])),
        failure: first ? first.reason : null,
      };
    }),
  );
  const usable = judgments.filter(({ failure }) => failure === null);
  if (usable.length < (given.quorum ?? judges.length)) {
    const reasons = judgments.flatMap(({ judge, failure }) =>
      failure === null ? [] : [`${judge}: ${failure}`],
    );
    throw new RowFailure(`no verdict: ${reasons.join('; ')}`);
  }
  return { judgments };
}

/** The fields whose content is judged. */
export function answerFields({ mode, answer, answers }: Given): string[] {
  return mode === 'score' ? [answer] : (answers ?? []);
}

/** One judge's verdict of one order and sample. Throws a RowFailure if there is none that could be used. */
async function ask(
  { given, prompts, patterns, request, scope }: Panel,
  judge: AskedModel,
  row: JsonObject,
  { order, sample }: { order: Order; sample: number },
): Promise<Verdict> {
  let messages = messagesOf(given, prompts, { ...row, ...scope }, order);
  for (let repair = 0; ; repair++) {
    const { text, json } = await judge.ask({ ...request, messages, sample });
    const reading: Reading =
      given.format === 'json' ? readJson(given, json) : readText(given, text, patterns);
    if (!('unusable' in reading)) {
      const { scores, shown, reason } = reading;
      return { order, sample, scores, winner: shown && inPlace(shown, order), reason };
    }
    if (repair >= given.repairs)
      throw new RowFailure(`${order === 'swapped' ? 'answers swapped: ' : ''}${reading.unusable}`);
    messages = [...messages, ...repairOf(given, text)];
  }
}

function messagesOf(given: Given, prompts: JudgePrompts, row: JsonObject, order: Order): Message[] {
  const { question, answer, answers, reference, criteria } = given;
  const field = (name: string | undefined) => (name === undefined ? null : (row[name] ?? null));
  const [first = null, second = null] = (answers ?? []).map(field);
  const values: JsonObject = {
    ...row,
    question: field(question),
    answer: given.mode === 'score' ? field(answer) : null,
    answer_a: order === 'swapped' ? second : first,
    answer_b: order === 'swapped' ? first : second,
    reference: field(reference),
    rubric: prompts.rubric,
    criteria: criteria.map(({ name, description }) => ({ name, description: description ?? null })),
    scale: { ...scaleOf(given) },
  };
  return messagesFor(prompts, values);
}

/** The outcome by the place of the answers in the row, from that on the judge's page. */
function inPlace(shown: Outcome, order: Order): Outcome {
  if (shown === 'tie' || order !== 'swapped') return shown;
  return shown === 'first' ? 'second' : 'first';
}
