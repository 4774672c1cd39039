import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Caches } from '../engine/store/caches.ts';
import { folderWith } from '../test/run-step.ts';
import type { Cli } from './command.ts';
import { pullModels } from './pull-models.ts';

it('of two that pull the same file one downloads it, and the other waits', async () => {
  const data = 'GGUF and its weights';
  let asked = 0;
  const other = Promise.withResolvers<void>();
  const server = createServer(async (_, response) => {
    asked++;
    response.writeHead(200, { etag: '"a"', 'content-length': data.length }).write(data.slice(0, 5));
    await other.promise;
    response.end(data.slice(5));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/m.gguf`;
  const root = folderWith({});
  const workflow = { root, models: { m: { provider: 'local', path: 'm.gguf', url } } };
  const err = (text: string) => {
    if (text.includes(`waits for process ${process.pid}`)) other.resolve();
  };
  const cli = { cwd: root, signal: new AbortController().signal, err } as Cli;
  const [one, two] = [0, 1].map(() => Caches.open({ folder: join(root, '.reprise') })) as [Caches, Caches];
  try {
    const pulled = await Promise.all([
      pullModels(workflow, [], one.leases, cli),
      pullModels(workflow, [], two.leases, cli),
    ]);
    expect(pulled.map(([file]) => file?.state).sort()).toEqual(['downloaded', 'there']);
    expect(asked).toBe(1);
    expect(readFileSync(join(root, 'm.gguf'), 'utf8')).toBe(data);
  } finally {
    await Promise.all([one.close(), two.close()]);
    server.close();
    server.closeAllConnections();
  }
});
