import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonl, numberedTexts, type RunSummary, summaryOf, TestProject } from '../project.ts';
import { hasRedis, startRedisServer } from '../redis-server.ts';
import { s3Credentials, startS3Server } from '../s3-server.ts';

const workflow = `name: shared
params:
  min: { type: integer, default: 5 }
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  long: { use: filter, from: rows, with: { where: "size(row.text) > \${{ params.min }}" } }
  page: { use: report, from: { rows: long } }
`;

/** A machine: a project folder of its own, with the same files as the others. */
function machine(remote: string, files: Record<string, string> = {}): TestProject {
  return new TestProject({
    'reprise.yaml': `remote:\n  url: ${remote}\n`,
    'w.yaml': workflow,
    'data.jsonl': jsonl(numberedTexts(50)),
    ...files,
  });
}

async function run(p: TestProject, env: Record<string, string> = {}, ...args: string[]): Promise<RunSummary> {
  return summaryOf(await p.start(['run', 'w.yaml', '--json', ...args], env).ended);
}

/** What the run said of the shared cache. */
const said = ({ warnings }: RunSummary) => warnings.filter((text) => text.startsWith('the shared cache'));
const reasons = ({ steps }: RunSummary) => steps.map(({ status, reason }) => `${status}: ${reason}`);
const pulled = Array<string>(3).fill('cached: from the shared cache');
const computed = Array<string>(3).fill('ran: new');

/** What one machine computed another one takes, whatever lies between them. */
async function sharedBetween(remote: string, env: Record<string, string>): Promise<void> {
  using a = machine(remote);
  using b = machine(remote);
  const first = await run(a, env);
  expect([reasons(first), said(first)]).toEqual([computed, []]);
  const second = await run(b, env);
  expect([reasons(second), said(second)]).toEqual([pulled, []]);
  expect(second.steps.map(({ outputs }) => outputs)).toEqual(first.steps.map(({ outputs }) => outputs));
  const show = ['show', 'latest', 'long', '--format', 'jsonl'];
  expect((await b.reprise(...show)).out).toBe((await a.reprise(...show)).out);
  expect((await b.reprise('cache', 'verify')).out).toMatch(/, 0 damaged, 0 missing/);
  // What was pulled is here to stay.
  expect(reasons(await run(b, { ...env, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }))).toEqual(
    Array(3).fill('cached: unchanged'),
  );
  // Only what differs is computed, and what b computes a takes.
  expect(reasons(await run(b, env, '--param', 'min=22'))[1]).toMatch(/^ran/);
  expect(reasons(await run(a, env, '--param', 'min=22'))).toEqual([
    'cached: unchanged',
    'cached: from the shared cache',
    'cached: from the shared cache',
  ]);
}

describe('in a folder', () => {
  let above: string;
  beforeAll(() => {
    above = mkdtempSync(join(tmpdir(), 'reprise-shared-'));
  });
  afterAll(() => rmSync(above, { recursive: true }));
  let count = 0;
  const fresh = () => join(above, `cache-${count++}`);
  const filesIn = (folder: string) =>
    (readdirSync(folder, { recursive: true, withFileTypes: true }) as import('node:fs').Dirent[])
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));

  it('two machines share results', () => sharedBetween(`file:${fresh()}`, {}));

  it('what was made before it was named is put there by hand', async () => {
    const folder = fresh();
    using a = machine(`file:${folder}`, { 'reprise.yaml': '' });
    expect((await a.reprise('cache', 'push')).err).toContain('no-remote');
    await run(a);
    a.write({ 'reprise.yaml': `remote:\n  url: file:${folder}\n` });
    // A run with nothing to do puts nothing there.
    await run(a);
    expect(existsSync(folder)).toBe(false);
    const absent = await a.reprise('cache', 'push', 'v.yaml');
    expect([absent.code, absent.err]).toEqual([
      2,
      expect.stringMatching(/file-not-found: there is no file v\.yaml\n.*there are: w\.yaml/),
    ]);
    a.write({ 'other.yaml': workflow });
    expect((await a.reprise('cache', 'push', 'other.yaml')).out).toMatch(
      /^no results of other\.yaml are here: nothing was put into file:/,
    );
    expect((await a.reprise('cache', 'push', 'w.yaml')).out).toMatch(
      /^3 results put into file:.*, 0 there already/,
    );
    expect(JSON.parse((await a.reprise('cache', 'push', '--json')).out)).toMatchObject({
      pushed: 0,
      there: 3,
    });
    using b = machine(`file:${folder}`);
    // The project is that of the file.
    expect((await b.reprise('cache', 'push', a.path('w.yaml'))).out).toMatch(/, 3 there already/);
    expect(reasons(await run(b))).toEqual(pulled);
  });

  it('nothing wrong is taken, whatever the files say; the run says so once', async () => {
    const folder = fresh();
    using a = machine(`file:${folder}`);
    const right = await run(a);
    const entries = filesIn(join(folder, 'v1/results'));
    const blobs = filesIn(join(folder, 'v1/objects'));
    expect([entries.length, blobs.length]).toEqual([3, 3]);
    const whole = new Map([...entries, ...blobs].map((path) => [path, readFileSync(path)]));
    const lies: Record<string, (path: string, bytes: Buffer) => void> = {
      'a flipped bit': (path, bytes) => {
        const copy = Buffer.from(bytes);
        copy[copy.length >> 1]! ^= 1;
        writeFileSync(path, copy);
      },
      'a part': (path, bytes) => writeFileSync(path, bytes.subarray(0, bytes.length - 3)),
      'too much': (path, bytes) => writeFileSync(path, Buffer.concat([bytes, bytes])),
      nothing: (path) => writeFileSync(path, ''),
      'a page of a proxy': (path) => writeFileSync(path, '<html>log in</html>'),
      'an empty object': (path) => writeFileSync(path, '{}'),
      'a number': (path) => writeFileSync(path, '7'),
      'another file': (path) => {
        const others = path.includes('results') ? entries : blobs;
        writeFileSync(path, whole.get(others[(others.indexOf(path) + 1) % others.length]!)!);
      },
    };
    for (const [name, lie] of Object.entries(lies)) {
      for (const kind of [entries, blobs]) {
        for (const [path, bytes] of whole) writeFileSync(path, bytes);
        for (const path of kind) lie(path, whole.get(path)!);
        using b = machine(`file:${folder}`, {
          'reprise.yaml': `remote: { url: "file:${folder}", push: false }`,
        });
        const result = await run(b);
        expect([name, result.err, result.steps.map(({ outputs }) => outputs)]).toEqual([
          name,
          expect.not.stringMatching(/failed/),
          right.steps.map(({ outputs }) => outputs),
        ]);
        expect([name, said(result)]).toEqual([
          name,
          [expect.stringMatching(/^the shared cache file:.* is not to be trusted: /)],
        ]);
        expect((await b.reprise('cache', 'verify')).code).toBe(0);
      }
    }
  });

  it('with a key, takes only what was signed with it', async () => {
    const remote = `file:${fresh()}`;
    using a = machine(remote);
    using b = machine(remote, { '.env': 'REPRISE_REMOTE_KEY=ours\n' });
    await run(a, { REPRISE_REMOTE_KEY: 'theirs' });
    const refused = await run(b);
    expect(refused.steps.map(({ status }) => status)).toEqual(['ran', 'ran', 'ran']);
    expect(said(refused)).toEqual([expect.stringMatching(/it is not signed with REPRISE_REMOTE_KEY/)]);
    using c = machine(remote);
    expect(reasons(await run(c, { REPRISE_REMOTE_KEY: 'theirs' }))).toEqual(pulled);
  });

  it('push: false only takes; forced and uncached steps do not ask', async () => {
    const folder = fresh();
    using a = machine('', { 'reprise.yaml': `remote: { url: "file:${folder}", push: false }\n` });
    const first = await run(a);
    expect([reasons(first), said(first)]).toEqual([computed, []]);
    expect(existsSync(folder)).toBe(false);
    using b = machine(`file:${folder}`);
    await run(b);
    using c = machine(`file:${folder}`);
    expect(reasons(await run(c, {}, '--force', 'long'))).toEqual([
      'cached: from the shared cache',
      'ran: forced',
      'cached: from the shared cache',
    ]);
  });

  it('a damaged result comes back from there', async () => {
    const folder = fresh();
    using a = machine(`file:${folder}`);
    await run(a);
    const objects = filesIn(a.path('.reprise/objects')).filter((path) => /[0-9a-f]{62}$/.test(path));
    for (const path of objects) rmSync(path);
    // Two steps have the same rows: once they are back, the second finds them.
    expect(reasons(await run(a))).toEqual([pulled[0], 'cached: unchanged', pulled[2]]);
  });

  it('a folder that cannot be, or that is away, fails no run', async () => {
    using a = machine(`file:${join(above, 'not', 'mounted')}`);
    const result = await run(a);
    expect([result.code, said(result)]).toEqual([
      0,
      [
        expect.stringMatching(
          /^the shared cache file:.* could not be written: ENOENT.*; this run goes on without it$/,
        ),
      ],
    ]);
    const file = join(above, 'a-file');
    writeFileSync(file, '');
    using b = machine(`file:${file}`);
    expect((await run(b)).code).toBe(0);
    mkdirSync(join(above, 'empty'));
  });
});

describe('on S3-compatible storage', () => {
  let server: Awaited<ReturnType<typeof startS3Server>>;
  beforeAll(async () => {
    server = await startS3Server();
  });
  afterAll(() => server.close());
  const env = () => ({ ...s3Credentials, AWS_ENDPOINT_URL_S3: server.url });

  it('two machines share results', () => sharedBetween('s3://bucket/some/prefix', env()));

  it('credentials may stand in .env; without them the run goes on alone', async () => {
    using a = machine('s3://bucket/other', {
      '.env': Object.entries(env())
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    });
    expect(said(await run(a))).toEqual([]);
    using b = machine('s3://bucket/other');
    const alone = await run(b);
    expect([alone.code, said(alone)]).toEqual([
      0,
      [expect.stringMatching(/cannot be used: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set/)],
    ]);
  });

  it('a server that is away, slow, broken or lies fails no run, and is told of once', async () => {
    using a = machine('s3://bucket/prefix');
    const right = (await run(a, env())).steps.map(({ outputs }) => outputs);
    const always =
      (status: number, text = '') =>
      (_: string, respond: (status: number, text: string) => void) => {
        respond(status, text);
        return true;
      };
    const answers: Record<string, [typeof server.misbehave.with, RegExp]> = {
      slow: [() => true, /could not be read: it did not answer within 1 s; this run goes on without it$/],
      broken: [always(500), /could not be read: it answered 500 to GET/],
      'a proxy': [
        always(200, '<html>log in</html>'),
        /not to be trusted: an entry was not taken: it is no entry/,
      ],
      'no space': [
        (path, respond) => always(path.includes('results') ? 404 : 507)(path, respond),
        /could not be written: it answered 507/,
      ],
    };
    for (const [name, [misbehave, message]] of Object.entries(answers)) {
      server.misbehave.with = misbehave;
      using b = machine('', { 'reprise.yaml': 'remote:\n  url: s3://bucket/prefix\n  timeout: 1\n' });
      const result = await run(b, env());
      expect([name, result.code, said(result)]).toEqual([name, 0, [expect.stringMatching(message)]]);
      expect(result.steps.map(({ outputs }) => outputs)).toEqual(right);
    }
    server.misbehave.with = null;
    using c = machine('s3://bucket/prefix');
    const away = await run(c, { ...env(), AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' });
    expect([away.code, said(away)]).toEqual([0, [expect.stringMatching(/ECONNREFUSED.*; this run goes on/)]]);
  });

  it('a run with nothing to do asks nobody', async () => {
    using a = machine('s3://bucket/idle');
    await run(a, env());
    const before = server.requests.length;
    await run(a, env());
    expect(server.requests.length).toBe(before);
  });
});

describe.skipIf(!hasRedis)('on Redis', () => {
  let server: Awaited<ReturnType<typeof startRedisServer>>;
  beforeAll(async () => {
    server = await startRedisServer('secret');
  });
  afterAll(() => server.close());

  it('two machines share results', () => sharedBetween(server.url, { REDIS_PASSWORD: 'secret' }));

  it('a server that is away, or another password, fails no run', async () => {
    for (const [url, env] of [
      ['redis://127.0.0.1:1', {}],
      [server.url, { REDIS_PASSWORD: 'wrong' }],
    ] as const) {
      using a = machine(url);
      const result = await run(a, env);
      expect([result.code, reasons(result), said(result)]).toEqual([
        0,
        computed,
        [
          expect.stringMatching(
            /^the shared cache redis:.* could not be read: .*; this run goes on without it$/,
          ),
        ],
      ]);
    }
  });
});

it.skipIf(hasRedis)('Redis is not tested: there is no redis-server on this machine', () => {});

it('what cannot be an address is refused before anything runs', async () => {
  for (const url of ['ftp://x', 'redis://user:secret@host', '"s3://"']) {
    using p = machine(url);
    const result = await p.reprise('run', 'w.yaml');
    expect([url, result.code, result.err]).toEqual([url, 2, expect.stringMatching(/wrong-format/)]);
  }
});
