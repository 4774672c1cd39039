import { ProblemError } from '../../../engine/problems.ts';
import { tagRun, untagRun } from '../../../engine/record/notes.ts';
import { resolveRun } from '../../../engine/record/runs.ts';
import type { Command } from '../../command.ts';
import { withProject } from '../../project.ts';
import { json, runWords } from './words.ts';

export const tag: Command = {
  name: 'tag',
  summary: 'give a run a name of your own',
  description:
    'A tag names one run, wherever a `<run>` is asked for; a tag that another run has moves to this one. It is kept in `runs/<id>/notes.ndjson`, beside the record, and goes where the folder goes.',
  arguments: [
    { name: '[run]', description: runWords },
    { name: '[name]', description: 'the tag: a letter, then letters, digits, "_", "-" and "."' },
  ],
  options: [{ flags: '--delete <name>', description: 'take this tag away, from whichever run has it' }, json],
  examples: [
    { line: 'reprise runs tag latest baseline', does: 'the last run is now baseline' },
    { line: 'reprise runs diff baseline latest', does: 'what changed since' },
    { line: 'reprise runs tag --delete baseline', does: 'and now no run is' },
  ],
  async run([run, name], options, cli) {
    return withProject(cli, cli.cwd, async ({ runsFolder }) => {
      const gone = options['delete'] as string | undefined;
      if (gone === undefined ? name === undefined : run !== undefined) {
        throw ProblemError.of('wrong-call', 'runs tag needs a run and a name, or --delete and a name', {
          hint: 'write: reprise runs tag latest baseline, or reprise runs tag --delete baseline',
        });
      }
      if (gone !== undefined) {
        const had = untagRun(runsFolder, gone);
        cli.out(
          options['json']
            ? `${JSON.stringify({ tag: gone, run: null, before: had })}\n`
            : `${gone} was ${had}\n`,
        );
        return 0;
      }
      const id = resolveRun(runsFolder, run as string);
      const before = tagRun(runsFolder, id, name as string);
      cli.out(
        options['json']
          ? `${JSON.stringify({ tag: name, run: id, before })}\n`
          : `${name} is ${id}${before === null ? '' : `; it was ${before}`}\n`,
      );
      return 0;
    });
  },
};
