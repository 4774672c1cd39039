import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ProblemError } from '../../engine/problems.ts';
import type { RunRecord } from '../../engine/record/record.ts';
import { readRun, resolveRun } from '../../engine/record/runs.ts';
import type { Cli, Command } from '../command.ts';
import { findArtefact } from '../past-artefact.ts';
import { type OpenProject, withProject } from '../project.ts';
import { runWords } from './runs/words.ts';

export const command: Command = {
  name: 'lineage',
  summary: 'what is behind an output or a row, and what was made from it',
  description: `Prints the steps, files (by digest) and models behind an output as a tree, through earlier runs too; the later
steps that read it; and other runs with the same content. With a row id the tree says which rows of each input are behind that row.
A step keeps ids; else rows are followed by \`parent_id\`, by \`<id>@axis=value\` of a gathered matrix, by \`dup_of\` and by \`cluster\`.
Where that leads nowhere, it says so. \`--openlineage\` prints the run's events in the format of OpenLineage 2-0-2, one a line: of the output and
the steps behind it, or of the whole run if no output is named.`,
  arguments: [
    { name: '<run>', description: runWords },
    { name: '[address]', description: 'step, step.output or step[axis=value].output' },
    { name: '[row-id]', description: 'follow this row' },
  ],
  options: [
    { flags: '--openlineage', description: 'as OpenLineage events, one a line' },
    {
      flags: '--namespace <name>',
      description: 'namespace of jobs and outputs in these events',
      default: 'reprise',
    },
    { flags: '--json', description: 'as JSON on stdout' },
  ],
  examples: [
    { line: 'reprise lineage latest topics', does: 'what this table was made from' },
    { line: 'reprise lineage latest names 3', does: 'which rows the third cluster has, back to the file' },
    { line: 'reprise lineage latest --openlineage > events.ndjson', does: 'the run for Marquez or DataHub' },
  ],
  async run([run, address, row], options, cli) {
    return withProject(cli, cli.cwd, async (project) => {
      const { runsFolder } = project;
      const recordOf = recordsOf(runsFolder);
      if (address === undefined) {
        if (!options['openlineage']) {
          throw ProblemError.of('wrong-call', 'lineage needs the address of an output', {
            hint: 'write: reprise lineage latest <step>, or add --openlineage for the whole run',
          });
        }
        const record = readRun(runsFolder, resolveRun(runsFolder, run as string));
        await printEvents(record, undefined, recordOf, options['namespace'] as string, project, cli);
        return 0;
      }
      const { record, step, output, artefact } = findArtefact(run as string, address as string, project);
      const { lineageOf } = await import('../../engine/record/lineage/lineage.ts');
      const lineage = await lineageOf({
        record,
        step: step.id,
        output,
        row: (row as string | undefined) ?? null,
        store: project.workspace.store,
        recordOf,
      });
      if (options['openlineage']) {
        const { stepsIn } = await import('../../engine/record/lineage/lineage.ts');
        const only = stepsIn(lineage.upstream, record.id);
        await printEvents(record, only, recordOf, options['namespace'] as string, project, cli);
        return 0;
      }
      const { otherUses } = await import('../../engine/record/lineage/elsewhere.ts');
      // All empty tables have the same content, which says nothing.
      const isEmpty = artefact.kind !== 'files' && artefact.rows === 0;
      const elsewhere = isEmpty ? [] : otherUses(runsFolder, record.id, artefact.digest);
      if (options['json'])
        cli.out(
          `${JSON.stringify({ run: record.id, address: `${step.id}.${output}`, row: row ?? null, ...lineage, elsewhere })}\n`,
        );
      else {
        const { shownLineage } = await import('../shown-lineage.ts');
        cli.out(shownLineage(lineage, elsewhere, cli));
      }
      return 0;
    });
  },
};

/** Records by run id, each read once; undefined for a run that is gone. */
function recordsOf(runsFolder: string): (run: string) => RunRecord | undefined {
  const known = new Map<string, RunRecord | undefined>();
  return (run) => {
    if (!known.has(run))
      known.set(run, existsSync(join(runsFolder, run, 'run.json')) ? readRun(runsFolder, run) : undefined);
    return known.get(run);
  };
}

async function printEvents(
  record: RunRecord,
  only: ReadonlySet<string> | undefined,
  recordOf: (run: string) => RunRecord | undefined,
  namespace: string,
  { runsFolder }: OpenProject,
  cli: Cli,
): Promise<void> {
  const { finishTimes, openLineageEvents } = await import('../../engine/record/lineage/openlineage.ts');
  const { readEvents } = await import('../../engine/record/event-log.ts');
  const path = join(runsFolder, record.id, 'events.ndjson');
  const finished = finishTimes(existsSync(path) ? readEvents(path) : []);
  const events = openLineageEvents(record, { namespace, finished, recordOf, ...(only && { only }) });
  cli.out(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
}
