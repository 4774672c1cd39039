import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, filesOf, jobs, outputOf, shellLine } from '../engine.ts';
import { versionOf } from '../version.ts';

export const make: Engine = {
  name: 'make',
  note: '`cat` in a shell; modification times',
  version: () => versionOf('make', ['--version']),
  write({ folder, shape, log }) {
    const rules = shape.steps.map(
      (step) =>
        `${outputOf(step.id)}: ${filesOf(step).join(' ')} | out\n\t@${shellLine(step, { folder, shape, log })}\n`,
    );
    const all = shape.steps.map(({ id }) => outputOf(id)).join(' ');
    writeFileSync(join(folder, 'Makefile'), `all: ${all}\n\nout:\n\t@mkdir -p out\n\n${rules.join('\n')}`);
  },
  run: ({ folder }) => ({ argv: ['make', '--silent', `-j${jobs}`, 'all'], cwd: folder, env: process.env }),
};
