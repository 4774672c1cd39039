import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, filesOf, jobs, outputOf } from '../engine.ts';
import { pythonProgram, versionOf } from '../version.ts';

const program = pythonProgram('snakemake');

export const snakemake: Engine = {
  name: 'Snakemake',
  note: '`cat` in a shell; modification times and checksums, code, parameters',
  version: () => versionOf(program, ['--version']),
  write({ folder, shape, log }) {
    const quoted = (files: string[]) => files.map((file) => JSON.stringify(file)).join(', ');
    const rules = shape.steps.map(
      (step) =>
        `rule ${step.id}:\n    input: ${quoted(filesOf(step))}\n    output: ${JSON.stringify(outputOf(step.id))}\n` +
        `    shell: "cat {input} > {output} && echo ${step.id} >> ${log}"\n`,
    );
    const all = quoted(shape.steps.map(({ id }) => outputOf(id)));
    writeFileSync(join(folder, 'Snakefile'), `rule all:\n    input: ${all}\n\n${rules.join('\n')}`);
  },
  run: ({ folder }) => ({
    argv: [program, '--cores', String(jobs), '--quiet', 'all'],
    cwd: folder,
    env: process.env,
  }),
};
