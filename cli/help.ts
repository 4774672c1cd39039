import type { Cli, Command } from './command.ts';
import { columns } from './format.ts';
import { wrap } from './prose.ts';

/** `reprise --help`: what there is. */
export function overview(all: readonly Command[], { paint }: Cli): string {
  return [
    'Pipelines for text and language models: cached by content, recorded.\n',
    `\n${paint('bold', 'usage')}  reprise <command> [options]\n\n`,
    columns(all.map(({ name, summary }) => [`  ${paint('bold', name)}`, summary])),
    `\n${paint('bold', 'options')}\n`,
    columns([
      ['  -h, --help', 'of any command, with examples'],
      ['  -V, --version', 'the version'],
    ]),
    '\nstart with:  reprise init my-project\n',
  ].join('');
}

/** `reprise <command> --help`: usage, arguments, options, examples. */
export function commandHelp(path: readonly Command[], { paint, columns: terminalColumns }: Cli): string {
  const command = path.at(-1)!;
  const line = path.map(({ name }) => name).join(' ');
  const title = (text: string) => `\n${paint('bold', text)}\n`;
  const args = (command.arguments ?? []).map(({ name }) => ` ${name}`).join('');
  const usage = command.commands ? ' <command>' : `${args}${command.options ? ' [options]' : ''}`;
  const parts = [
    `${wrap(command.description ?? sentence(command.summary), Math.min(terminalColumns, 100))}\n`,
    `\n${paint('bold', 'usage')}  reprise ${line}${usage}\n`,
  ];
  if (command.commands) {
    parts.push(
      title('commands'),
      columns(
        command.commands.map(({ name, summary }) => [
          `  ${name}`,
          name === command.default ? `${summary} (the default)` : summary,
        ]),
      ),
    );
  }
  if (command.arguments?.length) {
    parts.push(
      title('arguments'),
      columns(command.arguments.map(({ name, description }) => [`  ${name}`, description])),
    );
  }
  if (command.options?.length) {
    const rows = command.options.map(({ flags, description, choices, default: fallback }) => {
      const facts = [
        ...(choices ? [choices.join(' | ')] : []),
        ...(fallback === undefined ? [] : [`default: ${fallback}`]),
      ];
      return [
        `  ${flags.startsWith('-') && !flags.startsWith('--') ? flags : `    ${flags}`}`,
        `${description}${facts.length > 0 ? ` (${facts.join('; ')})` : ''}`,
      ];
    });
    parts.push(title('options'), columns(rows));
  }
  if (command.examples.length > 0) {
    parts.push(
      title('examples'),
      columns(command.examples.map(({ line: example, does }) => [`  ${example}`, paint('dim', does)])),
    );
  }
  return parts.join('');
}

/** `draw the steps` → `Draw the steps.` */
export function sentence(summary: string): string {
  return `${summary[0]!.toUpperCase()}${summary.slice(1)}.`;
}
