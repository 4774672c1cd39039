import type { Json, JsonObject } from '../../engine/json.ts';
import { defineRowStep, type OutputSpecs, RowFailure, type StepResult } from '../../engine/step.ts';
import { promptOf, rowFields, rowsAtOnce, samplingOf, write } from '../asking.ts';
import { requireFields } from '../missing-field.ts';
import { significant } from '../significant.ts';
import { type Choice, chooseClass } from './ask.ts';
import { openChooser } from './examples.ts';
import { type Label, labelsAt, readLabels, separator } from './labels.ts';
import { type Given, shared } from './shared.ts';

/** What is filed for a row: the choice at each level. */
interface Value {
  /** Names chosen, level by level; with several labels all of them. */
  names: string[];
  choices: Choice[];
}

export const modelInputs = {
  rows: { kind: 'table', description: 'Rows with a text.' },
  examples: {
    kind: 'table',
    optional: true,
    learnt: true,
    description: 'With `few_shot`: rows with a text and their class.',
  },
} as const;
export const modelOutputs = {
  rows: { kind: 'table', description: 'The rows with their class; without those that failed.' },
  probabilities: {
    kind: 'matrix',
    description: 'The share of the samples for each class, in the order of `labels`.',
  },
} as const;

/** Classifies rows by asking a language model. */
export const byModel = defineRowStep({
  ...shared,
  inputs: modelInputs,
  outputs: modelOutputs,
  outputsOf(given): OutputSpecs {
    const { rows, probabilities } = modelOutputs;
    return isDeep(labelsOf(given)) ? { rows } : { rows, probabilities };
  },
  fields: (given) => fieldsOf(given),
  rowParameters({ threshold: _, out_of_scope: __, ...counted }) {
    return counted as JsonObject;
  },
  async open({ parameters: given, inputs, context }) {
    const fields = fieldsOf(given);
    requireFields(inputs.rows, fields);
    const labels = labelsOf(given);
    const { out_of_scope_label: outLabel, prompt: source } = given;
    const prompt = source && promptOf(source, '');
    const none: Label[] =
      outLabel === undefined || given.multi_label || labels.some(({ name }) => name === outLabel)
        ? []
        : [{ name: outLabel, description: 'none of the others', below: [] }];
    const model = context.languageModel(given.model!);
    const textFor = (row: JsonObject) =>
      prompt
        ? write(prompt, { ...row, params: context.params, matrix: context.matrix })
        : textOf(row[given.text] ?? null, given.text);
    const fixed = given.examples.map(({ text, label }) => ({ text, labels: [label].flat() as string[] }));
    const choose = await openChooser(given, inputs.examples, textFor);
    return {
      identity: given.few_shot && inputs.examples ? { examples: inputs.examples.digest } : null,
      batchSize: 1,
      concurrency: rowsAtOnce,
      async compute([values]) {
        const row = Object.fromEntries(fields.map((field, index) => [field, values![index]!]));
        const text = textFor(row);
        const examples = [...fixed, ...choose(text)];
        const value: Value = { names: [], choices: [] };
        for (;;) {
          const own = labelsAt(labels, value.names) ?? [];
          if (own.length === 0) break;
          const depth = value.names.length;
          const options = depth === 0 ? [...own, ...none] : own;
          const choice = await chooseClass({
            model,
            text,
            options,
            instructions: given.instructions ?? null,
            multiLabel: given.multi_label,
            reason: given.reason,
            samples: given.samples,
            confidence: given.confidence,
            examples: examples.flatMap((example) => {
              const shown = given.multi_label ? example.labels : levelOf(example.labels[0]!, value.names);
              const known = shown.filter((name) => options.some((option) => option.name === name));
              return known.length > 0 || given.multi_label ? [{ text: example.text, labels: known }] : [];
            }),
            sampling: samplingOf(given),
          });
          value.choices.push(choice);
          value.names.push(...choice.chosen.map((index) => options[index]!.name));
          if (given.multi_label) break;
        }
        return [value as unknown as Json];
      },
    };
  },

  async emit({ parameters: given, inputs, outputs, context }, rows): Promise<StepResult> {
    const { threshold, out_of_scope_label: outLabel, multi_label: multi } = given;
    const labels = labelsOf(given);
    const deep = isDeep(labels);
    const names = labels.map(({ name }) => name);
    outputs.rows.expect([
      ...inputs.rows.fields,
      ...['predicted', 'confidence', 'margin', 'out_of_scope_score', 'votes'],
      ...(deep ? ['levels'] : []),
      ...(given.reason ? ['reason'] : []),
      ...(threshold === undefined ? [] : ['is_out_of_scope']),
    ]);
    const ids: string[] = [];
    const shares: number[][] = [];
    let confidences = 0;
    let known = 0;
    let outside = 0;
    for await (const { row, value } of rows) {
      const { names: chosen, choices } = value as unknown as Value;
      const own = choices.map((choice) => sureness(choice, multi));
      const isKnown = own.every((sure) => sure !== null);
      const confidence = isKnown ? own.reduce((product, sure) => product * sure!.confidence, 1) : null;
      const margin = isKnown ? own.reduce((least, sure) => Math.min(least, sure!.margin), 1) : null;
      const predicted = multi ? chosen : chosen.join(separator);
      const saysNone = !multi && outLabel !== undefined && predicted === outLabel;
      const isOut =
        threshold !== undefined &&
        (saysNone || (confidence !== null && significant(1 - confidence) > threshold));
      if (confidence !== null) {
        known++;
        confidences += confidence;
      }
      if (isOut) outside++;
      const first = choices[0]!;
      ids.push(row.id);
      shares.push(names.map((_, index) => first.shares?.[index] ?? (first.chosen.includes(index) ? 1 : 0)));
      const reason = choices.map((choice) => choice.reason).filter(Boolean);
      await outputs.rows.write({
        ...row,
        predicted: isOut && outLabel !== undefined && !multi ? outLabel : predicted,
        confidence: confidence === null ? null : significant(confidence),
        margin: margin === null ? null : significant(margin),
        out_of_scope_score: confidence === null ? null : significant(1 - confidence),
        votes: votesOf(choices, labels, outLabel, chosen),
        ...(deep && { levels: chosen }),
        ...(given.reason && { reason: reason.join(' ') || null }),
        ...(threshold === undefined ? {} : { is_out_of_scope: isOut }),
      });
    }
    if (known < ids.length && given.confidence === 'logprobs')
      context.warn(
        `${ids.length - known} of ${ids.length} answers came without probabilities: their confidence is null`,
      );
    if (!deep)
      await outputs.probabilities.write(
        { data: Float32Array.from(shares.flat()), rows: ids.length, columns: names.length },
        ids,
      );
    return {
      metrics: {
        rows: ids.length,
        classes: leaves(labels),
        ...(known > 0 && { mean_confidence: significant(confidences / known) }),
        ...(threshold === undefined ? {} : { out_of_scope: outside }),
      },
    };
  },
});

function labelsOf({ labels = [] }: Given): Label[] {
  const read = readLabels(labels);
  return 'wrong' in read ? [] : read;
}

function isDeep(labels: readonly Label[]): boolean {
  return labels.some(({ below }) => below.length > 0);
}

function leaves(labels: readonly Label[]): number {
  return labels.reduce((sum, { below }) => sum + (below.length === 0 ? 1 : leaves(below)), 0);
}

function fieldsOf({ prompt, text }: Given): string[] {
  return prompt ? rowFields([promptOf(prompt, '')]) : [text];
}

function textOf(value: Json, field: string): string {
  if (value === null || value === undefined) throw new RowFailure(`${field} is not there`);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The class of an example at the level below a way down, if it lies there. */
function levelOf(label: string, path: readonly string[]): string[] {
  const names = label.split(separator);
  return path.every((name, depth) => names[depth] === name) ? names.slice(path.length, path.length + 1) : [];
}

/** How sure a choice is; null if nothing is known of it. Of several labels: the mean of their own and of those not chosen. */
function sureness({ shares, chosen }: Choice, multi: boolean): { confidence: number; margin: number } | null {
  if (shares === null) return null;
  if (multi) {
    const sure = shares.map((share) => Math.max(share, 1 - share));
    const confidence = sure.reduce((sum, share) => sum + share, 0) / sure.length;
    return { confidence, margin: Math.min(...sure.map((share) => 2 * share - 1)) };
  }
  const best = shares[chosen[0]!]!;
  const second = Math.max(0, ...shares.filter((_, index) => index !== chosen[0]));
  return { confidence: best, margin: best - second };
}

/** Shares by the name of the class, of every level that was asked, as far as they are above 0; null without any. */
function votesOf(
  choices: readonly Choice[],
  labels: readonly Label[],
  outLabel: string | undefined,
  chosen: readonly string[],
): JsonObject | null {
  const votes: JsonObject = {};
  for (const [depth, { shares }] of choices.entries()) {
    if (shares === null) continue;
    const path = chosen.slice(0, depth);
    const options = (labelsAt(labels, depth === 0 ? [] : path) ?? []).map(({ name }) => name);
    if (depth === 0 && shares.length > options.length && outLabel !== undefined) options.push(outLabel);
    for (const [index, share] of shares.entries())
      if (share > 0) votes[[...path, options[index]!].join(separator)] = significant(share);
  }
  return Object.keys(votes).length > 0 ? votes : null;
}
