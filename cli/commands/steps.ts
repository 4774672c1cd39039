import { nearest } from '../../engine/nearest.ts';
import { ProblemError } from '../../engine/problems.ts';
import type { AnyStepType } from '../../engine/step.ts';
import { createStepRegistry } from '../../steps/registry.ts';
import type { Cli, Command } from '../command.ts';
import { columns } from '../format.ts';
import { parameterRows } from '../parameter-rows.ts';
import { terminalProse, wrap } from '../prose.ts';

export const command: Command = {
  name: 'steps',
  summary: 'the step types: parameters, inputs, outputs, an example',
  arguments: [{ name: '[type]', description: 'one of them' }],
  options: [{ flags: '--json', description: 'as JSON on stdout' }],
  examples: [
    { line: 'reprise steps', does: 'what there is' },
    { line: 'reprise steps cluster', does: 'everything about one' },
  ],
  async run([name], options, cli) {
    const registry = createStepRegistry(cli.cwd);
    if (name === undefined) {
      const types = await Promise.all(registry.names.map((use) => registry.find(use)!.load()));
      if (options['json']) cli.out(`${JSON.stringify(types.map(described))}\n`);
      else cli.out(columns(types.map(({ type, summary }) => [`  ${cli.paint('bold', type)}`, summary])));
      return 0;
    }
    const source = registry.find(name as string);
    if (source === undefined) {
      const near = nearest(name as string, registry.names);
      throw ProblemError.of('unknown-step-type', `there is no step type "${name}"`, {
        hint: near ? `did you mean "${near}"?` : `there are: ${registry.names.join(', ')}`,
      });
    }
    const type = await source.load();
    cli.out(options['json'] ? `${JSON.stringify(described(type))}\n` : shown(type, cli));
    return 0;
  },
};

function described(type: AnyStepType) {
  const { type: name, summary, description, parameters, inputs, outputs, metrics, example } = type;
  return { type: name, summary, description, parameters, inputs, outputs, metrics, example };
}

/** Columns of prose, at most: longer lines are hard to read. */
const proseColumns = 100;

function shown(type: AnyStepType, { paint, columns: room }: Cli): string {
  const width = Math.min(room, proseColumns);
  const title = (text: string) => `\n${paint('bold', text)}\n`;
  const entry = (head: string, text: string) => `  ${head}\n      ${wrap(text, width - 6, '      ')}\n`;
  const specs = (list: object) =>
    Object.entries(list)
      .map(([name, spec]) =>
        entry(
          `${name}  ${paint('dim', `${spec.kind}${spec.optional ? ', optional' : ''}`)}`,
          spec.description,
        ),
      )
      .join('');
  const parts = [`${paint('bold', type.type)}  ${type.summary}\n`];
  if (type.description)
    parts.push(`\n${terminalProse(type.description, width, (text) => paint('bold', text))}\n`);
  const parameters = parameterRows(type.parameters);
  if (parameters.length > 0) {
    parts.push(
      title('with'),
      ...parameters.map(({ name, type: kind, description }) =>
        entry(`${name}  ${paint('dim', kind)}`, description),
      ),
    );
  }
  if (type.inputs === 'any')
    parts.push(title('inputs'), '  any outputs of other steps, under names of your own\n');
  else if (Object.keys(type.inputs).length > 0) parts.push(title('inputs'), specs(type.inputs));
  parts.push(title('outputs'), type.type === 'exec' ? '  as `outputs` says\n' : specs(outputsOf(type)));
  if (type.metrics) {
    parts.push(
      title('metrics'),
      columns(Object.entries(type.metrics).map(([name, text]) => [`  ${name}`, text])),
    );
  }
  parts.push(title('example'), `${type.example.replace(/^/gm, '  ')}\n`);
  return parts.join('');
}

/** Outputs as they are declared, with the one that every step over single rows has. */
function outputsOf(type: AnyStepType): object {
  if (type.kind !== 'rows') return type.outputs;
  return { ...type.outputs, failed: { kind: 'table', description: 'Rows that failed, with the reason.' } };
}
