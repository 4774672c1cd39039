import { styleText } from 'node:util';
import { ProblemError, StepError } from '../engine/problems.ts';
import { DamagedBlobError } from '../engine/store/failures.ts';
import type { Cli } from './command.ts';
import { commands } from './commands/index.ts';
import { writeAll } from './output.ts';
import { parseCall, unknownCommand } from './parse.ts';
import { interruptSignal, wasInterrupted } from './process-end.ts';

export { leave } from './process-end.ts';

/** Runs one command line; gives the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const cli = processCli();
  try {
    return await dispatch(argv, cli);
  } catch (error) {
    return await report(error, argv.includes('--json'), cli);
  }
}

async function dispatch([first, ...behind]: readonly string[], cli: Cli): Promise<number> {
  // `help run` is `run --help`.
  const [name, ...rest] = first === 'help' && behind.length > 0 ? [...behind, '--help'] : [first, ...behind];
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const { overview } = await import('./help.ts');
    const all = await Promise.all(Object.values(commands).map(async (load) => (await load()).command));
    cli.out(overview(all, cli));
    return 0;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined)
    throw unknownCommand(
      name,
      Object.keys(commands).map((known) => ({ name: known })),
    );
  const { path, args, options, help } = parseCall((await load()).command, rest);
  if (help) {
    const { commandHelp } = await import('./help.ts');
    cli.out(commandHelp(path, cli));
    return 0;
  }
  return (await path.at(-1)!.run!(args, options, cli)) ?? 0;
}

/**
 * Says what went wrong, without a stack trace unless REPRISE_DEBUG is set; gives the exit code. With `--json` the
 * problems are the document on stdout, too.
 */
async function report(error: unknown, json: boolean, cli: Cli): Promise<number> {
  if (error instanceof ProblemError) {
    const { renderProblems } = await import('./render-problems.ts');
    cli.err(renderProblems(error.problems, cli));
    if (json) cli.out(`${JSON.stringify({ problems: error.problems })}\n`);
    return 2;
  }
  if (wasInterrupted()) {
    cli.err('interrupted\n');
    return 130;
  }
  const thrown = error instanceof Error ? error : new Error(String(error));
  const { code } = thrown as { code?: unknown };
  cli.err(`${cli.paint('red', 'error')}${typeof code === 'string' ? ` ${code}` : ''}: ${thrown.message}\n`);
  const expected = error instanceof StepError || error instanceof DamagedBlobError;
  const hint =
    error instanceof DamagedBlobError
      ? 'run the workflow again: what is missing or damaged is computed again; a run that was imported has it if it was exported --with-outputs'
      : error instanceof StepError
        ? error.hint
        : (systemHints[String(code)] ?? 'this is a defect of reprise');
  if (hint) cli.err(`     → ${hint}\n`);
  if (cli.env['REPRISE_DEBUG']) cli.err(`${thrown.stack}\n`);
  else if (!expected) cli.err('     REPRISE_DEBUG=1 shows where it happened\n');
  return 1;
}

/** What to do about errors of the operating system that no command expects in particular. */
const systemHints: Readonly<Record<string, string>> = {
  EACCES: 'you may not read or write there: change the permissions, or work in another folder',
  EPERM: 'you may not read or write there: change the permissions, or work in another folder',
  EROFS: 'the disk is read-only: work in another folder',
  ENOSPC: 'the disk is full: make room (`reprise cache gc`) and run it again',
  EDQUOT: 'your quota is used up: make room (`reprise cache gc`) and run it again',
  EMFILE: 'too many open files: raise the limit (`ulimit -n`), or run with fewer --jobs',
};

/** The process as commands see it. */
function processCli(): Cli {
  // onnxruntime would write down its use under ~/.cache/Microsoft and send it there. It reads the real environment, which
  // threads cannot set.
  process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
  // A reader that went away (`reprise show … | head`) is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  // Nobody listens to what happens: no reason to stop.
  process.stderr.on('error', () => {});
  const terminal = { out: process.stdout.isTTY === true, err: process.stderr.isTTY === true };
  return {
    cwd: process.cwd(),
    env: process.env,
    out: (text) => void process.stdout.write(text),
    outAll: (pieces) => writeAll(process.stdout, pieces),
    err: (text) => void process.stderr.write(text),
    terminal,
    paint: (style, text) =>
      styleText(style, text, { stream: terminal.err ? process.stderr : process.stdout }),
    columns: Number(process.env['COLUMNS']) || process.stderr.columns || process.stdout.columns || 100,
    get signal() {
      return interruptSignal();
    },
  };
}
