import type { Row } from '../../engine/artefacts.ts';
import type { Json, JsonObject } from '../../engine/json.ts';
import { rowTable } from '../../engine/row-table.ts';
import { defineRowStep, RowFailure, type StepResult } from '../../engine/step.ts';
import { openLanguageIdentifier } from '../../models/language-identifier.ts';
import { promptOf, rowFields, rowsAtOnce, samplingOf, write } from '../asking.ts';
import { requireFields } from '../missing-field.ts';
import { significant } from '../significant.ts';
import { type Summary, summarize } from './ask.ts';
import { findClusters, nameByKeywords } from './clusters.ts';
import { nearestTexts } from './examples.ts';
import { inputs } from './keywords.ts';
import { nearestOutsiders } from './outsiders.ts';
import { type Given, shared } from './shared.ts';

/** Tokens of texts in one request, where the model's context is not known. */
const usualPart = 3000;
/** Of its context: the rest is for the prompt, the texts for contrast and the answer. */
const partShare = 0.5;
/** The field of rows that the work is done on for what was said of an earlier summary: no field of the user's. */
const feedbackField = '$feedback';

/** Asks a language model about each cluster, or each document. */
export const byModel = defineRowStep({
  ...shared,
  inputs: {
    ...inputs,
    feedback: {
      kind: 'table',
      optional: true,
      description:
        'What was said of earlier names: rows with `cluster` (or the id of a document) and `feedback`.',
    },
  },
  outputs: { rows: { kind: 'table', description: 'A row for each cluster, or each document.' } },
  fields: (given) => fieldsOf(given),
  rowParameters({ method, model, language, instructions, prompt, long, part_tokens, rounds, of, ...given }) {
    const counted = {
      method,
      model,
      language,
      instructions,
      prompt,
      long,
      part_tokens,
      rounds,
      of,
      ...samplingOf(given),
    };
    return Object.fromEntries(
      Object.entries(counted).filter(([, value]) => value !== undefined),
    ) as JsonObject;
  },
  async rowsOf({ parameters: given, inputs, context }) {
    const feedback = inputs.feedback && (await feedbackOf(inputs.feedback.blocks(), given));
    if (given.of === 'documents') {
      if (feedback === undefined) return inputs.rows;
      const rows = (await inputs.rows.all()).map((row) => ({
        ...row,
        [feedbackField]: feedback.get(row.id) ?? null,
      }));
      return rowTable(rows);
    }
    requireFields(inputs.rows, [given.text, given.cluster]);
    const found = await findClusters(given, inputs, context);
    const names = await nameByKeywords(found, given, context);
    const examples = nearestTexts(found, given.examples);
    const inside = nearestTexts(found, given.inside === 0 ? found.texts.length : given.inside);
    const vectors =
      given.outside > 0 && inputs.vectors ? (found.vectors ?? (await inputs.vectors.read())) : null;
    const outside = nearestOutsiders(found, vectors, given.outside);
    const texts = (indices: readonly number[]) => indices.map((index) => found.texts[index]!);
    return rowTable(
      found.numbers.map(
        (number, index): Row => ({
          id: String(number),
          cluster: number,
          size: found.sizes[index]!,
          share: significant(found.sizes[index]! / found.rows.length),
          keywords: names[index]!.keywords,
          examples: texts(examples[index]!),
          example_ids: examples[index]!.map((row) => found.ids[row]!),
          texts: texts(inside[index]!),
          others: texts(outside[index]!),
          [feedbackField]: feedback?.get(String(number)) ?? null,
        }),
      ),
    );
  },
  async open({ parameters: given, inputs, context }) {
    const fields = fieldsOf(given);
    const { of, text: textField, language, prompt: source } = given;
    const isCluster = of === 'clusters';
    if (!isCluster)
      requireFields(
        inputs.rows,
        fields.filter((field) => field !== feedbackField),
      );
    const prompt = source && promptOf(source, '');
    const model = context.languageModel(given.model!);
    const tokens = context.modelTokens(given.model!);
    const count = await tokens.counter();
    const partTokens =
      given.part_tokens ?? (tokens.context === null ? usualPart : Math.floor(partShare * tokens.context));
    const identifier = language && openLanguageIdentifier({ minConfidence: 0.5, minLetters: 20 });
    const identify = identifier ? (text: string) => identifier(text).language : null;
    return {
      identity: { part_tokens: partTokens },
      batchSize: 1,
      concurrency: rowsAtOnce,
      async compute([values]) {
        const row = Object.fromEntries(fields.map((field, index) => [field, values![index]!]));
        const texts = isCluster
          ? (row['texts'] as string[])
          : [documentOf(row[textField] ?? null, textField)];
        if (texts.length === 0) throw new RowFailure('none of its rows has a text');
        const summary = await summarize({
          model,
          sampling: samplingOf(given),
          texts,
          kind: isCluster ? 'cluster' : 'document',
          others: isCluster ? (row['others'] as string[]) : [],
          keywords: isCluster ? (row['keywords'] as string[]) : [],
          feedback: (row[feedbackField] ?? null) as string | null,
          instructions: given.instructions ?? null,
          language: language ?? null,
          question: prompt
            ? (shown) =>
                write(prompt, {
                  ...row,
                  ...(isCluster
                    ? { texts: [...shown], feedback: row[feedbackField] ?? null }
                    : { [textField]: shown.join('\n') }),
                  params: context.params,
                  matrix: context.matrix,
                })
            : null,
          long: given.long,
          partTokens,
          count,
          rounds: given.rounds,
          identify,
        });
        return [summary as unknown as Json];
      },
    };
  },
  async emit({ parameters: { of, cluster: clusterField }, inputs, outputs }, rows): Promise<StepResult> {
    let count = 0;
    let members = 0;
    const titles = new Set<string>();
    outputs.rows.expect(
      of === 'documents'
        ? [...inputs.rows.fields, 'title', 'summary']
        : ['cluster', 'name', 'description', 'size', 'share', 'keywords', 'examples', 'example_ids'],
    );
    for await (const { row, value } of rows) {
      const { title, description } = value as unknown as Summary;
      count++;
      if (of === 'documents') {
        const { [feedbackField]: _, ...own } = row;
        await outputs.rows.write({ ...own, id: row.id, title, summary: description });
        continue;
      }
      const { id, cluster, size, share, keywords, examples, example_ids } = row;
      const name = distinct(title, keywords as string[], id, titles);
      titles.add(name.toLowerCase());
      members += size as number;
      await outputs.rows.write({
        ...{ id, cluster: cluster!, name, description, size: size!, share: share! },
        ...{ keywords: keywords!, examples: examples!, example_ids: example_ids! },
      });
    }
    if (of === 'documents') return { metrics: { rows: count } };
    return {
      metrics: {
        clusters: count,
        unclustered: await unclustered(inputs.rows.blocks(), clusterField),
        rows: members,
      },
    };
  },
});

function fieldsOf({ of, text, prompt }: Given): string[] {
  const own = of === 'clusters' ? ['texts', 'others', 'keywords', feedbackField] : [text, feedbackField];
  const named = prompt ? rowFields([promptOf(prompt, '')], of === 'clusters' ? ['feedback'] : []) : [];
  return [...new Set([...own, ...named])];
}

function documentOf(value: Json, field: string): string {
  if (value === null || value === '')
    throw new RowFailure(`${field} is ${value === null ? 'not there' : 'empty'}`);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What was said, by the number of the cluster or the id of the document, as it is put before the model. */
async function feedbackOf(
  blocks: AsyncIterable<Row[]>,
  { of, cluster }: Given,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const block of blocks)
    for (const row of block) {
      const said = row['feedback'] ?? null;
      if (said === null || said === '') continue;
      const key = String(of === 'clusters' ? (row[cluster] ?? row['cluster'] ?? row.id) : row.id);
      const name = row['name'] ?? row['title'];
      const about = typeof name === 'string' ? `An earlier title was "${name}". ` : '';
      found.set(key, `${about}Feedback of a reader, to be heeded: ${String(said)}`);
    }
  return found;
}

/** A title that no other cluster has: with a keyword that is not in it, or the cluster's number. */
function distinct(
  title: string,
  keywords: readonly string[],
  id: string,
  taken: ReadonlySet<string>,
): string {
  const more = keywords.filter((word) => !title.toLowerCase().includes(word.toLowerCase()));
  const candidates = [title, ...more.map((word) => `${title} (${word})`), `${title} (${id})`];
  return candidates.find((name) => !taken.has(name.toLowerCase())) ?? `${title} (${id})`;
}

/** Rows that belong to no cluster. */
async function unclustered(blocks: AsyncIterable<Row[]>, field: string): Promise<number> {
  let count = 0;
  for await (const block of blocks)
    for (const row of block) {
      const cluster = row[field] ?? null;
      if (cluster === null || (typeof cluster === 'number' && cluster < 0)) count++;
    }
  return count;
}
