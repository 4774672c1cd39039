import type { Row } from '../../engine/artefacts.ts';
import { CelError, loadCel } from '../../engine/cel.ts';
import { StepError } from '../../engine/problems.ts';
import { defineStep, type StepContext, type TableInput } from '../../engine/step.ts';
import type { Ranked } from '../../numerics/ranking.ts';
import { gatherRows } from '../../numerics/vectors.ts';
import { requireFinite } from '../finite-vectors.ts';
import { requireFields } from '../missing-field.ts';
import { sameRows } from '../same-rows.ts';
import { significant } from '../significant.ts';
import { nearestDocuments } from './nearest.ts';
import { fuseHits, type KeywordTask, moduleUrl as rankUrl } from './rank.ts';

export default defineStep({
  type: 'search',
  summary: 'Finds the documents that fit each query: by words, by meaning, or both',
  description: `The \`mode\` is one of

- \`keyword\` (default): BM25 in Lucene's form, Σ idf · f/(f + k1·(1 − b + b·length/mean length)), on lower-case words, by their stems (English and Russian). Words such as *how* and *the* count only in a query that has no others. Documents without a word of the query are not found.
- \`semantic\`: greatest cosine of the vectors. All documents are compared; by an inverted file (\`index: ivf\`) only those in the lists nearest to the query.
- \`hybrid\`: both, each \`depth\` documents deep, as one by reciprocal rank fusion: Σ 1/(rrf_k + rank) (Cormack et al. 2009).

\`semantic\` and \`hybrid\` need \`query_vectors\` and \`document_vectors\` of one encoder. Equal scores stand in the order of the documents.

With \`where\` hits are those of a table that holds the fitting documents only: how rare a word is counts among these.`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    properties: {
      mode: {
        enum: ['keyword', 'semantic', 'hybrid'],
        default: 'keyword',
        description: 'What fits.',
      },
      top_k: { type: 'integer', minimum: 1, default: 10, description: 'Documents for each query, at most.' },
      query_text: {
        type: 'string',
        minLength: 1,
        default: 'text',
        description: 'The field with the words of a query.',
      },
      text: { type: 'string', minLength: 1, default: 'text', description: 'The field that is searched.' },
      index: {
        enum: ['auto', 'exact', 'ivf'],
        default: 'auto',
        description:
          '`semantic`, `hybrid`: compare all documents, or those of the nearest lists of an inverted file, which pays for very many queries. `auto` takes it from 50,000 documents and 100,000,000 comparisons on.',
      },
      n_probe: {
        type: 'integer',
        minimum: 1,
        default: 16,
        description: '`ivf`: lists that are looked through for each query, of 2·√documents.',
      },
      where: {
        type: 'string',
        minLength: 1,
        'x-reprise': 'cel',
        description:
          'Search only documents for which this holds: `row.language == "de" && row.date >= "2026"`. A document without the field fails the step: ask `has(row.date)` first.',
      },
      stem: { type: 'boolean', default: true, description: 'Compare the stems of words.' },
      stop_words: {
        type: 'boolean',
        default: true,
        description: 'Leave words without a topic out of queries that have others.',
      },
      k1: {
        type: 'number',
        minimum: 0,
        default: 1.2,
        description: 'How soon more of a word stops counting.',
      },
      b: {
        type: 'number',
        minimum: 0,
        maximum: 1,
        default: 0.75,
        description: 'How much long documents lose.',
      },
      rrf_k: {
        type: 'number',
        minimum: 0,
        default: 60,
        description: 'hybrid: the greater, the less the first ranks count.',
      },
      depth: {
        type: 'integer',
        minimum: 1,
        default: 100,
        description: 'hybrid: documents that each of the two lists has.',
      },
    },
  },
  inputs: {
    queries: { kind: 'table', description: 'A row for each query.' },
    documents: { kind: 'table', description: 'The rows that are searched.' },
    query_vectors: { kind: 'matrix', optional: true, description: 'A vector for each query.' },
    document_vectors: { kind: 'matrix', optional: true, description: 'A vector for each document.' },
  },
  outputs: {
    hits: {
      kind: 'table',
      description:
        'A row for each hit: `id` (`<query>#<rank>`), `query_id`, `document_id`, `rank`, `score` (BM25, cosine or fused), `keyword_rank` and `semantic_rank` (null if not in that list), and the `text` of the document.',
    },
  },
  metrics: {
    queries: 'Queries.',
    documents: 'Documents searched.',
    left_out: 'Documents left out by `where`.',
    hits: 'Hits of all queries.',
    without_hits: 'Queries that nothing was found for.',
    recall:
      'Share of the exact nearest documents that the inverted file finds, of at most 100 queries; with it only.',
  },
  example: `found:
  use: search
  from: { queries: questions, documents: articles }
  with: { top_k: 5 }`,

  async run({ parameters, inputs, outputs, context }) {
    const { mode, top_k: k, depth } = parameters;
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
    let recall: number | undefined;
    if (mode !== 'semantic') {
      requireFields(queries, [parameters.query_text], 'queries');
      keyword = await context.pool.run<KeywordTask, Ranked[][]>(rankUrl, 'rankByKeywords', {
        documents: searched.texts,
        queries: asked.texts,
        k: wanted,
        stem: parameters.stem,
        stopWords: parameters.stop_words,
        k1: parameters.k1,
        b: parameters.b,
      });
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
      const [own, others] = [await queryVectors.read(), await documentVectors.read()];
      if (own.rows > 0 && others.rows > 0 && own.columns !== others.columns)
        throw new StepError(
          'other-vectors',
          `vectors of queries have ${own.columns} numbers, those of documents ${others.columns}`,
          'make both with one encoder and the same parameters',
        );
      requireFinite(own);
      requireFinite(others);
      const task = {
        queries: own,
        documents: leftOut === 0 ? others : gatherRows(others, searched.places),
        k: wanted,
      };
      ({ found: semantic, recall } = await nearestDocuments(task, parameters, context));
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
    let hits = 0;
    let without = 0;
    for (const [query, queryId] of asked.ids.entries()) {
      const found = fuseHits(keyword?.[query], semantic?.[query], parameters.rrf_k, k);
      if (found.length === 0) without++;
      for (const [place, hit] of found.entries()) {
        hits++;
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
    if (without > 0) context.warn(`nothing was found for ${without} of ${queries.rows} queries`);
    return {
      metrics: {
        queries: queries.rows,
        documents: searched.ids.length,
        ...(parameters.where === undefined ? {} : { left_out: leftOut }),
        hits,
        without_hits: without,
        ...(recall === undefined ? {} : { recall: significant(recall) }),
      },
    };
  },
});

interface Texts {
  ids: string[];
  texts: string[];
  /** Where the rows stand in their table. */
  places: number[];
}

async function readTexts(
  table: TableInput,
  field: string,
  fits: (row: Row, place: number) => boolean = () => true,
): Promise<Texts> {
  const found: Texts = { ids: [], texts: [], places: [] };
  let place = -1;
  for await (const block of table.blocks()) {
    for (const row of block) {
      place++;
      if (!fits(row, place)) continue;
      const value = row[field] ?? null;
      found.ids.push(row.id);
      found.texts.push(typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value));
      found.places.push(place);
    }
  }
  return found;
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
