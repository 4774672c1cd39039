import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, jobs, type Project } from '../engine.ts';
import { installed } from '../installed.ts';
import { versionOf } from '../version.ts';

function writeWorkflow(
  { folder, shape }: Project,
  stepOf: (step: Project['shape']['steps'][number]) => object,
) {
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  const steps = Object.fromEntries(shape.steps.map((step) => [step.id, stepOf(step)]));
  // JSON is YAML.
  writeFileSync(join(folder, 'pipeline.yaml'), JSON.stringify({ name: shape.name, steps }, null, 1));
}

const run = ({ folder }: Project) => ({
  argv: [process.execPath, installed.program, 'run', 'pipeline.yaml', '--jobs', String(jobs)],
  cwd: folder,
  env: process.env,
});

const from = (needs: string[]) =>
  needs.length > 0 ? { from: Object.fromEntries(needs.map((id) => [id, id])) } : {};

export const repriseExec: Engine = {
  name: 'Reprise, exec',
  note: `\`cat\` in a shell (step type \`exec\`); SHA-256 of contents, stat cache; ${installed.what}`,
  version: () => versionOf(process.execPath, [installed.program, '--version']),
  write(project) {
    writeWorkflow(project, ({ id, source, needs }) => {
      const files = [
        ...(source === null ? [] : [`src/${source}`]),
        ...needs.map((need) => `$REPRISE_INPUT_${need.toUpperCase()}/out.txt`),
      ];
      return {
        use: 'exec',
        ...from(needs),
        with: {
          run: `cat ${files.join(' ')} > out.txt && echo ${id} >> ${project.log}`,
          ...(source === null ? {} : { deps: [`src/${source}`] }),
          outputs: { text: 'out.txt' },
        },
      };
    });
  },
  run,
};

export const repriseModule: Engine = {
  name: 'Reprise, module',
  note: `a TypeScript step file, in process; SHA-256 of contents, stat cache; ${installed.what}`,
  version: () => versionOf(process.execPath, [installed.program, '--version']),
  write(project) {
    writeFileSync(
      join(project.folder, 'concatenate.ts'),
      `import { appendFileSync, readFileSync } from 'node:fs';
import { anyInputs, defineStep, type FilesInput } from 'reprise';

export default defineStep({
  type: 'concatenate',
  summary: 'Concatenates files',
  parameters: {
    type: 'object',
    additionalProperties: false,
    required: ['id'],
    properties: {
      id: { type: 'string', description: 'Goes to the log of executed steps.' },
      source: { type: 'string', 'x-reprise': 'input-path', description: 'A file to begin with.' },
    },
  },
  inputs: anyInputs,
  outputs: { text: { kind: 'files', description: 'All texts, in one file.' } },
  example: '',
  async run({ parameters, inputs, outputs, context }) {
    const parts: Uint8Array[] = parameters.source ? context.files(parameters.source).map((file) => readFileSync(file)) : [];
    for (const { outputs } of Object.values(inputs)) parts.push(await (outputs.text as FilesInput).read('out.txt'));
    await outputs.text.write('out.txt', Buffer.concat(parts));
    appendFileSync(${JSON.stringify(project.log)}, \`\${parameters.id}\\n\`);
  },
});
`,
    );
    writeWorkflow(project, ({ id, source, needs }) => ({
      use: './concatenate.ts',
      ...from(needs),
      with: { id, ...(source === null ? {} : { source: `src/${source}` }) },
    }));
  },
  run,
};
