import { ProblemError } from '../../engine/problems.ts';
import type { Cli, Command } from '../command.ts';
import { counted } from '../format.ts';
import { paramOption } from '../param-option.ts';
import { profileOption } from '../profile-option.ts';
import { folderOf, readWorkflowFile, withProject } from '../project.ts';
import { renderProblems } from '../render-problems.ts';

export const command: Command = {
  name: 'validate',
  summary: 'check workflow files: all problems at once, each with its place',
  description:
    'Checks workflow files without running anything. Every problem is shown with file:line:col, a stable code, the line, and what to write instead. Exit code 2 if there is any error.',
  arguments: [{ name: '<file...>', description: 'the workflows' }],
  options: [paramOption, profileOption, { flags: '--json', description: 'problems as JSON on stdout' }],
  examples: [{ line: 'reprise validate workflows/*.yaml', does: 'check several files' }],
  async run([files], options, cli) {
    const results = [];
    for (const file of files as string[])
      results.push(await check(file, options['param'] as string[], options['profile'] as string[], cli));
    if (options['json']) cli.out(`${JSON.stringify({ files: results })}\n`);
    else {
      for (const { file, steps, problems } of results) {
        if (problems.length > 0) cli.err(renderProblems(problems, cli));
        if (steps !== null) cli.out(`${cli.paint('green', '✔')} ${file}: ${counted(steps, 'step')}\n`);
      }
    }
    return results.some(({ steps }) => steps === null) ? 2 : 0;
  },
};

/** `steps` is null if the file has errors. */
async function check(file: string, params: readonly string[], profiles: readonly string[], cli: Cli) {
  try {
    return await withProject(cli, folderOf(file, cli), async (project) => {
      const workflow = await readWorkflowFile(file, params, project, cli, profiles);
      return { file, steps: workflow.steps.length, problems: workflow.warnings };
    });
  } catch (error) {
    if (error instanceof ProblemError) return { file, steps: null, problems: error.problems };
    throw error;
  }
}
