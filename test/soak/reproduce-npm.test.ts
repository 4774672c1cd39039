import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { Reproduction } from '../../engine/reproduce/reproduce.ts';
import { npmRegistry } from '../npm-registry.ts';
import { jsonl, numberedTexts, TestProject } from '../project.ts';
import { temporaryFolder } from '../temporary.ts';

const root = join(import.meta.dirname, '../..');
const version = '0.0.9';
const bin = { reprise: 'bin/reprise.mjs' };

/** An older engine, of which `filter` leaves out one row more: its sources, and the package that they are built to. */
let sources: TestProject;
let tarball: string;

beforeAll(() => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
  // Its packages are found in a folder above: the registry below has no other package.
  const { dependencies: _, optionalDependencies: __, overrides: ___, ...rest } = manifest;
  sources = new TestProject({ 'package.json': JSON.stringify({ ...rest, version }) });
  for (const name of ['bin', 'cli', 'engine', 'steps', 'numerics', 'schemas', 'index.ts'])
    cpSync(join(root, name), sources.path(name), { recursive: true });
  for (const name of ['tsconfig.json', 'tsconfig.build.json']) cpSync(join(root, name), sources.path(name));
  cpSync(join(root, 'models'), sources.path('models'), {
    recursive: true,
    filter: (path) => !/\.(onnx|ftz|bin)/.test(path),
  });
  symlinkSync(join(root, 'node_modules'), sources.path('node_modules'));
  const filter = sources.read('steps/filter/index.ts');
  const changed = filter.replace('if (!passes) continue;', "if (!passes || row.id === 'r2') continue;");
  if (changed === filter) throw new Error('filter is written in another way now');
  sources.write({ 'steps/filter/index.ts': changed });
  const silent = {
    cwd: sources.folder,
    stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'],
  };
  // npm may be set up to run no scripts.
  execFileSync(process.execPath, ['bin/build.mjs'], silent);
  execFileSync('npm', ['pack', '--silent', '--ignore-scripts'], silent);
  tarball = sources.path(`reprise-${version}.tgz`);
  return () => sources[Symbol.dispose]();
});

/** A project that the older engine has run in, with a lockfile that has this integrity of it. */
function projectWith(integrity: string): { project: TestProject; run: string } {
  const project = new TestProject({
    'data.jsonl': jsonl(numberedTexts(12)),
    'package-lock.json': JSON.stringify({
      lockfileVersion: 3,
      packages: { 'node_modules/reprise': { version, integrity } },
    }),
  });
  symlinkSync(join(root, 'node_modules'), project.path('node_modules'));
  const wait = `if [ -e ${project.path('wait')} ]; then echo $$ > ${project.path('started')}; sleep 60; fi`;
  project.write({
    'w.yaml': `name: older
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  kept: { use: filter, from: rows, with: { where: "row.id != 'r1'" } }
  told: { use: exec, from: kept, with: { run: '${wait}; cp "$REPRISE_INPUT" out.jsonl', outputs: { rows: out.jsonl } } }
`,
  });
  const made = spawnSync(process.execPath, [sources.path('bin/reprise.mjs'), 'run', 'w.yaml', '--json'], {
    cwd: project.folder,
    encoding: 'utf8',
  });
  const { run } = JSON.parse(made.stdout) as { run: string };
  return { project, run };
}

/** Where npm finds the package, and keeps it: below the project, so that its packages are found above. */
const npmOf = (project: TestProject, { url }: { url: string }) => ({
  npm_config_registry: url,
  npm_config_cache: project.path('.npm'),
  npm_config_update_notifier: 'false',
});

it('the engine that made a run comes from npm, and makes it again', async () => {
  using registry = await npmRegistry({ name: 'reprise', version, bin, tarball });
  const { project, run } = projectWith(registry.integrity);
  using p = project;
  const now = await p.reprise('reproduce', run, '--json');
  expect(now.code, now.err).toBe(3);
  expect(JSON.parse(now.out) as Reproduction).toMatchObject({ first_difference: { step: 'kept' } });

  const env = { ...npmOf(p, registry), TMPDIR: temporaryFolder() };
  const then = await p.start(['reproduce', run, '--json', '--strict', '--engine', 'recorded'], env).ended;
  expect(then.code, then.err).toBe(0);
  expect(then.err).toContain(`with reprise ${version} from npm`);
  expect(JSON.parse(then.out) as Reproduction).toMatchObject({
    engine: version,
    verdict: 'identical',
    environment: [],
  });
  expect(readdirSync(env.TMPDIR).filter((name) => name.startsWith('reprise-'))).toEqual([]);

  // Ctrl-C in the one that was called reaches the one that works, and the program that it started.
  writeFileSync(p.path('wait'), '');
  const { child, ended } = p.start(['reproduce', run, '--engine', 'recorded'], env);
  await new Promise<void>((done) => {
    const watcher = watch(p.folder, () => {
      if (!existsSync(p.path('started')) || p.read('started') === '') return;
      watcher.close();
      done();
    });
  });
  child.kill('SIGINT');
  const stopped = await ended;
  expect(stopped.code, stopped.err).toBe(130);
  expect(() => process.kill(Number(p.read('started')), 0)).toThrow('ESRCH');
  expect(readdirSync(env.TMPDIR).filter((name) => name.startsWith('reprise-'))).toEqual([]);
});

it('a package that is not the one of the lockfile is refused before anything of it runs', async () => {
  using registry = await npmRegistry({ name: 'reprise', version, bin, tarball });
  const other = `sha512-${Buffer.alloc(64).toString('base64')}`;
  const { project, run } = projectWith(other);
  using p = project;
  const { code, out, err } = await p.start(['reproduce', run, '--engine', 'recorded'], npmOf(p, registry))
    .ended;
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(
    `engine-not-available: the engine that made the run, reprise ${version}, is not to be had`,
  );
  expect(err).toContain(`its package is ${registry.integrity}, and the lockfile of the run has ${other}`);
});
