import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { ProblemError } from '../../engine/problems.ts';
import type { Command } from '../command.ts';
import { packageRoot } from '../package.ts';

/** Folders beside this file's package: what `--template` names. */
const templatesFolder = join(packageRoot, 'cli', 'templates');

export const command: Command = {
  name: 'init',
  summary: 'a working project to start from',
  description:
    'Writes a small project that runs as it is. Files that are there already are never written over.',
  arguments: [{ name: '[dir]', description: 'its folder (default: the current one)' }],
  options: [
    {
      flags: '--template <name>',
      description: 'what to start from',
      choices: ['topics', 'step'],
      default: 'topics',
    },
  ],
  examples: [
    { line: 'reprise init my-project', does: 'rows in a file, deduplicated, embedded, clustered, named' },
    { line: 'reprise init --template step', does: 'a step of your own in TypeScript, used by a workflow' },
  ],
  async run([dir], options, cli) {
    const target = resolve(cli.cwd, (dir as string | undefined) ?? '.');
    const template = join(templatesFolder, options['template'] as string);
    const files = readdirSync(template, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(template, join(entry.parentPath, entry.name)));
    const there = files.map(targetName).find((file) => existsSync(join(target, file)));
    if (there !== undefined) {
      throw ProblemError.of(
        'file-exists',
        `${relative(cli.cwd, join(target, there)) || there} is there already; nothing was written`,
        {
          hint: 'choose another folder: reprise init <dir>',
        },
      );
    }
    const file = notAFolder(target, files.map(targetName));
    if (file !== null) {
      throw ProblemError.of(
        'file-exists',
        `${relative(cli.cwd, file) || file} is there already, and is not a folder; nothing was written`,
        { hint: 'choose another folder: reprise init <dir>' },
      );
    }
    for (const file of files) {
      const path = join(target, targetName(file));
      mkdirSync(join(path, '..'), { recursive: true });
      cpSync(join(template, file), path);
    }
    // An ignore list that is there is added to, not replaced.
    const ignore = join(target, '.gitignore');
    const wanted = ['.reprise/', 'runs/'];
    const present = existsSync(ignore) ? readFileSync(ignore, 'utf8') : '';
    const missing = wanted.filter((line) => !present.split(/\r?\n/).includes(line));
    if (missing.length > 0) {
      writeFileSync(
        `${ignore}.tmp`,
        `${present}${present === '' || present.endsWith('\n') ? '' : '\n'}${missing.join('\n')}\n`,
      );
      renameSync(`${ignore}.tmp`, ignore);
    }
    const folder = relative(cli.cwd, target);
    cli.out(`wrote ${files.map(targetName).join(', ')}\n`);
    cli.out(`\nnext:\n${folder === '' ? '' : `  cd ${folder}\n`}  reprise run pipeline.yaml\n`);
    return 0;
  },
};

/** A file where one of the folders would be: the target, a folder above it, or one in it. */
function notAFolder(target: string, files: readonly string[]): string | null {
  const folders = new Set(files.map((file) => dirname(join(target, file))));
  for (let up = target; ; up = dirname(up)) {
    folders.add(up);
    if (up === dirname(up)) break;
  }
  for (const folder of folders) if (statSync(folder, { throwIfNoEntry: false })?.isFile()) return folder;
  return null;
}

/** npm leaves files with some names out of a package: they are kept under another one. */
function targetName(file: string): string {
  return file.replace(/(^|[/\\])_/, '$1');
}
