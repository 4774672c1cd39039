import type { Row } from '../../engine/artefacts.ts';
import { CelError, loadCel } from '../../engine/cel.ts';
import { StepError } from '../../engine/problems.ts';
import { defineStep, type Matrix, type OutputSpecs, type StepContext } from '../../engine/step.ts';
import type { IvfFound } from '../../numerics/ivf-search.ts';
import type { WeightedWord } from '../../numerics/query-expansion.ts';
import type { Ranked } from '../../numerics/ranking.ts';
import { requireFinite } from '../finite-vectors.ts';
import { requireFields } from '../missing-field.ts';
import { sameRows } from '../same-rows.ts';
import { significant } from '../significant.ts';
import { DocumentVectors } from './document-vectors.ts';
import { parameters } from './parameters.ts';
import { fuseHits, type KeywordHits, type KeywordTask, moduleUrl as rankUrl } from './rank.ts';
import { readTexts } from './texts.ts';

const hits = {
  kind: 'table',
  description:
    'A row for each hit: `id` (`<query>#<rank>`), `query_id`, `document_id`, `rank`, `score` (BM25, cosine or fused), `keyword_rank` and `semantic_rank` (null if not in that list), and the `text` of the document.',
} as const;
const expansions = {
  kind: 'table',
  description:
    'With `expand`: a row for each query, with its id and `text`, and `terms`: the words that were added to it, each with its `weight`, the heaviest first.',
} as const;

export default defineStep({
  type: 'search',
  summary: 'Finds the documents that fit each query: by words, by meaning, or both',
  description: `The \`mode\` is one of

- \`keyword\` (default): BM25 in Lucene's form, Σ idf · f/(f + k1·(1 − b + b·length/mean length)), on lower-case words, by their stems (21 languages). Words such as *how* and *the* count only in a query that has no others. Documents without a word of the query are not found.
- \`semantic\`: greatest cosine of the vectors. All documents are compared, so that time grows with queries × documents; by an inverted file (\`index: ivf\`) only those in the lists nearest to the query. More than 384 MB of vectors are not held in memory: they are compared block by block from the disk.
- \`hybrid\`: both, each \`depth\` documents deep, as one by reciprocal rank fusion, Σ 1/(rrf_k + rank) (Cormack et al. 2009), or by their scores (\`fusion: weighted\`).

\`semantic\` and \`hybrid\` need \`query_vectors\` and \`document_vectors\` of one encoder. A query whose vector is all zeros has no meaning and finds nothing by it. Equal scores stand in the order of the documents.

With \`where\` hits are those of a table that holds the fitting documents only: how rare a word is counts among these.`,
  parameters,
  inputs: {
    queries: { kind: 'table', description: 'A row for each query.' },
    documents: { kind: 'table', description: 'The rows that are searched.' },
    query_vectors: { kind: 'matrix', optional: true, description: 'A vector for each query.' },
    document_vectors: { kind: 'matrix', optional: true, description: 'A vector for each document.' },
  },
  outputs: { hits, expansions },
  outputsOf: ({ expand }): OutputSpecs => (expand === undefined ? { hits } : { hits, expansions }),
  metrics: {
    queries: 'Queries.',
    documents: 'Documents searched.',
    left_out: 'Documents left out by `where`.',
    hits: 'Hits of all queries.',
    without_hits: 'Queries that nothing was found for.',
    recall: 'By the inverted file: the share of the exact hits that at most 200 of the queries find.',
    lists: 'By the inverted file: its lists.',
    n_probe: 'By the inverted file: lists that were looked through for each query.',
    added_terms: 'With `expand`: words that were added to all queries.',
  },
  example: `found:
  use: search
  from: { queries: questions, documents: articles }
  with: { top_k: 5 }`,

  check({ mode, min_score }) {
    return min_score !== undefined && mode === 'hybrid'
      ? [
          {
            parameter: 'min_score',
            message: 'min_score has no meaning with mode hybrid, whose scores are ranks',
          },
        ]
      : [];
  },

  async run({ parameters, inputs, outputs, context }) {
    const { mode, top_k: k, depth, expand, min_score: leastScore } = parameters;
    const { queries, documents, query_vectors: queryVectors, document_vectors: documentVectors } = inputs;
    const wanted = mode === 'hybrid' ? Math.max(k, depth) : k;
    requireFields(documents, [parameters.text], 'documents');
    const asked = await readTexts(queries, parameters.query_text);
    const fits = await documentFilter(parameters.where, context);
    const searched = await readTexts(documents, parameters.text, fits);
    const leftOut = documents.rows - searched.ids.length;
    if (searched.ids.length === 0 && leftOut > 0)
      context.warn(`no document of ${leftOut} is left by ${parameters.where}`);
    let keyword: Ranked[][] | undefined;
    let semantic: Ranked[][] | undefined;
    let ivf: IvfFound | undefined;
    let added: WeightedWord[][] | undefined;
    if (mode !== 'semantic') {
      requireFields(queries, [parameters.query_text], 'queries');
      ({ found: keyword, added } = await context.pool.run<KeywordTask, KeywordHits>(
        rankUrl,
        'rankByKeywords',
        {
          documents: searched.texts,
          queries: asked.texts,
          k: wanted,
          language: parameters.language,
          stem: parameters.stem,
          stopWords: parameters.stop_words,
          k1: parameters.k1,
          b: parameters.b,
          ...(expand && { expand }),
        },
      ));
    }
    if (mode !== 'keyword') {
      if (!queryVectors || !documentVectors)
        throw new StepError(
          'no-vectors',
          `mode ${mode} needs the vectors of queries and documents`,
          'write from: { queries: …, documents: …, query_vectors: …, document_vectors: … }',
        );
      sameRows(queries, queryVectors);
      sameRows(documents, documentVectors);
      if (
        queryVectors.rows > 0 &&
        documentVectors.rows > 0 &&
        queryVectors.columns !== documentVectors.columns
      )
        throw new StepError(
          'other-vectors',
          `vectors of queries have ${queryVectors.columns} numbers, those of documents ${documentVectors.columns}`,
          'make both with one encoder and the same parameters',
        );
      const own = await queryVectors.read();
      requireFinite(own);
      const places = leftOut === 0 ? null : searched.places;
      const vectors = await DocumentVectors.open(documentVectors, places, context.pool);
      if (parameters.index === 'ivf' && !vectors.isHeld)
        context.warn(
          'there are too many vectors for an inverted file in memory: all are compared, from the disk',
        );
      let meant = own;
      if (expand !== undefined) {
        const { found } = await vectors.nearest(own, expand.documents, parameters);
        meant = await vectors.expanded(own, found, expand);
      }
      ({ found: semantic, ivf } = await vectors.nearest(meant, wanted, parameters));
      semantic = semantic.map((hits, query) => (isZero(own, query) ? [] : hits));
    }
    outputs.hits.expect([
      'id',
      'query_id',
      'document_id',
      'rank',
      'score',
      'keyword_rank',
      'semantic_rank',
      'text',
    ]);
    const fusion =
      parameters.fusion === 'weighted' ? { alpha: parameters.alpha } : { rrf_k: parameters.rrf_k };
    let written = 0;
    let without = 0;
    for (const [query, queryId] of asked.ids.entries()) {
      const found = fuseHits(keyword?.[query], semantic?.[query], fusion, k).filter(
        ({ score }) => score >= (leastScore ?? Number.NEGATIVE_INFINITY),
      );
      if (found.length === 0) without++;
      for (const [place, hit] of found.entries()) {
        written++;
        const row: Row = {
          id: `${queryId}#${place + 1}`,
          query_id: queryId,
          document_id: searched.ids[hit.document]!,
          rank: place + 1,
          score: significant(hit.score),
          keyword_rank: hit.keywordRank,
          semantic_rank: hit.semanticRank,
          text: searched.texts[hit.document]!,
        };
        const pending = outputs.hits.write(row);
        if (pending) await pending;
      }
      context.signal.throwIfAborted();
    }
    if (expand !== undefined) {
      outputs.expansions.expect(['id', 'text', 'terms']);
      for (const [query, id] of asked.ids.entries()) {
        const terms = (added?.[query] ?? []).map(({ word, weight }) => ({
          word,
          weight: significant(weight),
        }));
        await outputs.expansions.write({ id, text: asked.texts[query]!, terms });
      }
    }
    if (without > 0) context.warn(`nothing was found for ${without} of ${queries.rows} queries`);
    return {
      metrics: {
        queries: queries.rows,
        documents: searched.ids.length,
        ...(parameters.where === undefined ? {} : { left_out: leftOut }),
        hits: written,
        without_hits: without,
        ...(ivf && { lists: ivf.lists, n_probe: ivf.probes }),
        ...(ivf?.recall != null && { recall: significant(ivf.recall) }),
        ...(added && { added_terms: added.reduce((sum, { length }) => sum + length, 0) }),
      },
    };
  },
});

/** A text that the encoder knows nothing of: it is as near to one document as to any other. */
function isZero({ data, columns }: Matrix, row: number): boolean {
  return data.subarray(row * columns, (row + 1) * columns).every((value) => value === 0);
}

/** Whether a document is searched; every one without a condition. */
async function documentFilter(where: string | undefined, context: StepContext) {
  if (where === undefined) return undefined;
  const scope = { row: {} as object, params: context.params, env: context.env };
  const program = (await loadCel())(where, { variables: Object.keys(scope) });
  return (row: Row, place: number): boolean => {
    scope.row = row;
    try {
      return program.test(scope);
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      throw new StepError(
        error.code,
        `document ${row.id} (number ${place + 1}): ${error.message}`,
        error.hint,
      );
    }
  };
}
