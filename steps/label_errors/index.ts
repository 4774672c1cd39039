import type { Row } from '../../engine/artefacts.ts';
import { StepError } from '../../engine/problems.ts';
import { defineStep, type Matrix, type MatrixInput } from '../../engine/step.ts';
import { ascending, labelErrors, labelQuality, mostProbable } from '../../numerics/confident-learning.ts';
import { gatherRows } from '../../numerics/vectors.ts';
import { requireFinite } from '../finite-vectors.ts';
import { requireFields } from '../missing-field.ts';
import { sameRows } from '../same-rows.ts';
import { significant } from '../significant.ts';
import { type Examples, readExamples, smallClasses } from '../train/examples.ts';
import { outOfFold } from './out-of-fold.ts';
import { parameters } from './parameters.ts';

export default defineStep({
  type: 'label_errors',
  summary: 'Finds rows whose label is likely wrong, by confident learning',
  description: `Compares each label with the probabilities that a model gives which has not seen the row (Northcutt, Jiang & Chuang 2021,
[Confident Learning](https://doi.org/10.1613/jair.1.12125)); filters, scores and their names are cleanlab's, and so are the rows that they find.

The probabilities are made of \`vectors\` by cross-validation, with the softmax head of \`train\` (\`C\`, \`folds\`), or come in as
\`probabilities\`: then with a column for each of \`labels\`, and from a model that was not trained on these rows.

A class's threshold is the mean probability of it over the rows with that label. Rows that reach the threshold of another class are counted, by
given and likely label; these counts, scaled to those of the labels, estimate how many labels are wrong (\`pairs\`). Then \`filter\` takes

- \`prune_by_noise_rate\`: for each pair of classes as many rows as estimated, with the largest difference of the two probabilities
- \`prune_by_class\`: for each class as many rows as estimated, with the lowest probability of their label
- \`both\`: rows that both of these take
- \`confident_learning\`: the rows that were counted
- \`predicted_neq_given\`: all rows of which another class is more probable
- \`low_normalized_margin\`, \`low_self_confidence\`: as many as were counted, with the lowest score

and, but for the last two, never a row whose label is its most probable class. Labels that were swapped systematically are learnt as they are: no method
of this kind finds them.`,
  parameters,
  inputs: {
    rows: { kind: 'table', description: 'Rows with a label.' },
    vectors: { kind: 'matrix', optional: true, description: 'A vector for each of the rows.' },
    probabilities: {
      kind: 'matrix',
      optional: true,
      description: 'Instead of vectors: probabilities of the classes for each of the rows.',
    },
  },
  outputs: {
    rows: {
      kind: 'table',
      description:
        'All rows in their order, with `label_quality` (low: likely wrong), `suggested_label` (the most probable class) and `is_label_error`.',
    },
    kept: { kind: 'table', description: 'The rows that are taken for rightly labelled, as they came.' },
    errors: {
      kind: 'table',
      description:
        'The rows that are taken for wrongly labelled, with the same fields; the lowest `label_quality` first.',
    },
    pairs: {
      kind: 'table',
      description:
        'A row for each pair of a given label and another: `label`, `suggested_label`, `estimated` rows of the pair, and `errors` found; the most first.',
    },
    classes: {
      kind: 'table',
      description:
        'A row for each label: `rows` with it, its `threshold`, `estimated` wrong ones among them, and `errors` found.',
    },
    probabilities: {
      kind: 'matrix',
      description: 'Probabilities of the labels (in the order of `classes`) for each row that has one.',
    },
  },
  metrics: {
    rows: 'Rows with a label.',
    excluded: 'Rows without one.',
    errors: 'Rows that are taken for wrongly labelled.',
    error_share: 'Those as a share of the rows with a label.',
    estimated: 'Estimated number of wrong labels.',
    label_quality: 'Mean of `label_quality`.',
    accuracy: 'Share of rows whose label is the most probable class.',
  },
  example: `suspects:
  use: label_errors
  from: { rows: unique, vectors: vectors }
  with: { label: label }`,
  seeded: true,

  async run({ parameters: given, inputs, outputs, context }) {
    const { label, filter } = given;
    const added = ['label_quality', 'suggested_label', 'is_label_error'];
    requireFields(inputs.rows, [label]);
    outputs.rows.expect([...inputs.rows.fields, ...added]);
    outputs.kept.expect(inputs.rows.fields);
    outputs.errors.expect([...inputs.rows.fields, ...added]);
    outputs.pairs.expect(['id', 'label', 'suggested_label', 'estimated', 'errors']);
    outputs.classes.expect(['id', 'label', 'rows', 'threshold', 'estimated', 'errors']);
    const { vectors, probabilities: made } = inputs;
    const matrix = made ?? vectors;
    if (!matrix || (made && vectors))
      throw new StepError(
        'no-probabilities',
        matrix ? 'both vectors and probabilities are bound' : 'neither vectors nor probabilities are bound',
        'bind one of them: from: { rows: train, vectors: vectors }',
      );
    sameRows(inputs.rows, matrix);
    const examples = await readExamples(inputs.rows, label);
    if (examples.without > 0)
      context.warn(`${examples.without} of ${matrix.rows} rows have no ${label}; they are left as they are`);
    const small = made ? undefined : smallClasses(examples, given.folds);
    if (small !== undefined) context.warn(small);
    const values = await matrix.read();
    requireFinite(values);
    const own = examples.without === 0 ? values : gatherRows(values, examples.rows);
    const labelled = made
      ? givenProbabilities(own, examples, given.labels, made)
      : {
          names: examples.labels,
          labels: examples.classes,
          probabilities: await outOfFold(
            { vectors: own, classes: examples.classes, labels: examples.labels.length },
            given,
            context.random('folds').seed(),
            context.pool,
            (done, total) => context.progress(done, total, 'fits'),
          ),
        };
    const { names, labels, probabilities } = labelled;
    const { errors, confidentJoint, thresholds } = labelErrors(labelled, {
      filter,
      fracNoise: given.frac_noise,
      minPerClass: given.min_examples_per_class,
    });
    const quality = labelQuality(labelled, given.rank_by);
    const likely = mostProbable(probabilities);

    const place = new Int32Array(inputs.rows.rows).fill(-1);
    examples.rows.forEach((row, at) => {
      place[row] = at;
    });
    const suspects: (Row | undefined)[] = new Array(labels.length);
    const ids: string[] = [];
    let row = 0;
    for await (const block of inputs.rows.blocks()) {
      for (const old of block) {
        const at = place[row++]!;
        if (at < 0) {
          await outputs.rows.write({
            ...old,
            label_quality: null,
            suggested_label: null,
            is_label_error: false,
          });
          await outputs.kept.write(old);
          continue;
        }
        ids.push(old.id);
        const described = {
          ...old,
          label_quality: significant(quality[at]!),
          suggested_label: names[likely[at]!]!,
          is_label_error: errors[at] === 1,
        };
        if (errors[at]) suspects[at] = described;
        const pending = [outputs.rows.write(described), errors[at] ? undefined : outputs.kept.write(old)];
        for (const written of pending) if (written) await written;
      }
      context.signal.throwIfAborted();
    }
    for (const at of ascending(quality)) {
      const suspect = suspects[at];
      if (suspect) await outputs.errors.write(suspect);
    }
    const k = names.length;
    const found = new Int32Array(k * k);
    labels.forEach((own, at) => {
      if (errors[at]) found[own * k + likely[at]!]!++;
    });
    const pairs: Row[] = [];
    for (const [from, name] of names.entries())
      for (const [to, other] of names.entries()) {
        const [estimated, wrong] = [confidentJoint[from * k + to]!, found[from * k + to]!];
        if (from !== to && estimated + wrong > 0)
          pairs.push({
            id: `${name} → ${other}`,
            label: name,
            suggested_label: other,
            estimated,
            errors: wrong,
          });
      }
    const count = (pair: Row) => Number(pair['errors']) * 1e6 + Number(pair['estimated']);
    for (const pair of pairs.sort((a, b) => count(b) - count(a) || (a.id < b.id ? -1 : 1)))
      await outputs.pairs.write(pair);
    let estimatedAll = 0;
    for (const [from, name] of names.entries()) {
      const all = confidentJoint.subarray(from * k, (from + 1) * k).reduce((sum, value) => sum + value, 0);
      const estimated = all - confidentJoint[from * k + from]!;
      estimatedAll += estimated;
      await outputs.classes.write({
        id: name,
        label: name,
        rows: labels.reduce((sum, own) => sum + (own === from ? 1 : 0), 0),
        threshold: thresholds[from]! > 1 ? null : significant(thresholds[from]!),
        estimated,
        errors: found.subarray(from * k, (from + 1) * k).reduce((sum, value) => sum + value, 0),
      });
    }
    await outputs.probabilities.write(probabilities, ids);
    const rows = labels.length;
    const wrong = errors.reduce((sum, error) => sum + error, 0);
    const right = labels.reduce((sum, own, at) => sum + (own === likely[at] ? 1 : 0), 0);
    return {
      metrics: {
        rows,
        excluded: examples.without,
        errors: wrong,
        error_share: significant(rows > 0 ? wrong / rows : 0),
        estimated: estimatedAll,
        label_quality: significant(rows > 0 ? quality.reduce((sum, value) => sum + value, 0) / rows : 0),
        accuracy: significant(rows > 0 ? right / rows : 0),
      },
    };
  },
});

/** Checks probabilities that came in, and names their columns. */
function givenProbabilities(
  probabilities: Matrix,
  examples: Examples,
  order: readonly string[] | null,
  { columns }: MatrixInput,
) {
  const names = order ?? examples.labels;
  if (names.length !== columns && examples.labels.length > 0)
    throw new StepError(
      'other-labels',
      `there are ${names.length} labels, but probabilities of ${columns} classes`,
      'name the labels of all columns in their order: see labels',
    );
  const numbers = new Map(names.map((name, number) => [name, number]));
  const labels = examples.classes.map((own) => {
    const name = examples.labels[own]!;
    const number = numbers.get(name);
    if (number !== undefined) return number;
    throw new StepError('other-labels', `rows have the label "${name}", which labels does not name`);
  });
  const { data } = probabilities;
  for (let row = 0; row < probabilities.rows; row++) {
    const own = data.subarray(row * columns, (row + 1) * columns);
    const sum = own.reduce((all, value) => all + value, 0);
    if (Math.abs(sum - 1) > 1e-3 || own.some((value) => value < 0))
      throw new StepError(
        'bad-probabilities',
        `the probabilities of row ${examples.rows[row]! + 1} sum to ${significant(sum)}, or one is negative`,
        'bind probabilities (those of classify, say), not scores',
      );
  }
  return { names: [...names], labels, probabilities };
}
