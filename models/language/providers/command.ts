import { spawn } from 'node:child_process';
import type { JsonObject } from '../../../engine/json.ts';
import { faults, type Provider, type ProviderAnswer, ProviderError } from '../provider.ts';
import { tokens } from './http-errors.ts';
import type { ProviderOptions } from './index.ts';

/**
 * A program that answers: it gets `{ model, messages, sampling, schema }` as JSON on stdin and prints
 * `{ text, finish?, model?, usage?: { input_tokens, output_tokens }, usd? }`, or plain text, and ends with 0. It may
 * print `{ error, fault? }` instead, with the name of a fault (see ProviderFault): `rejected` if it says none.
 */
export async function openProvider({ settings, root }: ProviderOptions): Promise<Provider> {
  const [program, ...args] = settings.command;
  return {
    async ask(request, signal) {
      const said = await converse(program!, args, root, JSON.stringify(request), signal);
      return answerOf(said);
    },
  };
}

function converse(
  program: string,
  args: string[],
  cwd: string,
  input: string,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, signal, stdio: 'pipe' });
    const out: Buffer[] = [];
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      err = (err + chunk.toString()).slice(-500);
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (signal.aborted) reject(signal.reason);
      else reject(new ProviderError('setup', `${program} cannot be started: ${error.message}`));
    });
    child.on('close', (code, ended) => {
      if (code === 0) resolve(Buffer.concat(out).toString('utf8'));
      else reject(new ProviderError('unavailable', `${program} ended with ${ended ?? code}: ${err.trim()}`));
    });
    // A program that does not read its input is no mistake.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

function answerOf(said: string): ProviderAnswer {
  const given = parsed(said);
  if (given !== null && typeof given['error'] === 'string') {
    const fault = faults.find((name) => name === given['fault']) ?? 'rejected';
    throw new ProviderError(fault, given['error']);
  }
  const text = given === null ? said.trimEnd() : given['text'];
  if (typeof text !== 'string' || text === '')
    throw new ProviderError('unavailable', 'the program printed no answer');
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
    billed: typeof given?.['usd'] === 'number' ? given['usd'] : null,
    limits: null,
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
