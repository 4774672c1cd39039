import type { Json, JsonObject } from '../../engine/json.ts';
import { defineRowStep, type OutputSpecs, RowFailure, type StepResult } from '../../engine/step.ts';
import { promptProblems, rowFields, rowsAtOnce } from '../asking.ts';
import { requireFields } from '../missing-field.ts';
import { significant } from '../significant.ts';
import { equivalence, overall } from './equivalence.ts';
import type { Size } from './measure.ts';
import { outcomeOf, sweepOf, textOf, unlike, type Value } from './outcome.ts';
import { parameters } from './parameters.ts';
import { openRewriter } from './rewrite.ts';
import { promptsOf, settingsOf } from './settings.ts';
import { type Compressed, type CompressTask, moduleUrl } from './task.ts';

/** As far as this from the rate, a text has missed it. */
const tolerance = 0.02;
const batchRows = 64;
/** The row's place for the rate, in percent, in prompts. */
const filled = ['rate'];

const outputs = {
  rows: {
    kind: 'table',
    description:
      'The rows with `compressed`, `domain`, `rate` (the share kept, in `measure`), `origin_tokens` and `compressed_tokens`; with `equivalence` its score, and the `verdicts` of the models.',
  },
  rejected: { kind: 'table', description: 'Those that failed a check, with the `reason`.' },
  sweep: {
    kind: 'table',
    optional: true,
    description:
      'With `equivalence`: for each `threshold` from 0 to 1 how many of the rows that were compared it accepts, and the `token_ratio` of those.',
  },
} as const;

export default defineRowStep({
  type: 'compress',
  summary:
    'Makes texts shorter for language models: by what words say, by rules, or by a model, and checks what is left',
  description: `\`extractive\` needs no model. It leaves out what says least, word by word, phrase by phrase or sentence by sentence (\`level\`), and changes nothing
else: what is left stands in its order. How much a word says is counted in the rows themselves, or in those of the input \`corpus\`:

- \`idf\`: log((1 + n)/(1 + df)) + 1, with df of n texts that have the word (Spärck Jones 1972).
- \`self_information\`: −log₂ (c + 1)/(N + V + 1), with c of N words that it is (Li et al. 2023, with a unigram model).

Forms of a word count together, stop words of English and Russian come behind all others, a phrase or a sentence says what its words do on average. A phrase is a run of words
up to a mark or the next small word.

**The rate is met**: all units are put in one order (equals so that they lie evenly over the text), which is cut where the text comes nearest to the length asked for; where a phrase or
a sentence is too coarse for that, the one at the cut is taken word by word. A text misses the rate only if what is preserved is longer by itself, or if
it has so few words that one of them is more than the rest; the metric \`missed\` counts both.

**What survives byte for byte** (\`preserve\`): \`code\` (blocks, \`inline\`, markup, placeholders), \`links\` (addresses, paths, options), \`numbers\` with their bounds (more than, up to) and units, \`names\` (capitals within
sentences, acronyms, identifiers), \`negations\` with the word that they negate, \`quotes\`; and \`force_tokens\`. Rules do not touch it either. Texts that are code or JSON as a whole
(\`domain\`) lose no words: by rules they lose comments or white space.

\`model\` asks a language model, with a prompt for texts (\`compress_nl\`) and one for code (\`compress_code\`). A text that takes more than 40 % of its context is cut at headings,
paragraphs or sentences and written shorter part by part, with a warning.

Every compressed text is checked, whatever made it: structure (JSON that is still JSON, blocks and brackets that close), encoding, script, what is to be preserved, as a whole (5 is not in 15), and \`max_char_ratio\`
and \`max_token_ratio\`. A text by a model is no selection of words: what is preserved must be in it once at least, and of negations as many as in the text; whether it says the same is for \`equivalence\`.
With \`equivalence\` two models or more answer from the text and from its compression, each pair of answers is compared by the next model, and a score
below the \`threshold\` rejects the text. What is rejected is the output \`rejected\`, with the reasons; a changed threshold asks nothing again.`,
  parameters,
  inputs: {
    rows: { kind: 'table', description: 'Rows with a text.' },
    corpus: {
      kind: 'table',
      optional: true,
      description:
        'Texts that say how rare words are (extractive), so that new rows do not change it, in the same field.',
    },
  },
  outputs,
  outputsOf({ equivalence: compared }): OutputSpecs {
    const { rows, rejected, sweep } = outputs;
    return compared ? { rows, rejected, sweep } : { rows, rejected };
  },
  metrics: {
    rows: 'Rows with a compressed text.',
    rejected: 'Rows that failed a check.',
    pass_rate: 'Share of the rows that passed all checks.',
    rate: 'Share kept of all texts together, in `measure`.',
    missed: 'Texts more than 2 points off the rate asked for (extractive).',
    origin_tokens: 'Tokens of the texts.',
    compressed_tokens: 'Tokens of the compressed texts.',
    equivalence: 'Mean score of the rows that were compared.',
  },
  example: `short:
  use: compress
  from: articles
  with: { rate: 0.5, force_tokens: ["?"] }`,
  check(given) {
    const problems = promptProblems({ compress_nl: given.compress_nl, compress_code: given.compress_code });
    const wrong = (parameter: string, message: string) => problems.push({ parameter, message });
    const { method, model, rate, target } = given;
    if (method === 'model' && model === undefined) wrong('method', 'method: model needs a model');
    if (method !== 'model' && model !== undefined) wrong('model', 'model is for method: model');
    for (const prompt of ['compress_nl', 'compress_code'] as const)
      if (method !== 'model' && given[prompt] !== undefined) wrong(prompt, `${prompt} is for method: model`);
    if (method === 'rules' && rate !== undefined)
      wrong('rate', 'rate is for the other methods: rules leave out what they find');
    if (method !== 'extractive' && target !== undefined) wrong('target', 'target is for method: extractive');
    if (given.tokenizer !== undefined && given.encoding !== undefined)
      wrong('encoding', 'encoding and tokenizer exclude each other');
    if (rate !== undefined && target !== undefined) wrong('target', 'target and rate exclude each other');
    return problems;
  },
  fields: (given) => [
    ...new Set([
      given.text,
      ...rowFields(Object.values(promptsOf(given)), filled),
      ...(given.equivalence?.question === undefined ? [] : [given.equivalence.question]),
    ]),
  ],
  rowParameters({ field: _, equivalence: compared, ...counted }) {
    const { models, question } = compared ?? {};
    return {
      ...counted,
      ...(models && { equivalence: { models, question: question ?? null } }),
    } as JsonObject;
  },
  async open({ parameters: given, inputs, context }) {
    const { text: textField, method, equivalence: compared } = given;
    const prompts = promptsOf(given);
    const question = compared?.question;
    const names = [textField, ...(question === undefined ? [] : [question])];
    const fields = [...new Set([textField, ...rowFields(Object.values(prompts), filled), ...names])];
    requireFields(inputs.rows, fields);
    const corpus = inputs.corpus ?? inputs.rows;
    if (inputs.corpus) requireFields(inputs.corpus, [textField], 'corpus');
    const settings = await settingsOf(given, method === 'extractive' ? corpus : null, context);
    const compress = async (texts: CompressTask['texts']) =>
      context.pool.run<CompressTask, Compressed[]>(moduleUrl, 'compressTexts', { settings, texts });
    const identity: Json =
      method === 'extractive'
        ? { corpus: corpus.digest }
        : method === 'model'
          ? { context: context.modelTokens(given.model!).context }
          : null;
    if (method !== 'model' && compared === undefined)
      return {
        identity,
        batchSize: batchRows,
        concurrency: context.pool.threads,
        async compute(batch) {
          const texts = batch.map(([text]) => text);
          const valid = texts.filter((text) => typeof text === 'string');
          const found =
            valid.length === 0
              ? []
              : await compress(valid.map((text) => ({ original: text, compressed: null })));
          let at = 0;
          return texts.map((text) =>
            typeof text === 'string'
              ? (outcomeOf(found[at++]!, given) as unknown as Json)
              : new RowFailure(`${textField} is ${text === null ? 'not there' : 'no text'}`),
          );
        },
      };

    const rewrite = openRewriter(given, context);
    return {
      identity,
      batchSize: 1,
      concurrency: rowsAtOnce,
      async compute([values]) {
        const row = Object.fromEntries(fields.map((field, index) => [field, values![index]!]));
        const original = row[textField];
        if (typeof original !== 'string')
          throw new RowFailure(`${textField} is ${original === null ? 'not there' : 'no text'}`);
        const asked = question === undefined ? null : questionOf(row[question] ?? null, question);
        const asks = method === 'model' && original.trim() !== '';
        const rewritten = asks ? await rewrite(original, row) : null;
        const compressed = rewritten?.text ?? (method === 'model' ? original : null);
        const [found] = await compress([{ original, compressed }]);
        const value = { ...outcomeOf(found!, given), parts: rewritten?.parts ?? 1 };
        if (compared === undefined || value.flaws.length > 0) return [value as unknown as Json];
        const models = compared.models.map((alias) => context.languageModel(alias));
        const verdicts =
          value.text === original
            ? compared.models.map((model) => ({
                model,
                judge: model,
                score: 1,
                reason: 'nothing was left out',
              }))
            : await equivalence(original, value.text, asked, models);
        return [{ ...value, verdicts } as unknown as Json];
      },
    };
  },

  async emit({ parameters: given, inputs, outputs, context }, rows): Promise<StepResult> {
    const { field, measure, method, equivalence: compared, rate: share = 0.5, target } = given;
    const sum = { before: 0, after: 0, origin: 0, compressed: 0, score: 0 };
    const scored: { score: number; before: Size; after: Size }[] = [];
    let count = 0;
    let rejected = 0;
    let missed = 0;
    let inParts = 0;
    let asIs = 0;
    const added = [field, 'domain', 'rate', 'origin_tokens', 'compressed_tokens'];
    if (compared) added.push('equivalence', 'verdicts');
    outputs.rows.expect([...inputs.rows.fields, ...added]);
    outputs.rejected.expect([...inputs.rows.fields, ...added, 'reason']);
    for await (const { row, value } of rows) {
      const { text, domain, before, after, flaws, verdicts, parts } = value as unknown as Value;
      if (parts > 1) inParts++;
      const rate = before[measure] === 0 ? 1 : after[measure] / before[measure];
      const wanted = target === undefined ? share : Math.min(1, target / Math.max(1, before[measure]));
      const reasons = [...flaws];
      const score = verdicts.length === 0 ? null : overall(verdicts, compared!.aggregate);
      if (score !== null) {
        scored.push({ score, before, after });
        sum.score += score;
        if (score < compared!.threshold) reasons.push(unlike(verdicts, score, compared!.threshold));
      }
      const out = {
        ...row,
        [field]: text,
        domain,
        rate: significant(rate),
        origin_tokens: before.tokens,
        compressed_tokens: after.tokens,
        ...(compared && {
          equivalence: score === null ? null : significant(score),
          verdicts: verdicts as unknown as Json,
        }),
      };
      if (reasons.length > 0) {
        rejected++;
        await outputs.rejected.write({ ...out, reason: reasons.join('; ') });
        continue;
      }
      count++;
      sum.before += before[measure];
      sum.after += after[measure];
      sum.origin += before.tokens;
      sum.compressed += after.tokens;
      if (method === 'extractive' && Math.abs(rate - wanted) > tolerance + 1e-9) {
        missed++;
        if (domain !== 'text') asIs++;
      }
      const pending = outputs.rows.write(out);
      if (pending) await pending;
    }
    if (compared) outputs.sweep.expect(['threshold', 'accepted', 'accepted_share', 'token_ratio']);
    if (scored.length > 0) for (const row of sweepOf(scored)) await outputs.sweep.write(row);
    if (inParts > 0)
      context.warn(
        `${inParts} texts take too much of the context of ${given.model}: they were written shorter part by part`,
      );
    if (missed > 0)
      context.warn(
        `${missed} of ${count} texts are more than 2 points off the rate: ${
          asIs > 0
            ? `${asIs} are code or JSON, and lose no words (domain: text would take them as texts); `
            : ''
        }what is preserved is longer by itself, or the text is so short that a word is more than that`,
      );
    return {
      metrics: {
        rows: count,
        rejected,
        ...(count + rejected > 0 && { pass_rate: significant(count / (count + rejected)) }),
        ...(sum.before > 0 && { rate: significant(sum.after / sum.before) }),
        ...(method === 'extractive' && { missed }),
        origin_tokens: sum.origin,
        compressed_tokens: sum.compressed,
        ...(scored.length > 0 && { equivalence: significant(sum.score / scored.length) }),
      },
    };
  },
});

function questionOf(value: Json, field: string): string {
  const asked = value === null ? '' : textOf(value);
  if (asked.trim() === '') throw new RowFailure(`${field} is ${value === null ? 'not there' : 'empty'}`);
  return asked;
}
