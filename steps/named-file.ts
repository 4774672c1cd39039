import { readFile } from 'node:fs/promises';
import { StepError } from '../engine/problems.ts';
import type { StepContext } from '../engine/step.ts';

/**
 * The text of the file that a parameter names, without a byte order mark. `holds`: what should be in it, such as `a query in SQL`.
 * Throws `no-file` if there is none, `unreadable-file` if it cannot be read.
 */
export async function readNamedFile(
  path: string,
  holds: string,
  context: Pick<StepContext, 'files'>,
): Promise<string> {
  const [file] = context.files(path);
  const text =
    file === undefined
      ? undefined
      : await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
          throw new StepError(
            'unreadable-file',
            `${path} cannot be read: ${error.message}`,
            'Check its permissions.',
          );
        });
  if (text === undefined)
    throw new StepError('no-file', `there is no file ${path}`, `It should hold ${holds}.`);
  return text.replace(/^\ufeff/, '');
}
