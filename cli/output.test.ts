import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { writeAll } from './output.ts';

it('asks for no more than the reader takes', async () => {
  const waiting: (() => void)[] = [];
  let arrived = (): void => {};
  const slow = new Writable({
    highWaterMark: 1000,
    write(_chunk, _encoding, taken) {
      waiting.push(taken);
      arrived();
    },
  });
  let made = 0;
  async function* pieces() {
    for (; made < 100; made++) yield 'x'.repeat(400);
  }
  const written = writeAll(slow, pieces());
  while (made < 100) {
    if (waiting.length === 0)
      await new Promise<void>((resolve) => {
        arrived = resolve;
      });
    expect(slow.writableLength).toBeLessThan(2000);
    waiting.shift()!();
    await new Promise(setImmediate);
  }
  arrived = () => waiting.shift()!();
  waiting.shift()?.();
  await written;
  expect(made).toBe(100);
});

it('fails with what the stream fails with', async () => {
  const broken = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, taken) => taken(new Error('gone')),
  });
  async function* pieces() {
    yield 'a';
    yield 'b';
  }
  await expect(writeAll(broken, pieces())).rejects.toThrow('gone');
});
