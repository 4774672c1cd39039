import { join } from 'node:path';
import type { Command } from '../command.ts';
import { graphOfWorkflow } from '../graph/of-steps.ts';
import { paramOption } from '../param-option.ts';
import { profileOption } from '../profile-option.ts';
import { folderOf, readWorkflowFile, withProject } from '../project.ts';

export const command: Command = {
  name: 'graph',
  summary: 'draw the steps and what flows between them',
  arguments: [{ name: '<file>', description: 'the workflow' }],
  options: [
    {
      flags: '--format <format>',
      description: 'how',
      choices: ['mermaid', 'dot', 'svg'],
      default: 'mermaid',
    },
    paramOption,
    profileOption,
  ],
  examples: [
    { line: 'reprise graph pipeline.yaml', does: 'Mermaid, for a README' },
    { line: 'reprise graph pipeline.yaml --format svg > graph.svg', does: 'a picture' },
  ],
  async run([file], options, cli) {
    return withProject(cli, folderOf(file as string, cli), async (project) => {
      const graph = graphOfWorkflow(
        await readWorkflowFile(
          file as string,
          options['param'] as string[],
          project,
          cli,
          options['profile'] as string[],
        ),
      );
      const text =
        options['format'] === 'svg'
          ? await (await import('../graph/svg.ts')).toSvg(graph, {
              layouts: (await import('../graph/layout-cache.ts')).folderLayouts(
                join(project.workspace.store.folder, 'cache', 'layouts'),
              ),
            })
          : options['format'] === 'dot'
            ? (await import('../graph/dot.ts')).toDot(graph)
            : (await import('../graph/mermaid.ts')).toMermaid(graph);
      cli.out(text.endsWith('\n') ? text : `${text}\n`);
      return 0;
    });
  },
};
