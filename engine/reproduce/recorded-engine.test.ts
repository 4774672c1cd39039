import { expect, it } from 'vitest';
import { callEngine } from './recorded-engine.ts';

const call = (code: string, signal = new AbortController().signal) =>
  callEngine([process.execPath], ['-e', code], { cwd: import.meta.dirname, signal });
const endedBy = (signal: string) =>
  call(`process.kill(process.pid, '${signal}'); setInterval(() => {}, 1000)`);

it('an engine that crashes is an error, one that is interrupted is not', async () => {
  const [exit, interrupted, terminated, killed] = await Promise.allSettled([
    call('process.exit(3)'),
    endedBy('SIGINT'),
    endedBy('SIGTERM'),
    endedBy('SIGKILL'),
  ]);
  expect([exit, interrupted, terminated]).toMatchObject([{ value: 3 }, { value: 130 }, { value: 130 }]);
  expect(killed).toMatchObject({
    reason: { code: 'engine-crashed', message: 'the engine that made the run was ended by SIGKILL' },
  });
  expect(await call('', AbortSignal.abort())).toBe(130);
});
