import type { Row } from '../../engine/artefacts.ts';
import type { Json, JsonObject } from '../../engine/json.ts';
import { defineRowStep } from '../../engine/step.ts';
import { PromptError } from '../../models/language/prompt.ts';
import { rowsAtOnce } from '../asking.ts';
import { requireFields } from '../missing-field.ts';
import { answerFields, judgeRow, openPanel } from './ask.ts';
import { checkParameters } from './check.ts';
import { writeVerdicts } from './emit.ts';
import type { Given, Judged } from './given.ts';
import { parameters } from './parameters.ts';
import { openPrompts, openSecondPrompts, promptFields } from './prompts.ts';

export default defineRowStep({
  type: 'judge',
  summary: 'Lets language models score answers or compare two of them, and checks answers by rule',
  description: `\`score\` gives each answer a score on a scale, as a whole or by \`criteria\`, with reasons that come before it. \`pairwise\` says
which of two answers is better; each judge sees both orders, and an answer wins only if it does in both: else the row is a tie
(Zheng et al. 2023). \`reference\` shows the judge an answer that is right, \`rubric\` what a good one is.

**Prompts.** Without \`prompt\` judges get one that comes along. One of your own is Handlebars over the row's fields, \`params\`, \`matrix\`, and these
names: \`question\`, \`answer\` (or \`answer_a\` and \`answer_b\`, in the order in which the judge sees them), \`reference\`, \`rubric\`,
\`criteria\` (a list with \`name\` and \`description\`), \`scale.low\`, \`scale.high\`. Where the parameter is not given, \`question\`, \`reference\` and
\`rubric\` are fields of the row, too. With \`format: json\` the answer is held to a schema
(\`reason\` and \`score\`, for each criterion if there are any; or \`reason\` and \`winner\`: A, B or tie). With \`format: text\` a verdict is
found by \`patterns\`, which are those of MT-bench if none are given: the first one in the text, and with the prompt that comes along, which wants the
verdict at the end, the last one. With \`second_look\` a judge whose orders differ is asked again, with its reasons for either answer at hand (\`reason_a\`, \`reason_b\`).

**A verdict that cannot be used** (no JSON, no verdict in the text, a score outside the scale, cut off, refused) is a failure of
that row, with the reason; never a score. A judge that writes text is asked for its verdict \`repairs\` times before. With \`quorum\` a row is
judged by those judges that have a verdict, and a warning says how many rows were without whom. What a judge wrote is kept, usable or not: to have it asked anew, change the model's \`revision\`.

**Scores by their probabilities.** With \`score_from: logprobs\` a score is the one to expect by how likely each of 1 to 5 was where the judge wrote it, Σ p(s)·s (G-Eval, Liu
et al. 2023): 3.7, say, and not 4, so that answers with the same score are told apart. A score without probabilities (\`openai\` and servers of its format give them, where the
model does) counts as said, with a warning; \`judgments\` has both.

**Criteria** have a \`name\`, and perhaps a \`description\` and a \`weight\`. **Checks** are made without a model; each is one of \`json: true\`, \`schema\` (JSON Schema), \`regex\`,
\`not_regex\`, \`contains\`, \`not_contains\`, \`equals\` (another field), \`one_of\`, \`characters\` and \`words\` (\`{ min, max }\`), \`range\` (of a number), \`duration\` (in seconds),
\`timestamps\` (\`{ min, max, rising, count }\`), \`grounded\` (fields: its quotations, times and numbers stand there, of JSON all texts and numbers) or \`where\` (CEL over \`row\`), of the answer or another \`field\`, or \`at\` a place in its JSON: \`{ name: steps, at: plan.0.steps, range: { max: 9 } }\`. One
that cannot be made (a field that is not there, say) does not hold.

**Several judges.** \`mean\`, \`vote\`, \`weighted\` or \`minimum\`, see \`combine\`. The rows then have each judge's own result as well, as
\`score_<judge>\` or \`winner_<judge>\`.

**Bias.** The output \`judges\` says of each judge: \`consistency\`, the share of pairs with the same verdict in both orders; \`position_bias\`, by how much
more often the answer shown first wins than the one shown second (1: always, 0: as often); \`longer_share\`, how often the longer answer wins, or
\`length_correlation\` of scores (Spearman); \`flip_rate\`, how often \`samples\` of one question differ; \`like_panel\`, how often it says what all say together. A judge
that clearly prefers a place or length is warned of. How far judges agree with people, see \`evaluate\`.

Everything that judges said is kept as \`generate\` keeps it: a change of \`combine\`, \`weights\`, \`min_consistency\`, \`threshold\`, \`labels\` or \`checks\` asks nobody.`,
  parameters,
  inputs: { rows: { kind: 'table', description: 'Rows with the answers.' } },
  outputs: {
    rows: {
      kind: 'table',
      description:
        "The rows with `score` (and `scores` by criterion) or `winner`, the `reason`, each judge's own result if there are several, `checks` and `failed_checks`, and `passed` if there is a threshold or a check.",
    },
    judgments: {
      kind: 'table',
      description:
        "A row for each verdict: the row's fields, `judge`, `order` (`given` or `swapped`), `sample`, `score` (and the one `said`, if it is by probabilities) or `winner`, `reason`; `failure` where a judge has none.",
    },
    judges: {
      kind: 'table',
      description: 'A row for each judge: what it said, and how far it can be believed.',
    },
  },
  metrics: {
    rows: 'Rows judged.',
    mean_score: 'Mean score.',
    first_wins: 'pairwise: rows in which the first answer is better.',
    second_wins: 'pairwise: rows in which the second one is.',
    ties: 'pairwise: rows in which neither is, or the orders differ.',
    win_rate: 'pairwise: share of the rows with a winner or a tie that the first answer wins, ties by half.',
    passed: 'Rows that pass.',
    pass_rate: 'Share of the rows that pass.',
    alpha: "Krippendorff's alpha of the judges, if there are several: 1 is agreement, 0 chance.",
    consistency: 'One judge: share of pairs with the same verdict in both orders.',
    position_bias: 'One judge: by how much more often the answer shown first wins, −1 to 1.',
    longer_share: 'One judge: share of its winners that are the longer answer.',
    length_correlation: 'One judge: how its scores follow the length of answers, −1 to 1.',
  },
  example: `verdicts:
  use: judge
  from: queries
  with:
    judges: [writer]
    question: text
    answer: answer
    rubric: { name: helpfulness }
    threshold: 4`,
  check: checkParameters,
  fields: (given) => fieldsOf(given),
  // The rest is made of the verdicts, without asking.
  rowParameters({
    combine: _combine,
    weights: _weights,
    threshold: _threshold,
    labels: _labels,
    min_consistency: _least,
    checks: _checks,
    field: _field,
    ...counted
  }) {
    const criteria = counted.criteria.map(({ weight: _, ...criterion }) => criterion);
    return { ...counted, criteria } as unknown as JsonObject;
  },
  async open({ parameters: given, inputs, context }) {
    const fields = fieldsOf(given);
    requireFields(inputs.rows, fields);
    const judges = given.judges.map((alias) => context.languageModel(alias));
    const panel = openPanel(given, judges, {
      params: context.params,
      matrix: context.matrix,
    });
    return {
      identity: null,
      batchSize: 1,
      concurrency: rowsAtOnce,
      async compute([values]) {
        const row = Object.fromEntries(fields.map((field, index) => [field, values![index]!]));
        return [(await judgeRow(panel, row)) as unknown as Json];
      },
    };
  },
  emit: ({ parameters: given, outputs, context }, rows) =>
    writeVerdicts(given, outputs, context, rows as unknown as AsyncIterable<{ row: Row; value: Judged }>),
});

function fieldsOf(given: Given): string[] {
  const { question, reference } = given;
  const named = [question, reference].filter((field) => field !== undefined);
  let own: string[] = [];
  try {
    own = [openPrompts(given), openSecondPrompts(given)].flatMap((asked) =>
      asked ? promptFields(asked, given) : [],
    );
  } catch (error) {
    // A prompt that is none is told of by the check.
    if (!(error instanceof PromptError)) throw error;
  }
  return [...new Set([...answerFields(given), ...named, ...own])];
}
