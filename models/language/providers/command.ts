import { type ChildProcess, spawn } from 'node:child_process';
import type { JsonObject } from '../../../engine/json.ts';
import { faults, type Provider, type ProviderAnswer, ProviderError } from '../provider.ts';
import { dollars, tokens } from './http-errors.ts';
import type { ProviderOptions } from './index.ts';

/**
 * A program that answers: it gets `{ model, messages, sampling, schema }` as JSON on stdin and prints
 * `{ text, finish?, model?, usage?: { input_tokens, output_tokens }, usd? }`, or plain text, and ends with 0. It may
 * print `{ error, fault? }` instead, with the name of a fault (see ProviderFault): `rejected` if it says none. Of keys its
 * environment has the one that is said to be for it.
 */
export async function openProvider(options: ProviderOptions): Promise<Provider> {
  const { root, settings } = options;
  const { command } = settings;
  const env = environmentFor(options);
  return {
    async ask(request, signal) {
      signal.throwIfAborted();
      return answerOf(await converse(command, { cwd: root, env }, JSON.stringify(request), signal));
    },
  };
}

function environmentFor({ key, keyName, secretNames }: ProviderOptions): NodeJS.ProcessEnv {
  const env = { ...process.env };
  for (const name of secretNames) delete env[name];
  return keyName === null || key === undefined ? env : { ...env, [keyName]: key };
}

const windows = process.platform === 'win32';
/** Programs that must not outlive the process. */
const running = new Set<ChildProcess>();
let watchingExit = false;

/** @param command a program with its arguments, or one line for the shell */
function converse(
  command: readonly string[] | string,
  surroundings: { cwd: string; env: NodeJS.ProcessEnv },
  input: string,
  signal: AbortSignal,
): Promise<string> {
  if (!watchingExit) process.on('exit', () => running.forEach(kill));
  watchingExit = true;
  const program = typeof command === 'string' ? command : command[0]!;
  return new Promise((resolve, reject) => {
    // A process group of its own: with a line for the shell, what has to end is not the shell alone.
    const options = { ...surroundings, stdio: 'pipe', detached: !windows, windowsHide: true } as const;
    const child =
      typeof command === 'string'
        ? spawn(command, { ...options, shell: true })
        : spawn(program, command.slice(1), options);
    const stop = () => kill(child);
    signal.addEventListener('abort', stop, { once: true });
    running.add(child);
    const left = () => {
      signal.removeEventListener('abort', stop);
      running.delete(child);
    };
    const out: Buffer[] = [];
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      err = (err + chunk.toString()).slice(-500);
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      left();
      reject(new ProviderError('setup', `${program} cannot be started: ${error.message}`));
    });
    child.on('close', (code, ended) => {
      left();
      if (signal.aborted) reject(signal.reason);
      else if (code === 0) resolve(Buffer.concat(out).toString('utf8'));
      else reject(new ProviderError('unavailable', `${program} ended with ${ended ?? code}: ${err.trim()}`));
    });
    // A program that does not read its input is no mistake.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

function kill(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (windows) child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function answerOf(said: string): ProviderAnswer {
  const given = parsed(said);
  if (given !== null && typeof given['error'] === 'string') {
    const fault = faults.find((name) => name === given['fault']) ?? 'rejected';
    throw new ProviderError(fault, given['error']);
  }
  const text = given === null ? said.trimEnd() : given['text'];
  if (typeof text !== 'string') throw new ProviderError('unavailable', 'the program printed no text');
  const usage = given?.['usage'] as { input_tokens?: unknown; output_tokens?: unknown } | undefined;
  const [input, output] = [tokens(usage?.input_tokens), tokens(usage?.output_tokens)];
  const finish = given?.['finish'];
  return {
    text,
    finish: finish === 'length' || finish === 'refused' ? finish : 'stop',
    usage:
      input === null || output === null
        ? null
        : { input_tokens: input, cached_tokens: 0, written_tokens: 0, output_tokens: output },
    served: typeof given?.['model'] === 'string' ? given['model'] : null,
    billed: dollars(given?.['usd']),
    limits: null,
    logprobs: null,
  };
}

/** The object that the program printed, if it has a text or an error; else what it printed is the text. */
function parsed(said: string): JsonObject | null {
  try {
    const value = JSON.parse(said) as JsonObject | null;
    return typeof value === 'object' && value !== null && ('text' in value || 'error' in value)
      ? value
      : null;
  } catch {
    return null;
  }
}
