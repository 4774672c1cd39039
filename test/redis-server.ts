import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** Whether there is a redis-server to test with. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

/** A real redis-server on the loopback, with a password, in memory only. */
export async function startRedisServer(password: string): Promise<{ url: string; close(): Promise<void> }> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  const server = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--requirepass', password],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  let text = '';
  for await (const piece of server.stdout) {
    text += String(piece);
    if (/Ready to accept connections/.test(text)) break;
  }
  if (!/Ready/.test(text)) throw new Error(`redis-server did not start:\n${text}`);
  return {
    url: `redis://127.0.0.1:${port}`,
    close: async () => {
      const end = once(server, 'exit');
      server.kill('SIGKILL');
      await end;
    },
  };
}
