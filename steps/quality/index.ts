import type { Row } from '../../engine/artefacts.ts';
import { StepError } from '../../engine/problems.ts';
import type { StepContext, TableInput } from '../../engine/step.ts';
import { defineStep } from '../../engine/step.ts';
import { ascendingSet } from '../../numerics/shingles.ts';
import { requireFields } from '../missing-field.ts';
import { readNamedFile } from '../named-file.ts';
import { significant } from '../significant.ts';
import { needsSurvey, type Survey, type SurveyTask, survey, surveyed, surveyModule } from './across.ts';
import { type Assessment, type AssessTask, assess, assessModule, ngramsOf } from './assess.ts';
import { inWorkers } from './in-workers.ts';
import { type Parameters, parameters, type Rules, ruleNames } from './parameters.ts';
import { profaneList } from './profanity.ts';
import { components, Scores } from './score.ts';

export default defineStep({
  type: 'quality',
  summary:
    'Sets rows aside by language, length, quality rules, personal data or overlap with an evaluation set, and says why',
  description: `Every group of rules is off until it is named; \`gopher_quality: {}\` turns one on with its defaults. A row that breaks any rule goes to
the output \`rejected\` with all its \`reasons\`; the output \`reasons\` counts them.

- \`language\`: fastText's identification of 176 languages ([lid.176](https://fasttext.cc/docs/en/language-identification.html), which comes with the
  product). Adds \`language\` and \`language_confidence\`; what is too short or unclear is \`und\`.
- \`gopher_quality\`, \`gopher_repetition\`, \`c4\`, \`fineweb\`: the rules, names, defaults and reasons are those of DataTrove's filters. Two differences:
  all reasons are given and not only the first, and words are found by Unicode's rules (DataTrove asks spaCy), so that a text on the edge of a
  rule may fall on the other side.
- \`pii\`: e-mail addresses, telephone numbers, payment cards (Luhn's check digit), IP addresses, and keys of well-known services.
- \`contamination\`: runs of 13 words (as for GPT-3; Brown et al. 2020), after case, accents, numbers and punctuation are put aside, that are in a row of
  \`against\` too.
- \`profanity\`: whole words of the list that C4 was filtered by, in 24 languages, and of a list of your own.
- \`boilerplate\`: lines that many rows have (numbers aside), and lines about cookies, terms and copyright; only texts of several lines have the former.
- \`coherence\`: how well a character is foreseen by the two before it, in a model of all other rows' texts; random letters, broken encodings and other
  languages than those of the table stand out. It needs some hundred rows to judge by.
- \`score\`: the product of what a row has of each component, from 0 to 1: \`complete\` (there is a text), \`unique\` (it was not there before), \`letters\` (rather than
  digits and marks), \`varied\` (its runs of three words do not repeat), \`coherent\`, and \`rules\` (it breaks none of those that are on). The table's score is the mean of its rows' over all rows, times 100.

The rules for words are made for running text in English; for questions and chats \`language\` and \`length\` are of use. Time is
that of reading the texts once for each group, shared among all threads.`,
  parameters,
  inputs: {
    rows: { kind: 'table', description: 'Rows with a text.' },
    against: {
      kind: 'table',
      optional: true,
      description: 'Rows of an evaluation set, for `contamination`.',
    },
  },
  outputs: {
    rows: {
      kind: 'table',
      description:
        'The rows that pass, in their order; with `language` and `language_confidence` if asked for, with the text that `c4` left, and with `reasons` if `on_fail: mark`.',
    },
    rejected: {
      kind: 'table',
      description: 'The rows that do not pass, as they came, with their `reasons`.',
    },
    score: {
      kind: 'table',
      description:
        'With `score`: a row for each component, with the mean over all rows as `score`, from 0 to 100.',
    },
    reasons: {
      kind: 'table',
      description:
        'A row for each reason: `rows` that have it, their `share` of all, and those that have it `alone`; the most frequent first.',
    },
  },
  metrics: {
    dataset_score: 'With `score`: the mean score of the rows, from 0 to 100.',
    rejected: 'Rows that break a rule.',
    rejected_share: 'Those rows as a share of all.',
    kept: 'Rows that pass.',
  },
  example: `good:
  use: quality
  from: queries
  with: { language: { keep: [en] }, length: { min_words: 3 }, pii: [email, card] }`,
  check(given) {
    const on = ruleNames.filter((name) => given[name] !== null);
    if (on.length > 0) return [];
    return [
      { parameter: 'language', message: `no rule is on: name at least one of ${ruleNames.join(', ')}` },
    ];
  },

  async run({ parameters: given, inputs, outputs, context }) {
    const { text: field, on_fail: onFail, ...rules } = given as unknown as Parameters;
    requireFields(inputs.rows, [field]);
    const added = [
      ...(rules.language ? ['language', 'language_confidence'] : []),
      ...(rules.coherence ? ['coherence'] : []),
      ...(rules.score ? ['quality_score'] : []),
    ];
    const marks = onFail === 'mark' ? ['reasons'] : [];
    outputs.rows.expect([...inputs.rows.fields, ...added, ...marks]);
    outputs.rejected.expect([...inputs.rows.fields, ...added, 'reasons']);
    outputs.reasons.expect(['id', 'reason', 'rows', 'share', 'alone']);
    const forbidden = rules.contamination
      ? await forbiddenNgrams(
          inputs.against,
          rules.contamination.fields ?? [field],
          rules.contamination.ngram,
          context,
        )
      : undefined;

    const profane = await profaneWordsOf(rules.profanity, context);
    const ofTable = needsSurvey(rules)
      ? await surveyed(surveys(inputs.rows, field, rules, context), rules)
      : undefined;
    const scores = rules.score && new Scores();
    const task = { rules, forbidden, profane, surveyed: ofTable };
    const ask = (texts: (string | null)[]) =>
      context.pool.run<AssessTask, Assessment[]>(assessModule, assess.name, { ...task, texts });
    const total = inputs.rows.rows;
    const counts = new Map<string, { rows: number; alone: number }>();
    let done = 0;
    let rejected = 0;
    for await (const { rows, found } of inWorkers(inputs.rows, field, ask, context)) {
      for (const [index, row] of rows.entries()) {
        const { language, text, coherent, reasons } = found[index]!;
        const score = scores?.of(found[index]!);
        if (rules.score && score !== undefined && score < rules.score.min) reasons.push('low_score');
        const described: Row = {
          ...row,
          ...(language && {
            language: language.language,
            language_confidence: significant(language.confidence),
          }),
          ...(coherent !== undefined && { coherence: significant(coherent) }),
          ...(score !== undefined && { quality_score: significant(score) }),
        };
        for (const reason of reasons) {
          const count = counts.get(reason) ?? { rows: 0, alone: 0 };
          count.rows++;
          if (reasons.length === 1) count.alone++;
          counts.set(reason, count);
        }
        if (reasons.length > 0) rejected++;
        const passes = reasons.length === 0;
        const left = passes && text !== undefined ? { ...described, [field]: text } : described;
        const pending =
          onFail === 'mark'
            ? outputs.rows.write({ ...left, reasons })
            : passes
              ? outputs.rows.write(left)
              : outputs.rejected.write({ ...described, reasons });
        if (pending) await pending;
      }
      done += rows.length;
      context.progress(done, total, 'rows');
    }
    const byCount = [...counts].sort(([a, left], [b, right]) => right.rows - left.rows || (a < b ? -1 : 1));
    for (const [reason, { rows, alone }] of byCount)
      await outputs.reasons.write({ id: reason, reason, rows, share: significant(rows / total), alone });
    const metrics = { rejected, rejected_share: total > 0 ? rejected / total : 0, kept: total - rejected };
    outputs.score.expect(['id', 'component', 'score']);
    if (!scores) return { metrics };
    for (const component of components)
      await outputs.score.write({
        id: component,
        component,
        score: significant(100 * scores.mean(component)),
      });
    return { metrics: { ...metrics, dataset_score: significant(100 * scores.mean('score')) } };
  },
});

async function profaneWordsOf(rules: Rules['profanity'], context: StepContext): Promise<string[]> {
  if (!rules) return [];
  const own =
    rules.words === null ? null : await readNamedFile(rules.words, 'a word or phrase on each line', context);
  return profaneList(rules.languages, own, rules.allow);
}

/** Hashes of the n-grams of all texts of the evaluation set, ascending, in memory that threads share. */
async function forbiddenNgrams(
  against: TableInput | undefined,
  fields: readonly string[],
  size: number,
  context: StepContext,
): Promise<Float64Array> {
  if (!against)
    throw new StepError(
      'no-against',
      'contamination has nothing to compare with',
      'bind the evaluation set: from: { rows: texts, against: tests }',
    );
  requireFields(against, fields, 'against');
  const sets: Float64Array[] = [];
  for await (const block of against.blocks()) {
    const texts = block.flatMap((row) =>
      fields.map((field) => row[field]).filter((text) => typeof text === 'string'),
    );
    sets.push(...ngramsOf(texts, size));
    context.signal.throwIfAborted();
  }
  const all = new Float64Array(sets.reduce((sum, set) => sum + set.length, 0));
  let at = 0;
  for (const set of sets) {
    all.set(set, at);
    at += set.length;
  }
  const unique = ascendingSet(all);
  const shared = new Float64Array(new SharedArrayBuffer(8 * unique.length));
  shared.set(unique);
  return shared;
}

/** What each part of the table says of the whole, in their order. */
async function* surveys(
  table: TableInput,
  field: string,
  rules: Rules,
  context: StepContext,
): AsyncGenerator<Survey> {
  const ask = (texts: (string | null)[]) =>
    context.pool.run<SurveyTask, Survey>(surveyModule, survey.name, { texts, rules });
  for await (const { found } of inWorkers(table, field, ask, context)) yield found;
}
