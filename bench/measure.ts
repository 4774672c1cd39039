import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Command {
  argv: readonly string[];
  cwd: string;
  env: Record<string, string | undefined>;
}

export interface Measurement {
  seconds: number;
  /** Peak memory of the largest process in MiB, and CPU seconds of all; null where GNU time is not there. */
  rssMiB: number | null;
  cpuSeconds: number | null;
}

/** A command that did not end within its time. */
export class TooLong extends Error {}

const gnuTime = '/usr/bin/time';
const scratch = mkdtempSync(join(tmpdir(), 'reprise-measure-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

/**
 * Runs a command, alone and with nothing on its pipes, and measures from start to exit. `usage` asks for memory and
 * CPU: it puts GNU time between, which costs about a millisecond. A command that fails is an error with its output.
 */
export async function measure(
  command: Command,
  options: { usage?: boolean; limitSeconds?: number } = {},
): Promise<Measurement> {
  const usageFile = join(scratch, 'usage');
  const outputFile = join(scratch, 'output');
  const withUsage = options.usage === true && existsSync(gnuTime);
  const argv = withUsage ? [gnuTime, '-f', '%M %U %S', '-o', usageFile, ...command.argv] : [...command.argv];
  const output = openSync(outputFile, 'w');
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let late = false;
  const start = process.hrtime.bigint();
  const child = spawn(argv[0]!, argv.slice(1), {
    cwd: command.cwd,
    env: command.env,
    stdio: ['ignore', output, output],
    detached: true,
  });
  const timer = setTimeout(
    () => {
      late = true;
      process.kill(-child.pid!, 'SIGKILL');
    },
    1000 * (options.limitSeconds ?? 3600),
  );
  child.on('error', reject);
  child.on('exit', (code) => {
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    if (late) reject(new TooLong(`longer than ${options.limitSeconds} s`));
    else if (code === 0) resolve(seconds);
    else
      reject(
        new Error(`${argv.join(' ')} ended with ${code}\n${readFileSync(outputFile, 'utf8').slice(-3000)}`),
      );
  });
  try {
    const seconds = await promise;
    if (!withUsage) return { seconds, rssMiB: null, cpuSeconds: null };
    const [rss, user, system] = readFileSync(usageFile, 'utf8')
      .trim()
      .split('\n')
      .at(-1)!
      .split(' ')
      .map(Number);
    return { seconds, rssMiB: rss! / 1024, cpuSeconds: user! + system! };
  } finally {
    clearTimeout(timer);
    closeSync(output);
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
