import { PassThrough } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { expect, it } from 'vitest';
import { hearKeys } from './keys.ts';

it('hears the keys that it knows one by one, and leaves the terminal as it was', async () => {
  const modes: boolean[] = [];
  const terminal = Object.assign(new PassThrough(), { setRawMode: (on: boolean) => void modes.push(on) });
  const heard: string[] = [];
  const note = (name: string) => () => void heard.push(name);
  const end = hearKeys(terminal as unknown as ReadStream, {
    run: note('run'),
    force: note('force'),
    plan: note('plan'),
    open: note('open'),
    quit: note('quit'),
    interrupt: note('interrupt'),
  });
  for (const keys of ['rx', '\u001bOp', 'fpoq\u0003']) {
    const told = new Promise((resolve) => terminal.once('data', resolve));
    terminal.write(keys);
    await told;
  }
  expect(heard).toEqual(['run', 'force', 'plan', 'open', 'quit', 'interrupt']);
  end();
  terminal.write('r');
  expect(heard).toHaveLength(6);
  expect(modes).toEqual([true, false]);
});
