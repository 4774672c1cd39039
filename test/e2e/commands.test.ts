import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { commands } from '../../cli/commands/index.ts';
import { defaultCacheBytes } from '../../engine/store/size-cap.ts';
import { jsonl, numberedTexts, TestProject } from '../project.ts';

const workflow = `name: small
params:
  k: { type: integer, default: 3, minimum: 2 }
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  unique: { use: dedupe, from: rows }
  vectors: { use: embed, from: unique, with: { method: lexical, dimensions: 4 } }
  topics: { use: cluster, from: { rows: unique, vectors: vectors }, with: { k: "\${{ params.k }}" } }
  names: { use: summarize, from: topics }
  page: { use: report, from: { topics: topics, names: names } }
`;

function project(): TestProject {
  const rows = [...numberedTexts(30), { id: 'again', text: 'text number 3 of many' }];
  return new TestProject({ 'w.yaml': workflow, 'data.jsonl': jsonl(rows) });
}

/** A command that must succeed; gives what it printed on stdout. */
async function ok(p: TestProject, ...args: string[]): Promise<string> {
  const { code, out, err } = await p.reprise(...args);
  expect(code, `reprise ${args.join(' ')}\n${out}${err}`).toBe(0);
  return out;
}

describe('a project', () => {
  it('starts from the template of topics', async () => {
    using p = new TestProject({});
    expect(await ok(p, 'init', 'mine')).toContain('cd mine\n  reprise run pipeline.yaml');
    expect(p.read('mine/.gitignore')).toBe('.reprise/\nruns/\n');
    const { out, err } = await p.reprise('run', 'mine/pipeline.yaml');
    expect(out).toMatch(
      /^succeeded in .* · 6 ran\nreport {3}mine\/runs\/.*\/report.html\nrecord {3}mine\/runs\//,
    );
    expect(err).toMatch(/✔ names +summarize +6 rows/);
    const again = await p.reprise('init', 'mine');
    expect(again).toMatchObject({ code: 2, out: '' });
    expect(again.err).toContain('mine/pipeline.yaml is there already; nothing was written');
  });

  it('starts from the template of a step, and keeps an ignore list that is there', async () => {
    using p = new TestProject({ 'mine/.gitignore': 'node_modules/' });
    await ok(p, 'init', 'mine', '--template', 'step');
    expect(p.read('mine/.gitignore')).toBe('node_modules/\n.reprise/\nruns/\n');
    await ok(p, 'run', 'mine/pipeline.yaml');
    expect(p.read('mine/out/loud.csv')).toContain('I AM STILL WAITING ON MY CARD?!!');
    expect(await ok(p, 'run', 'mine/pipeline.yaml')).toMatch(/^nothing to do: 3 steps unchanged/);
  });
});

it('runs, and shows what a run made, in every form', async () => {
  using p = project();
  expect(await ok(p, 'validate', 'w.yaml')).toBe('✔ w.yaml: 6 steps\n');
  expect(JSON.parse(await ok(p, 'validate', 'w.yaml', '--json'))).toEqual({
    files: [{ file: 'w.yaml', steps: 6, problems: [] }],
  });
  expect(await ok(p, 'plan', 'w.yaml')).toContain('6 to run');
  expect(JSON.parse(await ok(p, 'plan', 'w.yaml', '--json'))).toMatchObject({
    workflow: 'small',
    work: true,
  });
  const { run } = await p.run('w.yaml');
  await p.run('w.yaml', '--param', 'k=4');

  // runs
  expect((await ok(p, 'runs')).trim().split('\n')).toHaveLength(2);
  expect(JSON.parse(await ok(p, 'runs', 'list', '--status', 'succeeded', '-n', '1', '--json'))).toMatchObject(
    {
      runs: [{ status: 'succeeded' }],
      unreadable: [],
    },
  );
  expect(await ok(p, 'runs', 'show', 'latest')).toMatch(/params\n {2}k +4\n/);
  expect(JSON.parse(await ok(p, 'runs', 'show', run, '--json'))).toMatchObject({ id: run, seed: 42 });
  const diff = await ok(p, 'runs', 'diff', run);
  expect(diff).toMatch(/params\n {2}k +3 → 4/);
  expect(diff).toMatch(/topics +with.k 3 → 4/);
  expect(JSON.parse(await ok(p, 'runs', 'diff', 'latest~1', 'latest', '--json'))).toMatchObject({
    params: [{ path: 'k', old: 3, now: 4 }],
  });

  // show
  const table = await ok(p, 'show', 'latest', 'unique.duplicates');
  expect(table.split('\n')[0]).toMatch(/^id +dup_of +dup_kind +dup_score +text$/);
  expect(table.split('\n')[1]).toMatch(/^again +r3 +exact +1 /);
  expect(await ok(p, 'show', 'latest', 'topics', '--head', '1')).toMatch(/^id +cluster[^\n]* text/);
  const two = await ok(
    p,
    'show',
    'latest',
    'topics',
    '--columns',
    'cluster,id',
    '--format',
    'csv',
    '--head',
    '1',
  );
  expect(two).toMatch(/^cluster,id\n/);
  const lines = await ok(p, 'show', 'latest', 'topics', '--format', 'jsonl', '--where', 'row.rank == 1');
  expect(lines.trim().split('\n')).toHaveLength(4);
  const csv = await ok(p, 'show', 'latest', 'topics', '--format', 'csv', '--head', '2');
  expect(csv.split('\n')).toHaveLength(4);
  expect(csv).toMatch(/^id,text,cluster,/);
  expect(JSON.parse(await ok(p, 'show', 'latest', 'rows', '--json', '--head', '1'))).toMatchObject({
    address: 'rows.rows',
    kind: 'table',
    total_rows: 31,
    rows: [{ id: 'r0', text: 'text number 0 of many' }],
  });
  expect(await ok(p, 'show', 'latest', 'vectors', '--head', '1')).toMatch(
    /^30 × 4 float32\n( +-?\d\.\d{4}){4}\n$/,
  );
  expect(JSON.parse(await ok(p, 'show', 'latest', 'vectors', '--json'))).toMatchObject({
    rows: 30,
    columns: 4,
  });
  expect(await ok(p, 'show', 'latest', 'page')).toContain('index.html');

  // export
  for (const name of [
    'topics.jsonl',
    'topics.csv',
    'topics.tsv',
    'topics.parquet',
    'out/deep/topics.jsonl.gz',
  ])
    expect(await ok(p, 'export', 'latest', 'topics', '-o', name)).toContain(`${name}: 30 rows`);
  expect(readFileSync(p.path('topics.parquet')).subarray(0, 4).toString()).toBe('PAR1');
  expect(gunzipSync(readFileSync(p.path('out/deep/topics.jsonl.gz'))).toString()).toBe(
    p.read('topics.jsonl'),
  );
  // One cluster by its number: as a table, as JSON, as a file.
  const of1 = ['--where', 'row.cluster == 1'];
  expect(await ok(p, 'show', run, 'topics.clusters', ...of1)).toMatch(/^id +cluster +size[^\n]*\n1 +1 +\d/);
  const inspected = JSON.parse(await ok(p, 'show', run, 'topics', '--json', ...of1)) as { rows: unknown[] };
  const exported = JSON.parse(await ok(p, 'export', run, 'topics', '-o', 'one.jsonl', '--json', ...of1)) as {
    rows: number;
  };
  expect(exported.rows).toBe(inspected.rows.length);
  expect(
    p
      .read('one.jsonl')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(inspected.rows);
  await ok(p, 'export', 'latest', 'vectors', '-o', 'vectors.npy');
  expect(readFileSync(p.path('vectors.npy')).subarray(1, 6).toString()).toBe('NUMPY');
  await ok(p, 'export', 'latest', 'page', '-o', 'page.html');
  expect(p.read('page.html')).toMatch(/^<!doctype html>/i);
  const said = JSON.parse(await ok(p, 'export', 'latest', 'topics', '-o', 'x', '--format', 'csv', '--json'));
  expect(said).toMatchObject({ address: 'topics.rows', path: p.path('x'), rows: 30 });

  // graph
  expect(await ok(p, 'graph', 'w.yaml')).toMatch(/^flowchart LR\n/);
  expect(await ok(p, 'graph', 'w.yaml', '--format', 'dot')).toMatch(/^digraph \{/);
  expect(await ok(p, 'graph', 'w.yaml', '--format', 'svg')).toMatch(/^<svg [\s\S]*<\/svg>\n$/);

  // cache
  expect(await ok(p, 'cache')).toMatch(/matrix +\d/);
  expect(JSON.parse(await ok(p, 'cache', 'status', '--json'))).toMatchObject({
    cap_bytes: defaultCacheBytes(p.folder),
  });
  expect(await ok(p, 'cache', 'verify')).toMatch(/^\d+ blobs read, 0 damaged, 0 missing\n$/);
  expect(JSON.parse(await ok(p, 'cache', 'verify', '--json'))).toMatchObject({ damaged: [], missing: [] });
  expect(await ok(p, 'cache', 'gc', '--dry_run', '--size', '1kB')).toMatch(/would remove [1-9]\d* items/);
  expect((await p.run('w.yaml')).step('topics').status).toBe('cached');
  expect(JSON.parse(await ok(p, 'cache', 'gc', '--size', '1kB', '--json'))).toMatchObject({ dry_run: false });
  expect((await p.run('w.yaml')).step('topics').status).toBe('ran');

  // rm
  expect(await ok(p, 'runs', 'rm', run)).toBe(`removed ${run}\n`);
  expect(existsSync(p.path(`runs/${run}`))).toBe(false);
  expect(JSON.parse(await ok(p, 'runs', 'rm', 'latest', 'latest', '--json')).removed).toHaveLength(1);
});

it('says what there is: step types, models, the machine', async () => {
  using p = new TestProject({});
  expect(await ok(p, 'steps')).toMatch(/^ {2}assert +Stops[\s\S]*summarize/);
  expect(await ok(p, 'steps', 'cluster')).toMatch(
    /with\n {2}method {2}kmeans \|.*, default kmeans\n[\s\S]*example\n/,
  );
  expect(JSON.parse(await ok(p, 'steps', 'cluster', '--json'))).toMatchObject({ type: 'cluster' });
  expect((JSON.parse(await ok(p, 'steps', '--json')) as { type: string }[]).map(({ type }) => type)).toEqual(
    expect.arrayContaining(['assert', 'cluster', 'dedupe', 'embed', 'exec', 'load', 'report']),
  );
  expect(await ok(p, 'models')).toMatch(/use-multilingual-v3 +512/);
  expect(JSON.parse(await ok(p, 'models', 'list', '--json')).models).toHaveLength(2);
  expect(await ok(p, 'doctor')).toMatch(/✔ store[\s\S]*✔ onnxruntime/);
  expect(JSON.parse(await ok(p, 'doctor', '--json')).checks[0]).toMatchObject({
    name: 'machine',
    state: 'ok',
  });
  expect(await ok(p, '--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
});

it('writes completion scripts that the shells read', async () => {
  using p = new TestProject({});
  for (const [shell, check] of [
    ['bash', ['-n']],
    ['zsh', ['-n']],
    ['fish', ['--no-execute']],
  ] as const) {
    p.write({ [`completion.${shell}`]: await ok(p, 'completion', shell) });
    const { status, stderr, error } = spawnSync(shell, [...check, p.path(`completion.${shell}`)]);
    // A shell that is not installed cannot say anything.
    if (!error) expect(`${status} ${stderr}`).toBe('0 ');
  }
  const script = `source completion.bash; COMP_WORDS=(reprise cache gc --d); COMP_CWORD=3; _reprise; echo "\${COMPREPLY[@]}"`;
  expect(spawnSync('bash', ['-c', script], { cwd: p.folder }).stdout.toString()).toBe('--dry-run\n');
  // The first word is a command, not a folder that starts the same.
  mkdirSync(p.path('watched'));
  const first = `source completion.bash; COMP_WORDS=(reprise wa); COMP_CWORD=1; _reprise; echo "\${COMPREPLY[@]}"`;
  expect(spawnSync('bash', ['-c', first], { cwd: p.folder }).stdout.toString()).toBe('watch\n');
});

it('has help with examples for every command, on stdout', async () => {
  using p = new TestProject({});
  const overview = await ok(p, '--help');
  expect(await ok(p)).toBe(overview);
  for (const [name, load] of Object.entries(commands)) {
    const { command } = await load();
    expect(overview).toMatch(new RegExp(`^ {2}${name} +\\S`, 'm'));
    for (const path of [[name], ...(command.commands ?? []).map((sub) => [name, sub.name])]) {
      const help = await ok(p, ...path, '--help');
      expect(help).toContain(`usage  reprise ${path.join(' ')}`);
      expect(help).toContain('examples\n');
      expect(help.split('\n').filter((line) => line.includes('undefined'))).toEqual([]);
    }
  }
  expect(await ok(p, 'help', 'cache', 'gc')).toBe(await ok(p, 'cache', 'gc', '-h'));
}, 240_000);

it('keeps the columns of a table without rows', async () => {
  using p = new TestProject({
    'data.jsonl': jsonl([{ id: 'a', text: 'one', label: 'x' }]),
    'w.yaml': `name: empty
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  none: { use: filter, from: rows, with: { where: 'false' } }
  unique: { use: dedupe, from: none }
`,
  });
  await p.run('w.yaml');
  for (const [address, header] of [
    ['none', 'id,text,label'],
    ['unique', 'id,text,label'],
    ['unique.duplicates', 'id,text,label,dup_of,dup_kind,dup_score'],
  ]) {
    await ok(p, 'export', 'latest', address!, '-o', 'empty.csv');
    expect(p.read('empty.csv').trim()).toBe(header);
  }
  await ok(p, 'export', 'latest', 'none', '-o', 'empty.parquet');
  expect(readFileSync(p.path('empty.parquet')).toString('latin1')).toMatch(/text[\s\S]*label/);
});

it('ends quietly when its reader goes away, and goes on when it is slow', async () => {
  using p = new TestProject({
    'data.jsonl': jsonl(Array.from({ length: 4000 }, (_, n) => ({ id: `r${n}`, text: 'long '.repeat(200) }))),
    'w.yaml': 'name: long\nsteps:\n  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }\n',
  });
  await p.run('w.yaml');
  const launcher = resolve(import.meta.dirname, '../../bin/reprise.mjs');
  const show = `"${process.execPath}" "${launcher}" show latest rows --format jsonl`;
  const head = spawnSync('bash', ['-o', 'pipefail', '-c', `${show} | head -1`], { cwd: p.folder });
  expect([head.status, head.stderr.toString()]).toEqual([0, '']);
  expect(JSON.parse(head.stdout.toString())).toMatchObject({ id: 'r0' });
  const slow = spawn('bash', ['-c', show], { cwd: p.folder, stdio: ['ignore', 'pipe', 'inherit'] });
  let lines = 0;
  for await (const piece of slow.stdout) {
    lines += String(piece).split('\n').length - 1;
    await new Promise(setImmediate);
  }
  expect(lines).toBe(4000);
});

it('is ended by the first Ctrl-C where nothing has to be brought in order', async () => {
  using p = new TestProject({});
  // The workflow is a pipe that says nothing: once the command has opened it, it is at work.
  spawnSync('mkfifo', [p.path('silent.yaml')]);
  for (const name of ['plan', 'validate', 'graph']) {
    const { child, ended } = p.start([name, 'silent.yaml']);
    const pipe = await open(p.path('silent.yaml'), 'w');
    child.kill('SIGINT');
    // What shells show as 130.
    expect({ name, ...(await ended) }).toMatchObject({ name, code: null, signal: 'SIGINT', out: '' });
    await pipe.close();
  }
});

describe('a call that is wrong', () => {
  const calls: [string[], RegExp][] = [
    [['frobnicate'], /unknown-command: .*"frobnicate"\n.*reprise --help/],
    [['rn', 'w.yaml'], /unknown-command: .*\n.*did you mean: reprise run/],
    [['rejudge', 'latest'], /wrong-call: rejudge needs <step>.*\n.*reprise rejudge <run> <step>/],
    [['runs', 'latest'], /unknown-command: .*\n.*runs has: list, show, diff, /],
    [['run'], /wrong-call: run needs <file>.*\n.*reprise run <file>/],
    [['run', 'w.yaml', '--keep-goin'], /no option --keep-goin\n.*did you mean --keep-going\?/],
    [['run', 'w.yaml', '--jobs', 'many'], /--jobs cannot be "many"\n.*integer of at least 1/],
    [['run', 'W.yaml'], /file-not-found: there is no file W.yaml\n.*did you mean "w.yaml"\?/],
    [['run', '.'], /file-not-readable: . is a folder, not a file\n.*w.yaml/],
    [['run', 'w.yaml', '--param', 'k'], /param-form: --param k has no value\n.*--param name=value/],
    [['run', 'w.yaml', '--param', 'kk=3'], /unknown-param: .*"kk"\n/],
    [['run', 'w.yaml', '--param', 'k=1'], /wrong-param: --param k must be at least 2, not 1\n/],
    [['run', 'w.yaml', '--only', 'topic'], /unknown-step: --only topic: .*\n.*did you mean "topics"\?/],
    [['plan', 'no.yaml'], /file-not-found/],
    [['show', 'latest', 'rows'], /unknown-run: .*there are no runs yet\n.*reprise run <file>/],
    [['runs', 'show', '2020'], /unknown-run: there is no run "2020"\n.*there are no runs yet/],
    [['runs', 'diff', 'latest~1'], /unknown-run/],
    [['export', 'latest', 'rows'], /no-output-file: export needs a file\n.*-o topics.csv/],
    [['graph', 'w.yaml', '--format', 'png'], /--format cannot be "png"\n.*mermaid, dot, svg/],
    [['steps', 'clustr'], /unknown-step-type: .*"clustr"\n.*did you mean "cluster"\?/],
    [['completion', 'tcsh'], /no completion for tcsh\n.*bash, zsh or fish/],
    [['cache', 'gc', '--answers'], /wrong-call: --answers goes with --older-than/],
    [['cache', 'gc', '--size', 'big'], /size-form: --size big is no size\n.*500MB/],
    [['init', 'w.yaml'], /file-exists: w.yaml is there already, and is not a folder/],
    [['init', 'w.yaml/in/it'], /file-exists: w.yaml is there already, and is not a folder/],
    [['init', '--template', 'topcs'], /--template cannot be "topcs"\n.*did you mean "topics"\?/],
  ];

  it('ends with 2, says what to do on stderr, prints nothing on stdout and runs nothing', async () => {
    using p = project();
    for (const [args, message] of calls) {
      const { code, out, err } = await p.reprise(...args);
      expect({ args, code, out }).toEqual({ args, code: 2, out: '' });
      expect(err).toMatch(message);
      expect(err).toMatch(/\n +(→|w\.yaml:\d+:\d+ declared here)/);
      expect(err).not.toMatch(/^ +at /m);
    }
    expect(existsSync(p.path('runs'))).toBe(false);
  });

  it('gives the problems as the document of --json', async () => {
    using p = project();
    const { code, out } = await p.reprise('run', 'no.yaml', '--json');
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ problems: [{ code: 'file-not-found', severity: 'error' }] });
  });

  it('about a run that is there', async () => {
    using p = project();
    const { run } = await p.run('w.yaml');
    await p.run('w.yaml');
    for (const [args, message] of [
      [['show', 'latest', 'topic'], /unknown-step: .*\n.*did you mean "topics"\?/],
      [
        ['show', 'latest', 'topics', '--columns', 'id,clustr'],
        /topics.rows has no field "clustr"\n.*did you mean "cluster"\?/,
      ],
      [['show', 'latest', 'topics.centres'], /unknown-output: .*\n.*did you mean "centers"\?/],
      [['show', 'latest', 'Topics..'], /error address: /],
      [
        ['show', 'latest', 'topics', '--where', 'row.clster == 1'],
        /cel-evaluation: .*\n.*did you mean "cluster"\?/,
      ],
      [['show', 'latest', 'topics', '--where', 'row.'], /cel-syntax: /],
      [['show', 'latest', 'vectors', '--where', 'true'], /wrong-call: --where chooses rows of a table/],
      [['show', 'latest~7', 'topics'], /unknown-run: .*there are 2 runs/],
      [['show', run.slice(0, 8), 'topics'], /ambiguous-run: /],
      [
        ['export', 'latest', 'vectors', '-o', 'v.csv'],
        /export-format: a matrix cannot be written as csv\n.*npy/,
      ],
      [['export', 'latest', 'topics', '-o', 'v.pdf'], /export-format: .*\n.*jsonl, csv, tsv, parquet/],
      [['export', 'latest', 'topics', '-o', 'w.yaml/v.csv'], /cannot-write: w.yaml\/v.csv/],
    ] as const) {
      const { code, out, err } = await p.reprise(...args);
      expect({ args, code, out }).toEqual({ args, code: 2, out: '' });
      expect(err).toMatch(message);
    }
  });
});
