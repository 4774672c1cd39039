import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, filesOf, jobs, outputOf, shellLine, targets } from '../engine.ts';
import { npmFolder, versionOf } from '../version.ts';

const program = join(npmFolder, 'node_modules/.bin/wireit');

export const wireit: Engine = {
  name: 'wireit',
  note: '`cat` in a shell; SHA-256 of contents. Started as `npm run` would start it, without npm itself',
  version: () =>
    versionOf(process.execPath, [
      '-p',
      `require(${JSON.stringify(join(npmFolder, 'node_modules/wireit/package.json'))}).version`,
    ]),
  write({ folder, shape, log }) {
    const scripts: Record<string, string> = { all: 'wireit' };
    const wireit: Record<string, unknown> = { all: { dependencies: targets(shape) } };
    for (const step of shape.steps) {
      scripts[step.id] = 'wireit';
      wireit[step.id] = {
        command: `mkdir -p out && ${shellLine(step, { folder, shape, log })}`,
        dependencies: step.needs,
        files: filesOf({ ...step, needs: [] }),
        output: [outputOf(step.id)],
      };
    }
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'bench', scripts, wireit }, null, 1));
    symlinkSync(join(npmFolder, 'node_modules'), join(folder, 'node_modules'));
  },
  run: ({ folder }) => ({
    argv: [process.execPath, program],
    cwd: folder,
    env: {
      ...process.env,
      WIREIT_PARALLEL: String(jobs),
      WIREIT_LOGGER: 'quiet',
      npm_lifecycle_event: 'all',
      npm_package_json: join(folder, 'package.json'),
      npm_config_user_agent: 'npm/11.0.0 node/v24.0.0 linux x64 workspaces/false',
      npm_execpath: 'npm',
    },
  }),
};
