import type { JsonObject } from '../../engine/json.ts';
import type { LanguageRequest, Message } from '../../engine/language-model.ts';
import { type AskedModel, RowFailure } from '../../engine/step.ts';
import { samplingOf } from '../asking.ts';
import { topLogprobs } from '../number-logprobs.ts';
import { expectedScores } from './expected-score.ts';
import type { Given, Judged, Outcome, Verdict } from './given.ts';
import { scaleOf } from './given.ts';
import { type JudgePrompts, messagesFor, openPrompts, openSecondPrompts, repairOf } from './prompts.ts';
import {
  compilePatterns,
  type Patterns,
  type Reading,
  readJson,
  readText,
  verdictSchema,
} from './verdict.ts';

/** How verdicts are asked for, and found in a text. */
interface Look {
  prompts: JudgePrompts;
  patterns: Patterns;
}

/** A panel of judges that is ready to look at rows. */
export interface Panel {
  given: Given;
  judges: readonly AskedModel[];
  first: Look;
  /** What a judge is asked whose orders differ; null if nothing is. */
  second: Look | null;
  /** Everything of a request but its messages. */
  request: Omit<LanguageRequest, 'messages'>;
  /** `params` and `matrix`, for prompts. */
  scope: JsonObject;
}

export function openPanel(given: Given, judges: readonly AskedModel[], scope: JsonObject): Panel {
  const { patterns, second_look: again } = given;
  const second = openSecondPrompts(given);
  return {
    given,
    judges,
    first: lookOf(given, openPrompts(given), patterns),
    second: second && lookOf(given, second, again?.patterns ?? patterns),
    request: {
      ...samplingOf(given),
      ...(given.format === 'json' && { schema: verdictSchema(given) }),
      ...(given.score_from === 'logprobs' && { top_logprobs: topLogprobs }),
    },
    scope,
  };
}

function lookOf({ ties }: Given, prompts: JudgePrompts, patterns: Given['patterns']): Look {
  // A judge that is told to end with its verdict may speak of others before it: those in an answer, say.
  const atEnd = prompts.marked !== null && Object.keys(patterns).length === 0;
  return { prompts, patterns: compilePatterns({ patterns, ties, atEnd }) };
}

type Order = Verdict['order'];

/**
 * Lets every judge look at a row. Throws a RowFailure if fewer of them than needed have a usable verdict, or if one did not
 * answer that may do so later: the row's value is kept, and would be without that judge for good.
 */
export async function judgeRow(panel: Panel, row: JsonObject): Promise<Judged> {
  const { given, judges } = panel;
  const empty = answerFields(given).find((field) => (row[field] ?? null) === null);
  if (empty !== undefined) throw new RowFailure(`the row has no ${empty}`);
  const orders: Order[] =
    given.mode === 'score' ? [null] : given.orders === 'both' ? ['given', 'swapped'] : [given.orders];
  const tries = orders.flatMap((order) =>
    Array.from({ length: given.samples }, (_, sample) => ({ order, sample })),
  );
  const looks = await Promise.all(
    judges.map(async (judge): Promise<{ judge: string } & Looked> => {
      const looked = await verdictsOf(tries.map((one) => ask(panel, panel.first, judge, row, one)));
      if (looked.failure !== null || panel.second === null) return { judge: judge.name, ...looked };
      return { judge: judge.name, ...(await lookAgain(panel, panel.second, judge, row, looked.verdicts)) };
    }),
  );
  const missing = looks.filter(({ failure }) => failure !== null);
  const away = missing.filter(({ failure }) => failure?.retryable);
  const isFew = looks.length - missing.length < (given.quorum ?? judges.length);
  if (isFew || away.length > 0) {
    const reasons = (isFew ? missing : away).map(({ judge, failure }) => `${judge}: ${failure?.reason}`);
    throw new RowFailure(`no verdict${isFew ? '' : ' yet'}: ${reasons.join('; ')}`, away.length > 0);
  }
  return { judgments: looks.map((look) => ({ ...look, failure: look.failure?.reason ?? null })) };
}

/** What came of asking one judge; a failure that may pass goes before others. */
interface Looked {
  verdicts: Verdict[];
  failure: RowFailure | null;
}

/** All are waited for: what is under way is paid for. */
async function verdictsOf(asked: readonly Promise<Verdict>[]): Promise<Looked> {
  const ended = await Promise.allSettled(asked);
  const errors = ended.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
  const fatal = errors.find((error) => !(error instanceof RowFailure));
  if (fatal !== undefined) throw fatal;
  const failures = errors as RowFailure[];
  return {
    verdicts: ended.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : [])),
    failure: failures.find(({ retryable }) => retryable) ?? failures[0] ?? null,
  };
}

/**
 * Where the orders differ, the judge sees its own reasons for both answers and is asked again, in both orders: "swap and
 * synthesize" (Du et al. 2023; Zeng et al. 2024). Its new verdicts take the place of the old ones.
 */
async function lookAgain(
  panel: Panel,
  look: Look,
  judge: AskedModel,
  row: JsonObject,
  verdicts: readonly Verdict[],
): Promise<Looked> {
  return verdictsOf(
    verdicts.map(async (verdict) => {
      const other = verdicts.find(
        ({ order, sample }) => sample === verdict.sample && order !== verdict.order,
      );
      const [first, second] = ['first', 'second'].map((winner) =>
        [verdict, other].find((one) => one?.winner === winner),
      );
      if (first === undefined || second === undefined) return verdict;
      const { order, sample } = verdict;
      const [a, b] = order === 'swapped' ? [second, first] : [first, second];
      const reasonOf = (one: Verdict) => (one.order === order ? one.reason : lettersSwapped(one.reason));
      const reasons = { reason_a: reasonOf(a), reason_b: reasonOf(b) };
      return { ...(await ask(panel, look, judge, row, { order, sample }, reasons)), look: 2 as const };
    }),
  );
}

/** Reasons given in one order, for a reader of the other: `Answer A`, `output (b)` and the like name the other answer. */
export function lettersSwapped(text: string): string {
  // A small letter by itself may be an article.
  return text.replace(
    /\b([Aa]nswer|[Aa]ssistant|[Oo]utput|[Oo]ption|[Rr]esponse)([ _]?)(\([abAB]\)|[AB](?![\w']))/g,
    (_, noun: string, space: string, letter: string) =>
      noun + space + letter.replace(/[abAB]/, (one) => otherLetter[one]!),
  );
}

const otherLetter: { readonly [letter: string]: string } = { a: 'b', b: 'a', A: 'B', B: 'A' };

/** The fields whose content is judged. */
export function answerFields({ mode, answer, answers }: Given): string[] {
  return mode === 'score' ? [answer] : (answers ?? []);
}

/** One judge's verdict of one order and sample. Throws a RowFailure if there is none that could be used. */
async function ask(
  { given, request, scope }: Panel,
  { prompts, patterns }: Look,
  judge: AskedModel,
  row: JsonObject,
  { order, sample }: { order: Order; sample: number },
  reasons: JsonObject = { reason_a: null, reason_b: null },
): Promise<Verdict> {
  let messages = messagesOf(given, prompts, { ...row, ...scope }, order, reasons);
  for (let repair = 0; ; repair++) {
    const answer = await judge.ask({ ...request, messages, sample });
    const { text, json } = answer;
    const reading: Reading =
      given.format === 'json' ? readJson(given, json) : readText(given, text, patterns);
    if (!('unusable' in reading)) {
      const { scores, shown, reason } = reading;
      const winner = shown && inPlace(shown, order);
      const verdict: Verdict = { order, sample, look: 1, scores, winner, reason };
      if (given.score_from === 'answer') return verdict;
      const expected = expectedScores(given, answer, patterns, scores!);
      return { ...verdict, scores: expected ?? scores, said: expected && scores };
    }
    if (repair >= given.repairs)
      throw new RowFailure(`${order === 'swapped' ? 'answers swapped: ' : ''}${reading.unusable}`);
    messages = [...messages, ...repairOf(given, text)];
  }
}

/** `reasons`: of a second look, for either answer. */
function messagesOf(
  given: Given,
  prompts: JudgePrompts,
  row: JsonObject,
  order: Order,
  reasons: JsonObject,
): Message[] {
  const { mode, question, answer, answers, reference, criteria, second_look: again } = given;
  const field = (name: string) => row[name] ?? null;
  const shown = (answers ?? []).map(field);
  const [first = null, second = null] = order === 'swapped' ? shown.toReversed() : shown;
  return messagesFor(prompts, row, {
    ...(mode === 'score' ? { answer: field(answer) } : { answer_a: first, answer_b: second }),
    ...(question !== undefined && { question: field(question) }),
    ...(reference !== undefined && { reference: field(reference) }),
    ...(prompts.rubric !== null && { rubric: prompts.rubric }),
    ...(again && reasons),
    criteria: criteria.map(({ name, description }) => ({ name, description: description ?? null })),
    scale: { ...scaleOf(given) },
  });
}

/** The outcome by the place of the answers in the row, from that on the judge's page. */
function inPlace(shown: Outcome, order: Order): Outcome {
  if (shown === 'tie' || order !== 'swapped') return shown;
  return shown === 'first' ? 'second' : 'first';
}
