import type { Row } from '../../engine/artefacts.ts';
import type { JsonObject } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import type { StepResult } from '../../engine/step.ts';
import { requireFields } from '../missing-field.ts';
import { significant } from '../significant.ts';
import type { Scoring } from './scoring.ts';

/** What the answers of a model came to. */
interface Sum {
  answers: number;
  failed: number;
  /** Rows that were asked about. */
  rows: Set<string>;
  input: number;
  output: number;
  usd: number;
  /** Answers whose price is not known. */
  unpriced: number;
}

const nothing = (): Sum => ({
  answers: 0,
  failed: 0,
  rows: new Set(),
  input: 0,
  output: 0,
  usd: 0,
  unpriced: 0,
});

/** What answers of language models cost, for each row and model: of the output `answers` of a step that asks. */
export async function scoreCost({ inputs, outputs, context }: Scoring): Promise<StepResult> {
  requireFields(inputs.rows, ['model', 'usage', 'usd']);
  const all = nothing();
  const models = new Map<string, Sum>();
  for await (const block of inputs.rows.blocks()) {
    for (const row of block) {
      const { input_tokens: input, output_tokens: output } = (row['usage'] ?? {}) as JsonObject;
      if (typeof input !== 'number' || typeof output !== 'number')
        throw new StepError(
          'no-answers',
          `row ${row.id} is no answer of a language model: it has no tokens`,
          'task cost reads what a step was told: from: <step>.answers',
        );
      const model = String(row['model']);
      const own = models.get(model) ?? nothing();
      models.set(model, own);
      for (const sum of [own, all]) {
        if ((row['failure'] ?? null) !== null) sum.failed++;
        else sum.answers++;
        if (typeof row['row'] === 'string') sum.rows.add(row['row']);
        sum.input += input;
        sum.output += output;
        if (typeof row['usd'] === 'number') sum.usd += row['usd'];
        else sum.unpriced++;
      }
    }
  }
  if (inputs.rows.rows === 0)
    throw new StepError(
      'nothing-to-score',
      'there are no answers',
      'task cost reads what a step was told: from: <step>.answers',
    );
  if (all.unpriced > 0)
    context.warn(`of ${all.unpriced} answers no price is known; they are not in the cost`);
  for (const [model, sum] of [...models].sort(([a], [b]) => (a < b ? -1 : 1)))
    await outputs.rows.write({ id: model, model, ...figures(sum) } as Row);
  return { metrics: figures(all) };
}

function figures({ answers, failed, rows, input, output, usd, unpriced }: Sum) {
  const each = Math.max(1, rows.size);
  return {
    usd: significant(usd),
    usd_per_row: significant(usd / each),
    input_tokens: input,
    output_tokens: output,
    tokens_per_row: significant((input + output) / each),
    answers,
    failed,
    rows: rows.size,
    unpriced,
  };
}
