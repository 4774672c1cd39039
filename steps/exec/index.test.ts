import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import type { JsonObject } from '../../engine/json.ts';
import type { StepInput } from '../../engine/step.ts';
import { folderWith, matrixInput, runStep, tableInput } from '../../test/run-step.ts';
import exec from './index.ts';

const posix = process.platform !== 'win32';
const node = process.execPath;
const script = (code: string) => [node, '-e', code];
const run = (parameters: JsonObject, options: Parameters<typeof runStep>[1] = {}) =>
  runStep(exec, { ...options, with: parameters });
const table = (rows: Row[]): StepInput => ({
  step: 'queries',
  use: 'load',
  metrics: {},
  output: 'rows',
  outputs: { rows: tableInput(rows) },
});

describe('exec', () => {
  it('gives a table to a program and takes one from it', async () => {
    const code = `
      const fs = require('node:fs');
      const rows = fs.readFileSync(process.env.REPRISE_INPUT_QUERIES, 'utf8').trim().split('\\n').map(JSON.parse);
      fs.writeFileSync('out.jsonl', rows.map((row) => JSON.stringify({ ...row, text: row.text.toUpperCase() }) + '\\n').join(''));
      console.log(rows.length + ' rows'); console.error('done');`;
    const rows = [
      { id: 'a', text: 'x\u2028y' },
      { id: 'b', text: 'ж' },
    ];
    const result = await run(
      { run: script(code), outputs: { rows: 'out.jsonl' } },
      { inputs: { queries: table(rows) } },
    );
    expect(result.tables['rows']).toEqual([
      { id: 'a', text: 'X\u2028Y' },
      { id: 'b', text: 'Ж' },
    ]);
    expect(result.logs.sort()).toEqual(['2 rows', 'done']);
  });

  it.runIf(posix)(
    'runs a line in the shell, in an empty folder, with none but the declared variables',
    async () => {
      process.env['REPRISE_TEST_SECRET'] = 'seen';
      const result = await run(
        {
          run: 'ls -A > files.txt; env | cut -d= -f1 | sort > env.txt; cat "$REPRISE_PARAMS" > params.json; echo "$TOKEN" > token.txt; cp files.txt "$REPRISE_OUTPUT_LIST"',
          outputs: { list: 'list.txt', env: 'env.txt', params: 'params.json', token: 'token.txt' },
          params: '{"k": 77}',
        },
        { env: { TOKEN: 'abc' } },
      );
      const text = (name: string, file = `${name}.txt`) => result.files[name]![file]!.toString();
      expect(text('list')).toBe('files.txt\n');
      expect(text('token')).toBe('abc\n');
      expect(JSON.parse(text('params', 'params.json'))).toEqual({ k: 77 });
      const names = text('env')
        .trim()
        .split('\n')
        .filter((name) => !['_', 'PWD', 'SHLVL', 'OLDPWD'].includes(name));
      const allowed = ['HOME', 'LANG', 'PATH', 'TEMP', 'TMP', 'TOKEN'];
      expect(names.filter((name) => !allowed.includes(name) && !name.startsWith('REPRISE_'))).toEqual([]);
      expect(names).not.toContain('REPRISE_TEST_SECRET');
      delete process.env['REPRISE_TEST_SECRET'];
    },
  );

  it('evaluates an expression over the params', async () => {
    const result = await run({
      run: script("require('node:fs').copyFileSync(process.env.REPRISE_PARAMS, 'p.json')"),
      outputs: { params: 'p.json' },
      params: '{"sum": 1 + 2, "all": params}',
    });
    expect(JSON.parse(result.files['params']!['p.json']!.toString())).toEqual({ sum: 3, all: {} });
  });

  it('copies what deps name to its place, and nothing else', async () => {
    const root = folderWith({
      'tools/clean.cjs': "require('./words.cjs'); require('node:fs').writeFileSync('seen.txt', __dirname)",
      'tools/words.cjs': 'module.exports = []',
      'tools/other.cjs': '',
    });
    const result = await run(
      { run: [node, 'tools/clean.cjs'], deps: ['tools/{clean,words}.cjs'], outputs: { seen: 'seen.txt' } },
      { root },
    );
    const folder = result.files['seen']!['seen.txt']!.toString();
    expect(folder.startsWith(root)).toBe(false);
    expect(existsSync(folder)).toBe(false);

    const undeclared = run({ run: [node, 'tools/clean.cjs'] }, { root });
    await expect(undeclared).rejects.toMatchObject({
      code: 'program-failed',
      hint: 'the program starts in an empty folder: add deps: [tools/clean.cjs]',
    });
    const missing = run({ run: [node, 'tools/clean.cjs'], deps: ['tools/none*.cjs'] }, { root });
    await expect(missing).rejects.toThrow('no file matches tools/none*.cjs');
    await run({ run: [node, 'tools/clean.cjs'], deps: ['tools'] }, { root });
  });

  it('fails with the exit code and the last lines of a program', async () => {
    const code =
      "for (let i = 1; i < 50; i++) console.error('line ' + i); console.log('fine'); process.exit(3)";
    const failing = run({ run: script(code), outputs: { rows: 'out.jsonl' } });
    await expect(failing).rejects.toMatchObject({ code: 'program-failed', retryable: true });
    await expect(failing).rejects.toThrow(/ended with exit code 3\n {2}line 30\n(.*\n)*.* {2}line 49$/);
    await expect(run({ run: script("console.log('only this'); process.exit(1)") })).rejects.toThrow(
      'only this',
    );
  });

  it('says why a program cannot be started', async () => {
    await expect(run({ run: ['no-such-program-here'] })).rejects.toMatchObject({
      code: 'no-program',
      message: 'there is no program "no-such-program-here"',
    });
  });

  it('fails when an output is missing, and names what is there', async () => {
    const code = "require('node:fs').writeFileSync('outt.jsonl', '')";
    await expect(run({ run: script(code), outputs: { rows: 'out.jsonl' } })).rejects.toMatchObject({
      code: 'missing-output',
      hint: 'did you mean "outt.jsonl"?',
    });
  });

  it('takes CSV, folders and metrics, and makes ids for rows without', async () => {
    const code = `
      const fs = require('node:fs');
      fs.writeFileSync('t.csv', 'text,n\\n"a, b",1\\nc,2\\nc,2\\n');
      fs.mkdirSync('site/deep', { recursive: true });
      fs.writeFileSync('site/index.html', '<p>'); fs.writeFileSync('site/deep/big.bin', Buffer.alloc(3_000_000, 7));
      fs.writeFileSync('nums.jsonl', '{"id":7,"x":1}\\n\\n{"x":2}');
      fs.writeFileSync(process.env.REPRISE_METRICS, '{"accuracy":0.5,"model":"m"}');`;
    const outputs = { rows: 't.csv', site: 'site/', nums: 'nums.jsonl' };
    const result = await run({ run: script(code), outputs });
    const [first, second, third] = result.tables['rows']!;
    expect(first).toMatchObject({ text: 'a, b', n: '1', id: expect.stringMatching(/^[0-9a-f]{16}$/) });
    expect(third!.id).toBe(`${second!.id}-2`);
    expect(result.tables['nums']).toEqual([
      { id: '7', x: 1 },
      { id: expect.any(String), x: 2 },
    ]);
    expect(Object.keys(result.files['site']!).sort()).toEqual(['deep/big.bin', 'index.html']);
    expect(result.files['site']!['deep/big.bin']!.length).toBe(3_000_000);
    expect(result.metrics).toEqual({ accuracy: 0.5, model: 'm' });
  });

  it.each([
    ['{"a":1}\n[1]\n', 'out.jsonl:2'],
    ['{"a":1}\n{"a":', 'out.jsonl:2'],
    ['{"id":{}}\n', 'out.jsonl:1'],
  ])('refuses the table %j', async (text, place) => {
    const code = `require('node:fs').writeFileSync('out.jsonl', ${JSON.stringify(text)})`;
    const failing = run({ run: script(code), outputs: { rows: 'out.jsonl' } });
    await expect(failing).rejects.toMatchObject({
      code: 'bad-output',
      message: expect.stringContaining(place),
    });
  });

  it.each(['[1]', '{"A":1}', '{"a":[1]}', 'NaN'])('refuses the metrics %s', async (text) => {
    const code = `require('node:fs').writeFileSync(process.env.REPRISE_METRICS, ${JSON.stringify(text)})`;
    await expect(run({ run: script(code) })).rejects.toMatchObject({ code: 'bad-metrics' });
  });

  it('hands matrices through, aligned with the table of their length', async () => {
    const matrix = { data: new Float32Array([1, 2, 3, 4, 5, 6]), rows: 3, columns: 2 };
    const vectors: StepInput = {
      step: 'vectors',
      use: 'embed',
      metrics: {},
      output: 'vectors',
      outputs: { vectors: matrixInput(matrix, ['a', 'b', 'c']) },
    };
    const rows = table(['a', 'b', 'c'].map((id) => ({ id })));
    const code = "require('node:fs').copyFileSync(process.env.REPRISE_INPUT_VECTORS, 'v.npy')";
    const aligned = await run(
      { run: script(code), outputs: { out: 'v.npy' } },
      { inputs: { rows, vectors } },
    );
    expect(aligned.matrices['out']).toEqual({ ...matrix, ids: ['a', 'b', 'c'] });
    const alone = await run({ run: script(code), outputs: { out: 'v.npy' } }, { inputs: { vectors } });
    expect(alone.matrices['out']!.ids).toEqual(['0', '1', '2']);
  });

  it.runIf(posix)('kills the whole tree of processes when it is cancelled', async () => {
    const stop = new AbortController();
    const marker = join(folderWith({}), 'pid');
    // The child of the child ignores SIGTERM, so only SIGKILL ends it.
    const line = `sh -c 'trap "" TERM; echo $$ > ${marker}.part; mv ${marker}.part ${marker}; echo up; while :; do sleep 0.05; done' & wait`;
    const logs: string[] = [];
    const started = Promise.withResolvers<void>();
    const running = runStep(exec, {
      with: { run: line },
      signal: stop.signal,
      onLog: (message) => {
        logs.push(message);
        started.resolve();
      },
    });
    await started.promise;
    const pid = Number(readFileSync(marker, 'utf8'));
    expect(() => process.kill(pid, 0)).not.toThrow();
    stop.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    await expect.poll(() => alive(pid)).toBe(false);
  });

  it.runIf(posix)('does not leave programs in the background', async () => {
    const result = await run({
      run: 'sleep 300 > /dev/null 2>&1 & echo $! > pid.txt',
      outputs: { pid: 'pid.txt' },
    });
    const pid = Number(result.files['pid']!['pid.txt']!.toString());
    await expect.poll(() => alive(pid)).toBe(false);
  });

  it('refuses outputs that cannot be', () => {
    const messages = (outputs: JsonObject, deps: string[] = []) =>
      exec.check!({ run: ['x'], outputs, deps }).map(({ message }) => message);
    expect(messages({ a: '/tmp/x' })).toEqual([expect.stringContaining('is absolute')]);
    expect(messages({ a: '../x' })).toEqual([expect.stringContaining('leaves the folder')]);
    expect(messages({ a: 'x', b: 'x' })).toEqual(['outputs.b is x, and so is outputs.a']);
    expect(messages({ a: 'x/y.html', b: 'z/' })).toEqual([]);
    expect(messages({}, ['../x.py'])).toEqual([expect.stringContaining('outside of the project')]);
  });

  it('tells the kind of an output by its extension', () => {
    const specs = exec.outputsOf!({
      outputs: { a: 'x.jsonl', b: 'y.csv', c: 'z.npy', d: 'site/', e: 'm.onnx' },
    });
    expect(Object.values(specs).map(({ kind }) => kind)).toEqual([
      'table',
      'table',
      'matrix',
      'files',
      'files',
    ]);
  });
});

/** Whether a process runs: a zombie, which waits for its parent to look, does not. */
function alive(pid: number): boolean {
  const state = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
  return state !== '' && !state.startsWith('Z');
}
