import { spawn } from 'node:child_process';

/** Shows a page in the person's browser; `failed` is told if there is no program that would. */
export function openPage(path: string, failed: (message: string) => void): void {
  const [program, ...args]: [string, ...string[]] =
    process.platform === 'darwin'
      ? ['open', path]
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '', path]
        : ['xdg-open', path];
  const child = spawn(program, args, { stdio: 'ignore', detached: true });
  child.on('error', () => failed(`${program} could not be started; the report is ${path}`));
  child.unref();
}
