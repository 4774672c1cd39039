import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { listRuns } from '../../engine/record/runs.ts';
import type { Command } from '../command.ts';
import { columns, counted, size } from '../format.ts';
import { packageVersion } from '../package.ts';
import { type OpenProject, withProject } from '../project.ts';

interface Check {
  name: string;
  state: 'ok' | 'warning' | 'error';
  text: string;
  hint?: string;
}

export const command: Command = {
  name: 'doctor',
  summary: 'check the machine, the project and the models',
  description:
    'Checks Node, git, the disk, the store and the models, and says what to do about what is wrong. Exit code 1 if something cannot work.',
  options: [{ flags: '--json', description: 'as JSON on stdout' }],
  examples: [{ line: 'reprise doctor', does: 'when something looks wrong' }],
  async run(_, options, cli) {
    return withProject(cli, cli.cwd, async (project) => {
      const checks = [
        machine(),
        await git(project),
        disk(project),
        store(project),
        runs(project),
        ...(await models(project)),
      ];
      if (options['json']) cli.out(`${JSON.stringify({ checks })}\n`);
      else {
        const marks = {
          ok: cli.paint('green', '✔'),
          warning: cli.paint('yellow', '!'),
          error: cli.paint('red', '✘'),
        };
        cli.out(
          columns(
            checks.map(({ name, state, text, hint }) => [
              `${marks[state]} ${name}`,
              hint ? `${text}\n  → ${hint}` : text,
            ]),
          ),
        );
      }
      return checks.some(({ state }) => state === 'error') ? 1 : 0;
    });
  },
};

function machine(): Check {
  return {
    name: 'machine',
    state: 'ok',
    text: `reprise ${packageVersion()}, node ${process.versions.node}, ${process.platform} ${process.arch}, ${counted(availableParallelism(), 'core')}, ${size(totalmem())} of memory`,
  };
}

async function git({ workspace }: OpenProject): Promise<Check> {
  const { readGit } = await import('../../engine/record/git.ts');
  const digestOf = async (path: string) => (await workspace.files.digestOf(path)).digest;
  const { git, warnings } = await readGit({ root: workspace.root, files: [], digestOf });
  if (git?.commit)
    return {
      name: 'git',
      state: 'ok',
      text: `${git.commit.slice(0, 12)}${git.branch ? ` on ${git.branch}` : ''}${git.dirty ? ', with uncommitted changes' : ''}`,
    };
  return {
    name: 'git',
    state: 'warning',
    text: git === null ? (warnings[0] ?? 'there is no git repository') : 'the repository has no commit yet',
    hint: 'runs work without; with a commit, their records say which code they came from',
  };
}

function disk({ workspace }: OpenProject): Check {
  const { bavail, bsize } = statfsSync(workspace.root);
  const free = bavail * bsize;
  const low = free < 2e9;
  return {
    name: 'disk',
    state: low ? 'warning' : 'ok',
    text: `${size(free)} free`,
    ...(low && { hint: 'make room: reprise cache gc' }),
  };
}

function store({ workspace }: OpenProject): Check {
  const { folder } = workspace.store;
  const place = existsSync(folder) ? folder : workspace.root;
  try {
    accessSync(place, constants.W_OK);
    return { name: 'store', state: 'ok', text: folder };
  } catch {
    return {
      name: 'store',
      state: 'error',
      text: `${place} cannot be written`,
      hint: 'make it writable, or name another folder as `store` in reprise.yaml',
    };
  }
}

function runs({ runsFolder }: OpenProject): Check {
  const { runs, unreadable } = existsSync(runsFolder) ? listRuns(runsFolder) : { runs: [], unreadable: [] };
  return {
    name: 'runs',
    state: unreadable.length > 0 ? 'warning' : 'ok',
    text: `${counted(runs.length, 'run')}${unreadable.length > 0 ? `, ${counted(unreadable.length, 'folder')} without a readable run.json` : ''}`,
    ...(unreadable.length > 0 && { hint: `remove: ${unreadable.slice(0, 3).join(', ')}` }),
  };
}

/** Loads each built-in model's folder and onnxruntime: the two things that a broken installation lacks. */
async function models({ workspace }: OpenProject): Promise<Check[]> {
  const checks = workspace.models.names.map((name): Check => {
    const found = workspace.models.find(name);
    const missing = found?.files.filter((file) => !existsSync(join(found.folder, file))) ?? [];
    return found && missing.length === 0
      ? { name: `model ${name}`, state: 'ok', text: found.folder }
      : {
          name: `model ${name}`,
          state: 'error',
          text: `lacks ${missing.join(', ') || 'its folder'}`,
          hint: 'install the package again',
        };
  });
  try {
    await import('onnxruntime-node');
    return [...checks, { name: 'onnxruntime', state: 'ok', text: 'loads' }];
  } catch (error) {
    return [
      ...checks,
      {
        name: 'onnxruntime',
        state: 'error',
        text: (error as Error).message,
        hint: 'install the package again: npm ci',
      },
    ];
  }
}
