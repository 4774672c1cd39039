import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, filesOf, jobs, outputOf } from '../engine.ts';
import { versionOf } from '../version.ts';

export const ninja: Engine = {
  name: 'ninja',
  note: '`cat` in a shell; modification times',
  version: () => versionOf('ninja', ['--version']),
  write({ folder, shape, log }) {
    const rule = `rule cat\n  command = cat $in > $out && echo $id >> ${log}\n`;
    const builds = shape.steps.map(
      (step) => `build ${outputOf(step.id)}: cat ${filesOf(step).join(' ')}\n  id = ${step.id}\n`,
    );
    writeFileSync(join(folder, 'build.ninja'), `${rule}\n${builds.join('')}`);
  },
  run: ({ folder }) => ({ argv: ['ninja', '--quiet', '-j', String(jobs)], cwd: folder, env: process.env }),
};
