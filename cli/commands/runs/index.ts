import type { Command } from '../../command.ts';
import { cost } from './cost.ts';
import { diff } from './diff.ts';
import { exportRun } from './export.ts';
import { importRun } from './import.ts';
import { list } from './list.ts';
import { note } from './note.ts';
import { rm } from './rm.ts';
import { show } from './show.ts';
import { tag } from './tag.ts';

export const command: Command = {
  name: 'runs',
  summary: 'the history: list, show, diff, cost, tag, note, export, import, rm',
  commands: [list, show, diff, cost, tag, note, exportRun, importRun, rm],
  default: 'list',
  examples: [
    { line: 'reprise runs', does: 'list the runs' },
    { line: 'reprise runs show latest', does: 'one of them' },
    { line: 'reprise runs diff latest~1', does: 'what changed since the run before' },
    { line: 'reprise runs cost', does: 'what language models cost, by workflow' },
    { line: 'reprise runs export latest -o run.tgz', does: 'take it to another machine' },
  ],
};
