// Makes dist/: the sources as a few JavaScript files (a run with nothing to do is over before Node has found 70), their
// types, and the digests of the step types' code, so that the installed package has the same fingerprints as a checkout.
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';
import { precomputeCode } from '../engine/fingerprint/precompute.ts';
import { createStepRegistry } from '../steps/registry.ts';

const root = dirname(import.meta.dirname);
const dist = join(root, 'dist');
rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});

const sources = globSync('{index.ts,{engine,steps,models,numerics,cli}/**/*.ts}', {
  cwd: root,
  exclude: (path) => /\.test\.ts$|templates|write-\w+\.ts$/.test(path),
});
// What is started by its path, or finds other files from where it lies, keeps its place: an entry stays its own file.
const keepsItsPlace = (path) =>
  /\bimport\.meta\.|\bparentPort\b/.test(readFileSync(join(root, path), 'utf8'));
const entries = [
  'index.ts',
  'cli/main.ts',
  'steps/exec/launcher-process.ts',
  'cli/watch/attempt-process.ts',
  ...sources.filter(keepsItsPlace),
];
/** By module, what it imports at once. */
const imports = new Map();
const bundle = await rolldown({
  cwd: root,
  input: Object.fromEntries(entries.map((path) => [path.replace(/\.ts$/, ''), join(root, path)])),
  external: /^[^./]/,
  platform: 'node',
  treeshake: false,
  tsconfig: false,
  transform: { target: 'node24' },
  preserveEntrySignatures: 'allow-extension',
  logLevel: 'warn',
  plugins: [{ name: 'imports', moduleParsed: ({ id, importedIds }) => void imports.set(id, importedIds) }],
});
/** Whether a module is loaded with one of `firsts` and may lie in one file with it. */
function loadedWith(firsts) {
  let all;
  return (id) => {
    all ??= closureOf(firsts.map((path) => join(root, path)));
    return all.has(id) && !entries.includes(relative(root, id));
  };
}
function closureOf(firsts) {
  const all = new Set(firsts);
  for (const id of all) for (const imported of imports.get(id) ?? []) all.add(imported);
  return all;
}
// Finding, reading and linking a file takes longer than what most of them do: what `run` always needs is one file, and
// what it needs when there is something to do is another.
const groups = [
  { name: 'run', test: loadedWith(['cli/commands/run.ts']), priority: 2 },
  { name: 'work', test: loadedWith(['engine/execute/pool.ts', 'engine/execute/run-step.ts']), priority: 1 },
];
await bundle.write({
  dir: dist,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name]-[hash].js',
  comments: false,
  codeSplitting: { groups },
});
await bundle.close();

const registry = createStepRegistry(root);
const types = registry.names.map((use) => registry.find(use));
writeFileSync(join(dist, 'code.json'), JSON.stringify(precomputeCode(types, join(root, 'engine'))));
