import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createZstdDecompress } from 'node:zlib';
import { expect, it } from 'vitest';
import { TestProject } from '../project.ts';

const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** What the zstd frame that begins there holds; what follows it is no error. */
function frameAt(bytes: Buffer): Promise<Buffer> {
  const pieces: Buffer[] = [];
  return new Promise((resolve) => {
    const done = () => resolve(Buffer.concat(pieces));
    const stream = createZstdDecompress().on('data', (piece: Buffer) => void pieces.push(piece));
    stream.on('end', done).on('error', done).on('close', done);
    stream.end(bytes);
  });
}

/** Files below a folder in which a text stands, as it is or inside of a zstd frame. */
async function filesWith(folder: string, text: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = readFileSync(path);
    let has = bytes.includes(text);
    for (let at = bytes.indexOf(magic); at !== -1 && !has; at = bytes.indexOf(magic, at + 1))
      has = (await frameAt(bytes.subarray(at))).includes(text);
    if (has) found.push(relative(folder, path));
  }
  return found;
}

const talker = `
import { writeFileSync, mkdirSync } from 'node:fs';
const key = process.env.KEY;
console.log('the key is ' + key);
console.error('once more: ' + encodeURIComponent(key));
writeFileSync('rows.jsonl', JSON.stringify({ id: 'a', text: 'key ' + key, [key]: 1 }) + '\\n');
mkdirSync('pages');
writeFileSync('pages/page.html', 'x'.repeat(70000) + key + 'y'.repeat(70000));
writeFileSync(process.env.REPRISE_METRICS, JSON.stringify({ said: key }));
`;

it('writes no secret, whatever a step does with it, and a failing step with it in its message', async () => {
  const secret = 'tok en/4711+"q"';
  using p = new TestProject({
    '.env': `API_KEY='${secret}'\nUNNAMED=nobody-asks-for-this\n`,
    'talk.mjs': talker,
    'steps/mine.ts': `
import { defineStep } from 'reprise';
export default defineStep({
  type: 'mine', summary: 'Tells', parameters: { type: 'object' }, inputs: {}, example: 'x',
  outputs: { rows: { kind: 'table', description: 'Rows.' }, none: { kind: 'table', description: 'No rows.' } },
  async run({ outputs, context }) {
    context.warn('warned of ' + context.env.TOKEN);
    outputs.rows.expect(['id', 'text']);
    outputs.none.expect(['id', context.env.TOKEN]);
    await outputs.rows.write({ id: 'a', text: context.env.TOKEN });
  },
});
`,
    'w.yaml': `
name: talkative
env: { REGION: eu }
steps:
  said:
    use: exec
    env: { KEY: "\${{ secrets.API_KEY }}" }
    with: { run: [node, talk.mjs], deps: [talk.mjs], outputs: { rows: rows.jsonl, pages: pages } }
  kept:
    use: filter
    from: said
    env: { KEY: "\${{ secrets.API_KEY }}" }
    with: { where: "size(row.text) > 0" }
  told: { use: ./steps/mine.ts, env: { TOKEN: "Bearer \${{ secrets.API_KEY }}" } }
  refused:
    use: exec
    on_error: continue
    env: { KEY: "\${{ secrets.API_KEY }}" }
    with: { run: 'echo "wrong key: $KEY" >&2; exit 3' }
`,
  });
  const started = p.start(['run', 'w.yaml', '--json']);
  const { out, err } = await started.ended;
  const run = JSON.parse(out);
  expect(run.steps.map(({ id, status }: { id: string; status: string }) => `${id}:${status}`).sort()).toEqual(
    ['kept:ran', 'refused:failed', 'said:ran', 'told:ran'],
  );
  expect(out).toContain('wrong key: [secret]');
  expect(out + err).not.toContain(secret);
  expect((await p.reprise('show', run.run, 'kept')).out).toContain('key [secret]');
  expect((await p.reprise('show', run.run, 'told')).out).toContain('Bearer [secret]');
  const forms = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    'nobody-asks-for-this',
  ];
  for (const form of forms) {
    expect(await filesWith(p.path('runs'), form)).toEqual([]);
    expect(await filesWith(p.path('.reprise'), form)).toEqual([]);
  }
  // What is looked for would be found where it is, inside of a frame as well.
  expect((await filesWith(p.path('.reprise'), 'key [secret]')).length).toBeGreaterThan(0);

  // Another value is no other key: the results stay. Of the text around it they hang.
  expect((await p.run('w.yaml')).step('said').status).toBe('cached');
  p.write({ '.env': 'API_KEY=another-one\n' });
  expect((await p.run('w.yaml')).statuses.sort()).toEqual([
    'kept:cached',
    'refused:failed',
    'said:cached',
    'told:cached',
  ]);
  p.write({ 'w.yaml': p.read('w.yaml').replace('Bearer', 'Basic') });
  const told = (await p.run('w.yaml')).step('told');
  expect(told).toMatchObject({
    status: 'ran',
    reason: 'env TOKEN changed',
    warnings: ['warned of Basic [secret]'],
  });
});

it('takes a secret from the environment first, and says what to do when there is none', async () => {
  using p = new TestProject({
    '.env': 'A_KEY=from-file\nPLAIN=eu\n',
    'w.yaml': `steps:
  a:
    use: exec
    env: { KEY: "\${{ secrets.A_KEY }}", REGION: { from: PLAIN } }
    with: { run: [node, -e, "process.exit(process.env.KEY + process.env.REGION === 'from-enveu' ? 0 : 4)"] }
  b: { use: exec, after: a, env: { KEY: "\${{ secrets.B_KEY }}" }, with: { run: [node, -e, ""] } }
`,
  });
  // Neither a check nor a plan needs the values.
  expect((await p.reprise('validate', 'w.yaml')).code).toBe(0);
  const { out } = await p.start(['run', 'w.yaml', '--json'], { A_KEY: 'from-env' }).ended;
  const run = JSON.parse(out);
  expect(run.steps[0].status).toBe('ran');
  expect(run.steps[1].error).toMatchObject({
    code: 'secret-not-set',
    message: 'the secret B_KEY is not set',
    hint: expect.stringContaining('.env'),
  });
});
