import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { fromSdk } from './http-errors.ts';

/** The port of a server that was closed. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

it('names the address that no server answers at', async () => {
  const port = await closedPort();
  const said = async (host: string) =>
    fromSdk(await fetch(`http://${host}:${port}/v1`).catch((error: unknown) => error), null);
  expect(await said('127.0.0.1')).toMatchObject({
    fault: 'unavailable',
    message: `no server can be reached: connect ECONNREFUSED 127.0.0.1:${port}`,
  });
  expect((await said('localhost')).message).toMatch(`:${port}`);
  expect((await said('no-such-host.invalid')).message).toMatch(/no server can be reached: .*no-such-host/);
});
