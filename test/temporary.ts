import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';

/** An empty folder that goes away with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'reprise-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * The command that runs a TypeScript module text. Its imports are relative to the project's root, as in
 * `import { Store } from '#/engine/store/store.ts'`.
 */
export function moduleArguments(text: string, args: readonly string[] = []): string[] {
  const root = pathToFileURL(`${join(import.meta.dirname, '..')}/`).href;
  const program = text.replaceAll(/(['"])#\//g, (_, quote: string) => quote + root);
  return [process.execPath, '--input-type=module-typescript', '--eval', program, ...args];
}

/** Runs a TypeScript module text in a process of its own; it is killed with the test if it is still there. */
export function runModule(text: string, args: readonly string[] = []): ChildProcess {
  const [program, ...rest] = moduleArguments(text, args);
  const child = spawn(program!, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Waits for the end of a process; fails with what it wrote to stderr unless its exit code is 0. */
export async function endOf(child: ChildProcess): Promise<string> {
  const read = async (stream: NodeJS.ReadableStream | null): Promise<string> => {
    let text = '';
    for await (const piece of stream!) text += String(piece);
    return text;
  };
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [output, errors, code] = await Promise.all([read(child.stdout), read(child.stderr), exit]);
  if (code !== 0) throw new Error(`a process ended with code ${code}: ${errors}`);
  return output;
}

/** The next line that a process writes. */
export function lineOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const onData = (piece: Buffer): void => {
      text += piece;
      const end = text.indexOf('\n');
      if (end < 0) return;
      child.stdout!.off('data', onData);
      resolve(text.slice(0, end));
    };
    child.stdout!.on('data', onData);
    child.once('exit', (code) => reject(new Error(`the process ended with code ${code} without a line`)));
  });
}
