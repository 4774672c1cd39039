import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { TestProject } from '../project.ts';

it('models pull downloads what local models have an address for, once, and lists what is there', async () => {
  const data = Buffer.from('GGUF and its weights');
  const sha256 = createHash('sha256').update(data).digest('hex');
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url === '/small.gguf') response.end(data);
    else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  using project = new TestProject({
    'w.yaml': `
models:
  small: { provider: local, path: models/small.gguf, url: "${url}/small.gguf", sha256: ${sha256} }
  large: { provider: local, path: models/large.gguf, url: "${url}/large.gguf" }
  own: { provider: local, path: models/own.gguf }
steps:
  t: { use: load, with: { path: w.yaml } }
`,
  });
  try {
    const { out } = await project.reprise('models', 'list', 'w.yaml');
    expect(out).toMatch(/small.*no file\n.*large.*no file/);
    const both = await project.reprise('models', 'pull', 'w.yaml', '--json');
    expect(both.code).toBe(1);
    expect(JSON.parse(both.out)).toMatchObject({
      models: [
        { alias: 'small', state: 'downloaded', bytes: data.length, sha256 },
        { alias: 'large', state: 'failed', error: expect.stringContaining('it answered 404') },
      ],
    });
    expect(project.read('models/small.gguf')).toBe(data.toString());
    const again = await project.reprise('models', 'pull', 'w.yaml', 'small');
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining('is there') });
    expect(asked).toEqual(['/small.gguf', '/large.gguf']);
    const listed = JSON.parse((await project.reprise('models', 'list', 'w.yaml', '--json')).out);
    expect(listed.models[0].file).toEqual({ path: 'models/small.gguf', bytes: data.length });
    project.write({ 'models/small.gguf': 'something else' });
    const other = await project.reprise('models', 'pull', 'w.yaml', 'small');
    expect(other).toMatchObject({
      code: 1,
      out: expect.stringContaining(`and ${sha256} is wanted: move it away`),
    });
    const none = await project.reprise('models', 'pull', 'w.yaml', 'own');
    expect(none).toMatchObject({
      code: 2,
      err: expect.stringContaining('no model "own" of the workflow has a url'),
    });
  } finally {
    server.close();
  }
});
