import { ProblemError } from '../../engine/problems.ts';
import { parseAddress } from '../../engine/workflow/address.ts';
import type { Cli, Command, Options } from '../command.ts';
import { columns, count, counted, truncate } from '../format.ts';
import { latestWith } from '../latest-run.ts';
import { openPast } from '../past-artefact.ts';
import { type OpenProject, withProject } from '../project.ts';
import { checkName, type SavedSearch, SavedSearches } from '../saved-searches.ts';
import { type FoundRows, type Mode, searchTable, type TableSearch } from '../table-search.ts';
import { runWords } from './runs/words.ts';

const defaultHead = 10;

export const command: Command = {
  name: 'search',
  summary: 'find rows of what a run made, by words or by meaning',
  description:
    'Ranks the rows of a table by BM25 (keyword), by the cosine of their vectors (semantic), or by both (hybrid), as the step search does. Meaning needs a step embed in the run that made vectors of these rows; without one the search is by words. Of a matrix all combinations are searched, unless the address chooses one. --save keeps a search by name in the searches folder of the store, and --saved runs it again and prints what it had not found before.',
  arguments: [
    { name: '[run]', description: `${runWords}; with --saved another one than it was saved with` },
    { name: '[address]', description: 'step, step.output or step[axis=value].output: a table' },
    { name: '[words]', description: 'what to look for' },
  ],
  options: [
    {
      flags: '--mode <mode>',
      description: 'how (default: hybrid if the rows have vectors, else keyword)',
      choices: ['hybrid', 'semantic', 'keyword'],
    },
    { flags: '--text <field>', description: 'the field that is searched', default: 'text' },
    { flags: '--where <cel>', description: 'only rows for which this is true, such as row.language == "de"' },
    { flags: '--like <id>', description: 'instead of words: what is most like this row' },
    {
      flags: '--min-score <n>',
      description: 'only hits with at least this score: 0.9 of a cosine are near duplicates',
    },
    { flags: '--expand', description: 'add words of the first hits to those looked for, and name them' },
    { flags: '--head <n>', description: `so many rows (default: ${defaultHead})`, atLeast: 1 },
    { flags: '--save <name>', description: 'keep this search, and what it found, by name' },
    { flags: '--saved <name>', description: 'run a kept search again: what is new since the last time' },
    {
      flags: '--json',
      description: 'one JSON document: the rows with rank and score; of a kept search whether they are new',
    },
  ],
  examples: [
    { line: 'reprise search latest unique "lost card"', does: 'by words and meaning' },
    { line: 'reprise search latest unique "lost card" --mode keyword --head 3', does: 'by words only' },
    {
      line: `reprise search latest unique "lost card" --where 'row.date >= "2026"' --expand`,
      does: 'among some of the rows, by more words than these',
    },
    {
      line: 'reprise search latest unique --like q17 --mode semantic --min_score 0.9',
      does: 'the near duplicates of a row',
    },
    { line: 'reprise search latest unique "lost card" --save lost_cards', does: 'keeps the search' },
    { line: 'reprise search --saved lost_cards', does: 'what is new in the latest run' },
  ],
  async run([run, address, words], options, cli) {
    return withProject(cli, cli.cwd, async (project) => {
      const searches = new SavedSearches(project.workspace.store.folder);
      const name = options['saved'] as string | undefined;
      const asked = name === undefined ? newSearch([run, address, words], options) : searches.read(name);
      if (name !== undefined) checkAlone([address, words], options);
      const at = (run as string | undefined) ?? latestOf(asked, project) ?? asked.run;
      const { record, name: where, input } = await openPast(at, asked.address, project);
      if (input.kind !== 'table')
        throw ProblemError.of('wrong-call', `search looks through tables, and ${where} is a ${input.kind}`, {
          hint: 'name an output that is a table',
        });
      const found = await searchTable(input, where, asked.search, record, project);
      const ids = found.hits.map(({ row }) => row.id);
      const seen = name === undefined ? null : new Set(asked.seen);
      const kept = name ?? (options['save'] as string | undefined);
      if (options['json']) {
        const hits = found.hits.map(({ score, row }, place) => ({
          rank: place + 1,
          score,
          ...(seen && { new: !seen.has(row.id) }),
          row,
        }));
        const added = asked.search.expand ? { added: found.added } : {};
        const saved = kept === undefined ? {} : { saved: kept };
        cli.out(
          `${JSON.stringify({ run: record.id, address: where, mode: found.mode, ...saved, ...added, hits })}\n`,
        );
      } else print(found, seen, `${where}: `, input.rows, cli);
      // Only what has been shown counts as seen.
      if (kept !== undefined) {
        const workflow = asked.workflow ?? record.summary.workflow;
        searches.write(kept, { ...asked, workflow, seen: [...new Set([...asked.seen, ...ids])] });
      }
      return 0;
    });
  },
};

/** A search as it was typed. */
function newSearch([run, address, words]: readonly unknown[], options: Options): SavedSearch {
  const like = (options['like'] as string | undefined) ?? null;
  if (typeof run !== 'string' || typeof address !== 'string' || (words === undefined) === (like === null))
    throw ProblemError.of(
      'wrong-call',
      words !== undefined && like !== null
        ? 'there are words to look for and --like'
        : 'search needs a run, an address and words',
      { hint: 'write reprise search latest unique "lost card", or --like ID instead of the words' },
    );
  if (options['save'] !== undefined) checkName(options['save'] as string);
  const search: TableSearch = {
    words: (words as string | undefined) ?? null,
    like,
    mode: (options['mode'] as Mode | undefined) ?? null,
    field: options['text'] as string,
    where: (options['where'] as string | undefined) ?? null,
    expand: options['expand'] === true,
    minScore: leastScore(options['minScore'] as string | undefined),
    head: (options['head'] as number | undefined) ?? defaultHead,
  };
  return { run, workflow: null, address, search, seen: [] };
}

/** The run that a kept search means by `latest`. */
function latestOf({ run, workflow, address }: SavedSearch, { runsFolder }: OpenProject): string | undefined {
  const parsed = parseAddress(address);
  if (workflow === null || 'error' in parsed) return undefined;
  return latestWith(run, parsed, { runsFolder, workflow })?.id;
}

function leastScore(text: string | undefined): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw ProblemError.of('wrong-call', `--min_score cannot be "${text}"`, {
    hint: 'it needs a number, such as 0.9',
  });
}

/** A kept search says all but the run itself. */
function checkAlone([address, words]: readonly unknown[], options: Options): void {
  const given = ['mode', 'where', 'like', 'minScore', 'head', 'save'].find(
    (name) => options[name] !== undefined,
  );
  if (address === undefined && words === undefined && given === undefined && options['expand'] !== true)
    return;
  throw ProblemError.of('wrong-call', '--saved runs a search as it was saved', {
    hint: 'leave the rest out, or save another search with --save',
  });
}

function print(
  found: FoundRows,
  seen: ReadonlySet<string> | null,
  name: string,
  rows: number,
  cli: Cli,
): void {
  const shown = found.hits
    .map((hit, place) => ({ ...hit, rank: place + 1 }))
    .filter(({ row }) => !seen?.has(row.id));
  const lines = shown.map(({ rank, score, row, text }) => [
    String(rank),
    score.toFixed(3),
    row.id,
    truncate(text.replace(/\s+/g, ' '), Math.max(20, cli.columns - 30)),
  ]);
  if (lines.length > 0) cli.out(columns(lines));
  const added = found.added.length > 0 ? `; also looked for: ${found.added.join(', ')}` : '';
  const left = found.searched < rows ? ` (${count(found.searched)} searched)` : '';
  const hits = counted(found.hits.length, 'hit');
  const told = seen === null ? hits : `${count(shown.length)} new of ${hits}`;
  cli.err(`${cli.paint('dim', `${name}${told} of ${count(rows)} rows${left}, ${found.mode}${added}`)}\n`);
}
