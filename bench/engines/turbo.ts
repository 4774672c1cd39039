import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, filesOf, jobs, outputOf, shellLine, targets } from '../engine.ts';
import { npmFolder, versionOf } from '../version.ts';

const program = join(npmFolder, 'node_modules/.bin/turbo');
const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' };

export const turbo: Engine = {
  name: 'Turborepo',
  note: 'a script of `npm run` for each step; hashes of contents. All steps are tasks of one package; no daemon',
  version: async () => (existsSync(program) ? versionOf(program, ['--version']) : null),
  write({ folder, shape, log }) {
    const scripts: Record<string, string> = {};
    const tasks: Record<string, unknown> = {};
    for (const step of shape.steps) {
      scripts[step.id] = `mkdir -p out && ${shellLine(step, { folder, shape, log })}`;
      tasks[step.id] = {
        dependsOn: step.needs,
        // What other tasks made counts through `dependsOn`. An empty list would stand for every file of the folder.
        inputs: step.source === null ? ['package.json'] : filesOf({ ...step, needs: [] }),
        outputs: [outputOf(step.id)],
      };
    }
    scripts['all'] = 'true';
    tasks['all'] = { dependsOn: targets(shape), inputs: ['package.json'], cache: false };
    const manifest = { name: 'bench', private: true, packageManager: 'npm@11.0.0', scripts };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, null, 1));
    writeFileSync(
      join(folder, 'package-lock.json'),
      JSON.stringify({
        name: 'bench',
        lockfileVersion: 3,
        requires: true,
        packages: { '': { name: 'bench' } },
      }),
    );
    writeFileSync(join(folder, 'turbo.json'), JSON.stringify({ tasks }, null, 1));
    symlinkSync(join(npmFolder, 'node_modules'), join(folder, 'node_modules'));
  },
  run: ({ folder, shape }) => ({
    argv: [
      program,
      'run',
      ...targets(shape),
      `--concurrency=${jobs}`,
      '--output-logs=none',
      '--ui=stream',
      '--no-daemon',
    ],
    cwd: folder,
    env,
  }),
};
