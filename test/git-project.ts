import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** git in a folder, without the settings of this machine. */
export function git(folder: string, ...words: string[]): string {
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', ['-c', 'init.defaultBranch=main', ...identity, ...words], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: folder, GIT_CONFIG_NOSYSTEM: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Commits everything in a folder. */
export function commitAll(folder: string, message = 'all'): void {
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '--allow-empty', '-m', message);
}

/**
 * Everything in a folder but the caches, as one digest by path: files with their bytes and modes, links with where they
 * lead. `.git` is among it.
 */
export function snapshot(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = (path: string) => {
    for (const name of readdirSync(join(folder, path)).sort()) {
      const inside = path === '' ? name : `${path}/${name}`;
      if (/(^|\/)\.reprise\/(cache|objects\/tmp)$/.test(inside)) continue;
      const stat = lstatSync(join(folder, inside));
      if (stat.isDirectory()) visit(inside);
      else if (stat.isSymbolicLink()) found[inside] = `→ ${readlinkSync(join(folder, inside))}`;
      else
        found[inside] = `${stat.mode.toString(8)} ${createHash('sha256')
          .update(readFileSync(join(folder, inside)))
          .digest('hex')}`;
    }
  };
  visit('');
  return found;
}
