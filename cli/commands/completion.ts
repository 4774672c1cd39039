import { ProblemError } from '../../engine/problems.ts';
import type { Command } from '../command.ts';
import { commands } from './index.ts';

export const command: Command = {
  name: 'completion',
  summary: 'a completion script for bash, zsh or fish',
  arguments: [{ name: '[shell]', description: 'bash, zsh or fish (default: as $SHELL says)' }],
  examples: [
    { line: 'source <(reprise completion bash)', does: 'for this bash' },
    { line: 'reprise completion zsh > ~/.zfunc/_reprise', does: 'for zsh' },
    { line: 'reprise completion fish > ~/.config/fish/completions/reprise.fish', does: 'for fish' },
  ],
  async run([asked], _, cli) {
    const shell = (asked as string | undefined) ?? cli.env['SHELL']?.split('/').at(-1) ?? 'bash';
    const all = await Promise.all(Object.values(commands).map(async (load) => (await load()).command));
    if (shell === 'zsh')
      cli.out(`#compdef reprise\nautoload -U +X bashcompinit && bashcompinit\n${bash(all)}`);
    else if (shell === 'fish') cli.out(fish(all));
    else if (shell === 'bash') cli.out(bash(all));
    else {
      throw ProblemError.of('wrong-call', `there is no completion for ${shell}`, {
        hint: 'write: reprise completion bash, zsh or fish',
      });
    }
    return 0;
  },
};

/** Long flags of a command and of the sub-command that it defaults to. */
function flagsOf(command: Command): string[] {
  const fallback = command.commands?.find(({ name }) => name === command.default);
  const options = [...(command.options ?? []), ...(fallback?.options ?? [])];
  return ['--help', ...options.map(({ flags }) => /--[\w-]+/.exec(flags)![0])];
}

function bash(all: readonly Command[]): string {
  const cases = all.flatMap((command) => {
    const words = [...(command.commands ?? []).map(({ name }) => name), ...flagsOf(command)];
    const own = `      ${command.name}) words="${words.join(' ')}" ;;`;
    const subs = (command.commands ?? []).map(
      (sub) => `      "${command.name} ${sub.name}") words="${flagsOf(sub).join(' ')}" ;;`,
    );
    return [...subs, own];
  });
  return `_reprise() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${all.map(({ name }) => name).join(' ')} --help --version"
    COMPREPLY=( $(compgen -W "$words" -- "$current") )
    return
  fi
  local key="\${COMP_WORDS[1]}"
  [ "$COMP_CWORD" -gt 2 ] && key="\${COMP_WORDS[1]} \${COMP_WORDS[2]}"
  case "$key" in
${cases.filter((line) => line.includes('"') && /^ +"/.test(line)).join('\n')}
    *) case "\${COMP_WORDS[1]}" in
${cases.filter((line) => !/^ +"/.test(line)).join('\n')}
    esac ;;
  esac
  COMPREPLY=( $(compgen -W "$words" -- "$current") $(compgen -f -- "$current") )
}
complete -F _reprise reprise
`;
}

function fish(all: readonly Command[]): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "\\'")}'`;
  return all
    .flatMap((command) => [
      `complete -c reprise -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.summary)}`,
      ...(command.commands ?? []).map(
        (sub) =>
          `complete -c reprise -n '__fish_seen_subcommand_from ${command.name}' -a ${sub.name} -d ${quoted(sub.summary)}`,
      ),
      ...flagsOf(command).map(
        (flag) => `complete -c reprise -n '__fish_seen_subcommand_from ${command.name}' -l ${flag.slice(2)}`,
      ),
    ])
    .map((line) => `${line}\n`)
    .join('');
}
