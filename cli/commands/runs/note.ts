import { join } from 'node:path';
import { ProblemError } from '../../../engine/problems.ts';
import { addNote, readNotes } from '../../../engine/record/notes.ts';
import { resolveRun } from '../../../engine/record/runs.ts';
import type { Command } from '../../command.ts';
import { withProject } from '../../project.ts';
import { json, runArgument } from './words.ts';

export const note: Command = {
  name: 'note',
  summary: 'write a note on a run',
  description:
    'Notes are kept in `runs/<id>/notes.ndjson`, beside the record, each with its time. `runs show` prints them.',
  arguments: [runArgument, { name: '<text>', description: 'what is worth knowing, in quotes' }],
  options: [json],
  examples: [{ line: 'reprise runs note latest "77 topics are too many"', does: 'a note on the last run' }],
  async run([run, text], options, cli) {
    return withProject(cli, cli.cwd, async ({ runsFolder }) => {
      const id = resolveRun(runsFolder, run as string);
      const words = (text as string).trim();
      if (words === '') {
        throw ProblemError.of('wrong-call', 'the note is empty', {
          hint: 'write: reprise runs note latest "what is worth knowing"',
        });
      }
      addNote(runsFolder, id, words);
      if (options['json']) cli.out(`${JSON.stringify({ run: id, ...readNotes(join(runsFolder, id)) })}\n`);
      else cli.out(`noted on ${id}\n`);
      return 0;
    });
  },
};
