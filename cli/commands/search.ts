import { ProblemError } from '../../engine/problems.ts';
import type { TableInput } from '../../engine/step.ts';
import type { Command } from '../command.ts';
import { columns, count, counted, truncate } from '../format.ts';
import { findArtefact } from '../past-artefact.ts';
import { withProject } from '../project.ts';
import { queryVector } from '../query-vector.ts';
import { runWords } from './runs/words.ts';

/** Of each of the two lists of a hybrid search, and its constant: the defaults of the step `search`. */
const depth = 100;
const fusionConstant = 60;

export const command: Command = {
  name: 'search',
  summary: 'find rows of what a run made, by words or by meaning',
  description:
    'Ranks the rows of a table by BM25 (keyword), by the cosine of their vectors (semantic), or by both (hybrid), as the step search does. Meaning needs a step embed in the run that made vectors of these rows; without one the search is by words.',
  arguments: [
    { name: '<run>', description: runWords },
    { name: '<address>', description: 'step, step.output or step[axis=value].output: a table' },
    { name: '<words>', description: 'what to look for' },
  ],
  options: [
    {
      flags: '--mode <mode>',
      description: 'how (default: hybrid if the rows have vectors, else keyword)',
      choices: ['hybrid', 'semantic', 'keyword'],
    },
    { flags: '--text <field>', description: 'the field that is searched', default: 'text' },
    { flags: '--head <n>', description: 'so many rows (default: 10)', atLeast: 1 },
    { flags: '--json', description: 'one JSON document: the rows with rank and score' },
  ],
  examples: [
    { line: 'reprise search latest unique "lost card"', does: 'by words and meaning' },
    { line: 'reprise search latest unique "lost card" --mode keyword --head 3', does: 'by words only' },
  ],
  async run([run, address, words], options, cli) {
    return withProject(cli, cli.cwd, async (project) => {
      const { artefact, record, step, output } = findArtefact(run as string, address as string, project);
      const name = `${step.id}.${output}`;
      const table = project.workspace.store.open(artefact);
      if (table.kind !== 'table')
        throw ProblemError.of('wrong-call', `search looks through tables, and ${name} is a ${table.kind}`, {
          hint: 'name an output that is a table',
        });
      const field = options['text'] as string;
      if (table.rows > 0 && !table.fields.includes(field))
        throw ProblemError.of('wrong-call', `rows of ${name} have no field "${field}"`, {
          hint: `choose one with --text: ${table.fields.join(', ')}`,
        });
      const asked = options['mode'] as 'hybrid' | 'semantic' | 'keyword' | undefined;
      const meant =
        asked === 'keyword' ? null : await queryVector(words as string, table.ids, record, project);
      if (meant !== null && 'reason' in meant && asked !== undefined)
        throw ProblemError.of('wrong-call', `--mode ${asked} needs vectors: ${meant.reason}`, {
          hint: 'search a table that a step embed read, or write --mode keyword',
        });
      const vectors = meant !== null && 'query' in meant ? meant : null;
      const mode = asked ?? (vectors === null ? 'keyword' : 'hybrid');

      const head = (options['head'] as number | undefined) ?? 10;
      const k = mode === 'hybrid' ? Math.max(head, depth) : head;
      const [{ rankByKeywords, fuseHits }, { exactSearch }] = await Promise.all([
        import('../../steps/search/rank.ts'),
        import('../../numerics/exact-search.ts'),
      ]);
      const documents = await textsOf(table, field);
      const keyword =
        mode === 'semantic'
          ? undefined
          : rankByKeywords({ documents, queries: [words as string], k, stem: true, stopWords: true }).found[0];
      const semantic =
        mode === 'keyword' || vectors === null
          ? undefined
          : (await exactSearch({ queries: vectors.query, documents: await vectors.vectors.read(), k }))[0];
      const hits = fuseHits(keyword, semantic, { rrf_k: fusionConstant }, head);
      const wanted = new Set(hits.map(({ document }) => document));
      const rows = new Map<number, object & { id: string }>();
      let place = 0;
      for await (const row of table.read()) {
        if (wanted.has(place)) rows.set(place, row);
        place++;
      }
      const found = hits.map(({ document, score }, rank) => ({
        rank: rank + 1,
        score,
        row: rows.get(document)!,
      }));
      if (options['json'])
        cli.out(`${JSON.stringify({ run: record.id, address: name, mode, hits: found })}\n`);
      else {
        const lines = found.map(({ score, row }, rank) => [
          String(rank + 1),
          score.toFixed(3),
          row.id,
          truncate(documents[hits[rank]!.document]!.replace(/\s+/g, ' '), Math.max(20, cli.columns - 30)),
        ]);
        if (lines.length > 0) cli.out(columns(lines));
        cli.err(
          `${cli.paint('dim', `${name}: ${counted(found.length, 'hit')} of ${count(table.rows)} rows, ${mode}`)}\n`,
        );
      }
      return 0;
    });
  },
};

async function textsOf(table: TableInput, field: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const block of table.blocks()) {
    for (const row of block) {
      const value = row[field] ?? null;
      texts.push(typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value));
    }
  }
  return texts;
}
