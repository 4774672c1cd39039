import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, filesOf, outputOf, type Project, shellLine } from '../engine.ts';
import { measure } from '../measure.ts';
import { pythonProgram, versionOf } from '../version.ts';

const program = pythonProgram('dvc');
const env = { ...process.env, DVC_NO_ANALYTICS: '1' };

export const dvc: Engine = {
  name: 'DVC',
  note: '`cat` in a shell, one at a time (it has no parallel repro); MD5 of contents, stat cache',
  version: () => versionOf(program, ['--version']),
  write({ folder, shape, log }) {
    const stages: Record<string, unknown> = {};
    for (const step of shape.steps) {
      stages[step.id] = {
        cmd: `mkdir -p out && ${shellLine(step, { folder, shape, log })}`,
        deps: filesOf(step),
        outs: [outputOf(step.id)],
      };
    }
    // JSON is YAML.
    writeFileSync(join(folder, 'dvc.yaml'), JSON.stringify({ stages }, null, 1));
  },
  async prepare({ folder }: Project) {
    await measure({ argv: [program, 'init', '--no-scm', '--quiet'], cwd: folder, env });
  },
  run: ({ folder }) => ({ argv: [program, 'repro', '--quiet'], cwd: folder, env }),
};
