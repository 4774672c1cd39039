import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { exampleRecord } from '../../test/run-record.ts';
import { temporaryFolder } from '../../test/temporary.ts';
import { digestOf, hexOf } from '../digest.ts';
import { thisHost } from '../store/session.ts';
import { importedModels, pruneModels } from './models.ts';

it('a model that an import needs after all gets back every file that it has not put there itself', () => {
  const folder = temporaryFolder();
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  const [needed, unused] = ['needed', 'unused'].map((name) => hexOf(digestOf(name)));
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const models = join(folder, '.reprise/models');
  // As two processes leave it, one that was killed while it removed models, and one that imports a run.
  write(`.reprise/models/.gone-${thisHost}-${pid}-${needed}/encoders/a/onnx/model.onnx`, 'weights');
  write(`.reprise/models/.gone-${thisHost}-${pid}-${needed}/encoders/a/tokenizer.json`, 'changed');
  write(`.reprise/models/.gone-${thisHost}-${pid}-${unused}/encoders/a/tokenizer.json`, '{}');
  write(`.reprise/models/${needed}/encoders/a/tokenizer.json`, '{}');
  const digest = `sha256:${needed}` as const;
  const record = exampleRecord({ models: [{ name: 'encoders/a', asked: null, served: [], digest }] });
  write('runs/a/run.json', JSON.stringify(record));
  expect(pruneModels(join(folder, '.reprise'), join(folder, 'runs'))).toEqual([]);
  expect(readdirSync(models)).toEqual([needed]);
  const read = (name: string) => readFileSync(join(models, needed!, 'encoders/a', name), 'utf8');
  expect(['onnx/model.onnx', 'tokenizer.json'].map(read)).toEqual(['weights', '{}']);
});

it('models that came with archives go when no run names them any more', () => {
  const folder = temporaryFolder();
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  const [used, arriving, unused] = ['used', 'arriving', 'unused'].map((name) => hexOf(digestOf(name)));
  for (const hex of [used, arriving, unused])
    write(`.reprise/models/${hex}/encoders/a/model.onnx`, 'weights');
  const record = (hex: string) =>
    JSON.stringify(
      exampleRecord({ models: [{ name: 'encoders/a', asked: null, served: [], digest: `sha256:${hex}` }] }),
    );
  write('runs/a/run.json', record(used!));
  write('runs/.import-host-1-x/b/run.json', record(arriving!));
  write('runs/README.md', 'runs');
  const [store, runs] = [join(folder, '.reprise'), join(folder, 'runs')];
  const gone = [{ digest: `sha256:${unused}`, bytes: 'weights'.length }];
  expect(pruneModels(store, runs, { dryRun: true })).toEqual(gone);
  expect(importedModels(store)).toHaveLength(3);
  expect(pruneModels(store, runs)).toEqual(gone);
  expect(importedModels(store).sort()).toEqual(
    [used, arriving].map((hex) => join(store, 'models', hex!)).sort(),
  );
  expect(pruneModels(store, runs)).toEqual([]);
  expect(pruneModels(join(folder, 'nowhere'), runs)).toEqual([]);
  expect(existsSync(join(folder, 'nowhere'))).toBe(false);
});
