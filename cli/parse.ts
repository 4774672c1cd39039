import { parseArgs } from 'node:util';
import { nearest } from '../engine/nearest.ts';
import { ProblemError } from '../engine/problems.ts';
import type { Command, Option, Options } from './command.ts';

/** A command line, understood. `null` for the command: the overview is asked for. */
export interface Call {
  /** From the group to the command that is meant: `[runs, list]`. */
  path: Command[];
  args: (string | string[] | undefined)[];
  options: Options;
  help: boolean;
}

/** Reads what stands behind `reprise <command>`. What does not fit is a ProblemError that says what does. */
export function parseCall(command: Command, argv: readonly string[]): Call {
  const path = [command];
  let rest = [...argv];
  if (command.commands) {
    const named = command.commands.find(({ name }) => name === rest[0]);
    const fallback = command.commands.find(({ name }) => name === command.default)!;
    if (named) rest = rest.slice(1);
    else if (rest[0] !== undefined && !rest[0].startsWith('-'))
      throw unknownCommand(rest[0], command.commands, command.name);
    const wantsGroupHelp = !named && rest.some(isHelp);
    if (!wantsGroupHelp) path.push(named ?? fallback);
  }
  const target = path.at(-1)!;
  if (rest.some((word, index) => isHelp(word) && !rest.slice(0, index).includes('--'))) {
    return { path, args: [], options: {}, help: true };
  }
  const line = path.map(({ name }) => name).join(' ');
  const { options, positionals } = readOptions(target, rest.map(withDashes), line);
  return { path, args: readArguments(target, positionals, line), options, help: false };
}

/** An unknown command, with the one that was probably meant. */
export function unknownCommand(
  name: string,
  known: readonly Pick<Command, 'name'>[],
  group = '',
): ProblemError {
  const near = nearest(
    name,
    known.map((command) => command.name),
  );
  const prefix = group === '' ? '' : `${group} `;
  const names = known.map((command) => command.name);
  const all = group === '' ? 'reprise --help lists them' : `${group} has: ${names.join(', ')}`;
  return ProblemError.of('unknown-command', `there is no command "${prefix}${name}"`, {
    hint: near ? `did you mean: reprise ${prefix}${near}` : all,
  });
}

function isHelp(word: string): boolean {
  return word === '--help' || word === '-h';
}

/** `--keep_going` is `--keep-going`; values and everything after `--` stay as they are. */
function withDashes(word: string, index: number, all: readonly string[]): string {
  const end = all.indexOf('--');
  if (!word.startsWith('--') || (end >= 0 && index >= end)) return word;
  const [flag, ...value] = word.split('=');
  return [flag!.replaceAll('_', '-'), ...value].join('=');
}

/** `-o, --output <file>` → names and whether a value follows. */
export function flagsOf({ flags }: Option): {
  long: string;
  short: string | undefined;
  value: string | undefined;
} {
  return {
    long: /--([\w-]+)/.exec(flags)![1]!,
    short: /^-(\w)\b/.exec(flags)?.[1],
    value: /<([^>]+)>/.exec(flags)?.[1],
  };
}

function readOptions(
  command: Command,
  words: string[],
  line: string,
): { options: Options; positionals: string[] } {
  const known = (command.options ?? []).map((option) => ({ option, ...flagsOf(option) }));
  const config = Object.fromEntries(
    known.map(({ long, short, value, option }) => [
      long,
      {
        type: value ? ('string' as const) : ('boolean' as const),
        ...(short && { short }),
        ...(option.repeat && { multiple: true }),
      },
    ]),
  );
  const { values, positionals, tokens } = parseArgs({
    args: words,
    options: config,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const found = known.find(({ long }) => long === token.name);
    if (!found) {
      const near = nearest(
        token.name,
        known.map(({ long }) => long),
      );
      throw wrongCall(
        `${line} has no option ${token.rawName}`,
        near
          ? `did you mean --${near}?`
          : `it has: ${[...known.map(({ long }) => `--${long}`), '--help'].join(', ')}`,
      );
    }
    if (found.value && (token.value === undefined || (!token.inlineValue && /^--\w/.test(token.value)))) {
      throw wrongCall(`--${found.long} needs a value`, `write --${found.long} <${found.value}>`);
    }
    if (!found.value && token.value !== undefined)
      throw wrongCall(`--${found.long} takes no value`, `write --${found.long}`);
  }
  const options: Record<string, string | number | boolean | string[] | undefined> = {};
  for (const { option, long } of known) {
    const value = (values[long] ?? option.default ?? (option.repeat ? [] : undefined)) as
      | string
      | boolean
      | string[]
      | undefined;
    options[camelCase(long)] = typeof value === 'string' ? checked(option, long, value) : value;
  }
  return { options, positionals };
}

function checked(option: Option, long: string, value: string): string | number {
  if (option.choices && !option.choices.includes(value)) {
    const near = nearest(value, option.choices);
    throw wrongCall(
      `--${long} cannot be "${value}"`,
      near ? `did you mean "${near}"?` : `it can be: ${option.choices.join(', ')}`,
    );
  }
  if (option.atLeast === undefined) return value;
  const number = Number(value);
  if (value.trim() !== '' && Number.isInteger(number) && number >= option.atLeast) return number;
  throw wrongCall(`--${long} cannot be "${value}"`, `it needs an integer of at least ${option.atLeast}`);
}

function readArguments(command: Command, words: string[], line: string): (string | string[] | undefined)[] {
  const wanted = command.arguments ?? [];
  const args: (string | string[] | undefined)[] = [];
  let rest = words;
  for (const { name, description } of wanted) {
    const several = name.includes('...');
    if (name.startsWith('<') && rest.length === 0) {
      throw wrongCall(
        `${line} needs ${name}: ${description}`,
        `write: reprise ${line} ${wanted.map((argument) => argument.name).join(' ')}`,
      );
    }
    args.push(several ? rest : rest[0]);
    rest = several ? [] : rest.slice(1);
  }
  if (rest.length > 0)
    throw wrongCall(`${line} does not take "${rest[0]}"`, `reprise ${line} --help says what it takes`);
  return args;
}

function wrongCall(message: string, hint: string): ProblemError {
  return ProblemError.of('wrong-call', message, { hint });
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
