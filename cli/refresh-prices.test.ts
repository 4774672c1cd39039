import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Workspace } from '../engine/workspace.ts';
import { folderWith } from '../test/run-step.ts';
import type { Cli } from './command.ts';
import { readCatalogue } from './price-catalogue.ts';
import { refreshPrices } from './refresh-prices.ts';

const list = JSON.stringify({
  'gpt-5-mini': {
    litellm_provider: 'openai',
    mode: 'chat',
    input_cost_per_token: 1e-6,
    output_cost_per_token: 2e-6,
  },
});
let answer: { status: number; body: string };
let asked = 0;
const server = createServer((_, response) => {
  asked++;
  response.writeHead(answer.status).end(answer.body);
});

beforeEach(async () => {
  answer = { status: 200, body: list };
  asked = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

it('prices are fetched once a day, from an address or a file, and stay as they were where that fails', async () => {
  const folder = folderWith({ 'list.json': list, 'none.json': '{}' });
  const workspace = { store: { folder: join(folder, 'store') } } as unknown as Workspace;
  const cli = { cwd: folder, signal: new AbortController().signal } as Cli;
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/list.json`;
  const refresh = (from: string, force = false) => refreshPrices(workspace, cli, { from, force });
  const price = () => readCatalogue(workspace).find('openai', 'gpt-5-mini');

  expect(price()).toMatchObject({ input: 0.25 });
  expect(await refresh(url)).toMatchObject({ refreshed: true, models: 1, source: url });
  expect(price()).toMatchObject({ input: 1, output: 2, source: url });
  expect(await refresh(url)).toMatchObject({ refreshed: false, models: 1 });
  expect(await refresh(url, true)).toMatchObject({ refreshed: true });
  expect(asked).toBe(2);
  answer = { status: 503, body: '' };
  await expect(refresh(url, true)).rejects.toThrow('it answered 503');
  await expect(refresh('none.json')).rejects.toThrow('no list of models');
  await expect(refresh('missing.json')).rejects.toThrow('ENOENT');
  expect(price()).toMatchObject({ input: 1 });
  expect(await refresh('list.json')).toMatchObject({ refreshed: true, source: 'list.json' });

  answer = { status: 200, body: list };
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
  try {
    expect(await refresh(url)).toMatchObject({ refreshed: true });
    vi.setSystemTime(Date.now() + 24 * 3_600_000 - 1000);
    expect(await refresh(url)).toMatchObject({ refreshed: false });
    vi.setSystemTime(Date.now() + 2000);
    expect(await refresh(url)).toMatchObject({ refreshed: true });
  } finally {
    vi.useRealTimers();
  }
});
