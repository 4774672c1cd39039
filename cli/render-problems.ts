import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Problem } from '../engine/problems.ts';
import { renderProblems as render } from '../engine/workflow/render.ts';
import type { Cli } from './command.ts';

/** Problems as the terminal shows them, with their source lines, ending with a count when there are several. */
export function renderProblems(problems: readonly Problem[], cli: Cli, { run = false } = {}): string {
  const text = render(problems, (file) => sourceOf(file, cli.cwd), {
    color: cli.paint('red', 'x') !== 'x',
    width: cli.columns,
  });
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  return `${text}\n${errors > 1 ? `\n${errors} problems${run ? '' : '; nothing was run'}\n` : ''}`;
}

function sourceOf(file: string, cwd: string): string | undefined {
  try {
    return readFileSync(resolve(cwd, file), 'utf8');
  } catch {
    // The file may be gone by now; the problem is shown without its line.
    return undefined;
  }
}
