import { execFileSync, spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { folderWith } from '../../test/run-step.ts';
import { Launcher } from './launcher.ts';
import type { ProgramEnd, ProgramOptions } from './program.ts';

const env = { PATH: process.env['PATH'] ?? '' };
const cwd = folderWith({});

describe.runIf(process.platform !== 'win32')('Launcher', () => {
  const launchers: Launcher[] = [];
  const start = async () => {
    const launcher = new Launcher(() => {});
    launchers.push(launcher);
    await launcher.isReady;
    return launcher;
  };
  const run = (launcher: Launcher, line: string, more: Partial<ProgramOptions> = {}) => {
    const lines: string[] = [];
    const options = { run: line, cwd, env, signal: new AbortController().signal };
    const end = launcher.run({ ...options, onLines: (some) => lines.push(...some), ...more });
    return end.then((result: ProgramEnd) => ({ ...result, lines }));
  };
  afterAll(() => {
    for (const launcher of launchers) launcher.close();
  });

  it('runs programs side by side, and hands on what they print', async () => {
    const launcher = await start();
    const ends = await Promise.all(
      Array.from({ length: 8 }, (_, index) => run(launcher, `echo ${index}; echo ж ${index}; exit ${index}`)),
    );
    expect(ends.map(({ code }) => code)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    ends.forEach(({ lines }, index) => {
      expect(lines).toEqual([`${index}`, `ж ${index}`]);
    });
    const missing = launcher.run({
      run: ['no-such-program'],
      cwd,
      env,
      signal: AbortSignal.any([]),
      onLines() {},
    });
    await expect(missing).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('stops a program whose signal is aborted', async () => {
    const launcher = await start();
    const stop = new AbortController();
    const onLines = () => stop.abort(new Error('enough'));
    await expect(run(launcher, 'echo up; sleep 300', { signal: stop.signal, onLines })).rejects.toThrow(
      'enough',
    );
    expect((await run(launcher, 'echo next')).lines).toEqual(['next']);
  });

  it('says so when it is lost, and kills what it ran', async () => {
    const pipe = pipeIn(cwd);
    const lost = Promise.withResolvers<void>();
    const launcher = new Launcher(() => lost.resolve());
    await launcher.isReady;
    const end = run(launcher, 'exec 3> pipe; echo $PPID; sleep 300', {
      onLines: ([pid]) => process.kill(Number(pid), 'SIGKILL'),
    });
    const ended = Array.fromAsync(createReadStream(pipe));
    await expect(end).rejects.toThrow('was lost');
    await lost.promise;
    expect(launcher.ready).toBe(false);
    await ended;
  });

  it('takes its programs along when the process that needs it is killed', async () => {
    const folder = folderWith({});
    const pipe = pipeIn(folder);
    const script = `
      setInterval(() => {}, 1000); // an idle launcher keeps no process alive
      const { Launcher } = await import(${JSON.stringify(join(import.meta.dirname, 'launcher.ts'))});
      const launcher = new Launcher(() => {});
      await launcher.isReady;
      launcher.run({ run: 'exec 3> pipe; echo up >&3; sleep 300 >&3 2>&3', cwd: ${JSON.stringify(folder)},
        env: { PATH: process.env.PATH }, signal: new AbortController().signal, onLines() {} });`;
    const engine = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
    let text = '';
    for await (const chunk of createReadStream(pipe, 'utf8')) {
      text += chunk;
      engine.kill('SIGKILL');
    }
    expect(text).toBe('up\n');
  });
});

/** A named pipe: it ends when the last process that could write to it has ended. */
function pipeIn(folder: string): string {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  return pipe;
}
