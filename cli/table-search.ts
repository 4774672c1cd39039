import type { Row } from '../engine/artefacts.ts';
import { ProblemError } from '../engine/problems.ts';
import type { RunRecord } from '../engine/record/record.ts';
import type { TableInput } from '../engine/step.ts';
import { readTexts, textIn } from '../steps/search/texts.ts';
import { rowCondition } from './matching-rows.ts';
import type { OpenProject } from './project.ts';
import { type QueryVector, queryVector } from './query-vector.ts';

export type Mode = 'hybrid' | 'semantic' | 'keyword';

/** What is looked for in a table, as the options of `search` say it. */
export interface TableSearch {
  words: string | null;
  /** Instead of words: the id of a row whose text is looked for. */
  like: string | null;
  /** Null: hybrid if the rows have vectors, else keyword. */
  mode: Mode | null;
  /** The field that is searched. */
  field: string;
  where: string | null;
  expand: boolean;
  minScore: number | null;
  /** Hits, at most. */
  head: number;
}

export interface FoundRows {
  mode: Mode;
  /** Rows that `where` leaves. */
  searched: number;
  hits: { score: number; text: string; row: Row }[];
  /** Words that `expand` added, the heaviest first. */
  added: string[];
}

/** Of each of the two lists of a hybrid search, its constant, and how queries are expanded: the defaults of the step `search`. */
const depth = 100;
const fusion = { rrf_k: 60 };
const expansion = { terms: 10, documents: 10, alpha: 1, beta: 0.75 };

/** Searches a table of a run as the step `search` does. What cannot be done is a problem of the call. */
export async function searchTable(
  table: TableInput,
  name: string,
  search: TableSearch,
  record: RunRecord,
  project: OpenProject,
): Promise<FoundRows> {
  const { field, head, like, minScore } = search;
  if (table.rows > 0 && !table.fields.includes(field))
    throw ProblemError.of('wrong-call', `rows of ${name} have no field "${field}"`, {
      hint: `choose one with --text: ${table.fields.join(', ')}`,
    });
  const words = like === null ? (search.words ?? '') : await textOf(like, table, field, name);
  const meant = search.mode === 'keyword' ? null : await queryVector(words, table.ids, record, project);
  if (meant !== null && 'reason' in meant && search.mode !== null)
    throw ProblemError.of('wrong-call', `--mode ${search.mode} needs vectors: ${meant.reason}`, {
      hint: 'search a table that a step embed read, or write --mode keyword',
    });
  const vectors = meant !== null && 'query' in meant ? meant : null;
  const mode = search.mode ?? (vectors === null ? 'keyword' : 'hybrid');
  if (mode === 'hybrid' && minScore !== null)
    throw ProblemError.of(
      'wrong-call',
      '--min_score has no meaning with --mode hybrid, whose scores are ranks',
      {
        hint: 'write --mode semantic or --mode keyword',
      },
    );
  const fits = await rowCondition(search.where ?? undefined);
  const { texts, places } = await readTexts(table, field, fits);
  const k = (mode === 'hybrid' ? Math.max(head, depth) : head) + (like === null ? 0 : 1);
  const { rankByKeywords, fuseHits } = await import('../steps/search/rank.ts');
  const keyword =
    mode === 'semantic'
      ? undefined
      : rankByKeywords({
          ...{ documents: texts, queries: [words], k, stem: true, stopWords: true },
          ...(search.expand && { expand: expansion }),
        });
  const semantic =
    mode === 'keyword' || vectors === null ? undefined : await nearest(vectors, places, k, search.expand);
  const best = fuseHits(keyword?.found[0], semantic, fusion, k).filter(
    ({ score }) => minScore === null || score >= minScore,
  );
  const rows = await rowsAt(
    table,
    best.map(({ document }) => places[document]!),
  );
  const hits = best
    .map(({ document, score }) => ({ score, text: texts[document]!, row: rows.get(places[document]!)! }))
    .filter(({ row }) => row.id !== like)
    .slice(0, head);
  return { mode, searched: texts.length, hits, added: (keyword?.added?.[0] ?? []).map(({ word }) => word) };
}

/** The rows at these places with the greatest cosine. */
async function nearest(
  { query, vectors }: QueryVector,
  places: readonly number[],
  k: number,
  expand: boolean,
) {
  // Words that the encoder does not know are as near to one row as to any other.
  if (query.data.every((value) => value === 0)) return [];
  const { DocumentVectors } = await import('../steps/search/document-vectors.ts');
  const all = places.length === vectors.rows ? null : places;
  const documents = await DocumentVectors.open(vectors, all, inThisThread);
  const options = { index: 'exact', recall: 1 } as const;
  if (!expand) return (await documents.nearest(query, k, options)).found[0];
  const { found } = await documents.nearest(query, expansion.documents, options);
  return (await documents.nearest(await documents.expanded(query, found, expansion), k, options)).found[0];
}

/** One query is answered before a thread has started. */
const inThisThread = {
  threads: 1,
  async run<A, R>(module: string | URL, exportName: string, args: A): Promise<R> {
    const functions = (await import(String(module))) as Record<string, (args: A) => R>;
    return functions[exportName]!(args);
  },
};

async function textOf(id: string, table: TableInput, field: string, name: string): Promise<string> {
  for await (const block of table.blocks())
    for (const row of block) if (row.id === id) return textIn(row, field);
  throw ProblemError.of('wrong-call', `${name} has no row "${id}"`, { hint: 'give --like the id of a row' });
}

async function rowsAt(table: TableInput, places: readonly number[]): Promise<Map<number, Row>> {
  const wanted = new Set(places);
  const rows = new Map<number, Row>();
  let place = 0;
  for await (const block of table.blocks())
    for (const row of block) {
      if (wanted.has(place)) rows.set(place, row);
      place++;
    }
  return rows;
}
