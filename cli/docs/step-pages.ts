import type { AnyStepType } from '../../engine/step.ts';
import { parameterRows } from '../parameter-rows.ts';
import { generatedNote, table } from './markdown.ts';

/** The page of one step type: everything that its definition says. */
export function stepPage(type: AnyStepType): string {
  const parts = [
    generatedNote(`steps/${type.type}/index.ts`),
    `# ${type.type}\n\n${type.summary}.\n`,
    fenced(type.example),
  ];
  if (type.description) parts.push(`\n${type.description.trim()}\n`);
  const parameters = parameterRows(type.parameters).map(({ name, type: kind, description }) => [
    `\`${name}\``,
    kind,
    description,
  ]);
  if (parameters.length > 0) parts.push('\n## Parameters\n\n', table(['name', 'value', 'what'], parameters));
  if (type.inputs === 'any')
    parts.push('\n## Inputs\n\nAny outputs of other steps, under names of your own.\n');
  else if (Object.keys(type.inputs).length > 0) parts.push('\n## Inputs\n\n', artefacts(type.inputs));
  parts.push('\n## Outputs\n\n');
  if (type.type === 'exec') parts.push('What the parameter `outputs` says.\n');
  else parts.push(artefacts(type.outputs, type.kind === 'rows'));
  if (type.metrics) {
    const rows = Object.entries(type.metrics).map(([name, text]) => [`\`${name}\``, text]);
    parts.push('\n## Metrics\n\n', table(['name', 'what'], rows));
  }
  return parts.join('');
}

/** The overview of all step types. */
export function stepsPage(types: readonly AnyStepType[]): string {
  const rows = types.map(({ type, summary }) => [`[\`${type}\`](steps/${type}.md)`, `${summary}.`]);
  return [
    generatedNote('the definitions in steps/'),
    '# Step types\n\n',
    'The same on the command line: `reprise steps`, `reprise steps <type>`. ',
    'Your own ones: [writing-a-step.md](writing-a-step.md). ',
    'What every step may say besides `with`: [workflow.md](workflow.md).\n\n',
    table(['type', 'does'], rows),
  ].join('');
}

function artefacts(
  specs: { readonly [name: string]: { kind: string; description: string; optional?: boolean } },
  mayFail = false,
): string {
  const rows = Object.entries(specs).map(([name, { kind, description, optional }]) => [
    `\`${name}\``,
    `${kind}${optional ? ', optional' : ''}`,
    description,
  ]);
  if (mayFail) rows.push(['`failed`', 'table', 'Rows that failed, with the reason.']);
  return table(['name', 'kind', 'what'], rows);
}

function fenced(example: string): string {
  return `\n\`\`\`yaml\n${example.trim()}\n\`\`\`\n`;
}
