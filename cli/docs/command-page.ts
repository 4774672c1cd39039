import type { Command, Option } from '../command.ts';
import { sentence } from '../help.ts';
import { generatedNote, table } from './markdown.ts';

const preface = `# Commands

\`reprise <command>\`. Every command has \`--help\`; flags may be written with dashes or underscores
(\`--keep-going\`, \`--keep_going\`).
Results go to stdout, everything else (progress, problems, hints) to stderr; colours only to a terminal, and never with
\`NO_COLOR\`. With \`--json\` stdout is one JSON document, also when the call is wrong: \`{"problems": […]}\`.

**\`<run>\`** is a run id, a unique prefix of one, \`latest\`, \`latest~2\`, or a tag. **\`<address>\`** is \`step\`, \`step.output\` or
\`step[axis=value].output\`; without an output it means the step's main one. \`show\`
and \`export\` put the tables of all combinations that fit together, with a column per axis.

| exit code | means |
|---|---|
| 0 | done; nothing to do is done, too |
| 1 | a step or an \`assert\` failed, or a check of \`doctor\` or \`cache verify\` |
| 2 | the workflow or the call is wrong; nothing was run |
| 3 | a reproduction differs |
| 4 | the budget is reached: a higher \`--budget\` goes on from there |
| 10 | \`plan --exit-code\` has work |
| 130 | interrupted: run the same line again to go on |
`;

/** The page of all commands, from the definitions that parsing and \`--help\` use. */
export function commandsPage(commands: readonly Command[]): string {
  return [
    generatedNote('the definitions in cli/commands/'),
    preface,
    ...commands.flatMap((command) => [
      section(command, '', '##'),
      ...(command.commands ?? []).map((sub) => section(sub, `${command.name} `, '###')),
    ]),
  ].join('');
}

function section(command: Command, group: string, heading: string): string {
  const { name, description, summary, options = [], examples } = command;
  const wanted = (command.arguments ?? []).map((argument) => ` ${argument.name}`).join('');
  const isDefault = command.commands ? `\n\nWithout a command: \`${command.default}\`.` : '';
  const parts = [
    `\n${heading} ${group}${name}\n\n`,
    command.commands
      ? ''
      : `\`reprise ${group}${name}${wanted}${options.length > 0 ? ' [options]' : ''}\`\n\n`,
    `${description ?? sentence(summary)}${isDefault}\n`,
  ];
  if (options.length > 0) parts.push('\n', table(['option', 'what'], options.map(optionRow)));
  if (examples.length > 0) {
    const width = Math.max(...examples.map(({ line }) => line.length));
    const lines = examples.map(({ line, does }) => `${line.padEnd(width)}   # ${does}\n`);
    parts.push(`\n\`\`\`sh\n${lines.join('')}\`\`\`\n`);
  }
  return parts.join('');
}

function optionRow({ flags, description, choices, default: fallback, repeat }: Option): string[] {
  const facts = [
    ...(choices ? [choices.map((choice) => `\`${choice}\``).join(', ')] : []),
    ...(fallback === undefined ? [] : [`default \`${fallback}\``]),
  ];
  const more = facts.length > 0 ? ` (${facts.join('; ')})` : '';
  // `repeat` options say so themselves.
  return [`\`${flags}\`${repeat ? ' …' : ''}`, `${description}${more}`];
}
