import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { SimpleGit } from 'simple-git';
import type { Redaction } from './redaction.ts';

/**
 * Paths of the binary files that differ from a commit and hold a secret, in the commit or now. A patch has such a file
 * compressed, the old one and the new: there, no secret would be found to be taken out.
 *
 * @param top absolute path of the repository's top folder, from which the paths are relative
 */
export async function binariesWithSecrets(
  git: SimpleGit,
  top: string,
  commit: string,
  redaction: Redaction,
): Promise<string[]> {
  const words = ['--numstat', '-z', '--no-renames', '--no-ext-diff', '--no-textconv', '--ignore-submodules'];
  const list = await git.raw(['diff', ...words, commit, '--']);
  const found: string[] = [];
  for (const entry of list.split('\0')) {
    // Of a binary file, git counts no lines.
    const path = /^-\t-\t(.+)$/s.exec(entry)?.[1];
    if (path === undefined) continue;
    // It need not be there now, or in the commit.
    const now = await redaction.isIn(createReadStream(join(top, path))).catch(() => false);
    const before = await git.raw(['cat-file', 'blob', `${commit}:${path}`]).catch(() => '');
    if (now || redaction.text(before) !== before) found.push(path);
  }
  return found;
}
