import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RunRecord } from '../../engine/record/record.ts';
import type { Reproduction } from '../../engine/reproduce/reproduce.ts';
import { commitAll, git, snapshot } from '../git-project.ts';
import { jsonl, numberedTexts, TestProject } from '../project.ts';

const root = join(import.meta.dirname, '../..');

/** A repository that holds the engine itself, as this one does, with a workflow beside it. */
class EngineProject extends TestProject {
  constructor() {
    super({
      'package.json': readFileSync(join(root, 'package.json'), 'utf8'),
      '.gitignore': '.reprise/\n/runs/\nnode_modules\n',
      'data.jsonl': jsonl(numberedTexts(12)),
      'w.yaml':
        'name: own\nsteps:\n  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }\n  kept: { use: filter, from: rows, with: { where: "row.id != \'r1\'" } }\n',
    });
    for (const name of [
      'bin',
      'cli',
      'engine',
      'steps',
      'numerics',
      'schemas',
      'index.ts',
      'package-lock.json',
    ])
      cpSync(join(root, name), this.path(name), { recursive: true });
    cpSync(join(root, 'models'), this.path('models'), {
      recursive: true,
      filter: (path) => !/\.onnx/.test(path),
    });
    symlinkSync(join(root, 'node_modules'), this.path('node_modules'));
    git(this.folder, 'init', '-q');
    commitAll(this.folder);
  }

  /** Runs the engine that is in the project. */
  own(args: readonly string[], env: Record<string, string> = {}): { code: number; out: string; err: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [this.path('bin/reprise.mjs'), ...args], {
      cwd: this.folder,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1', ...env },
    });
    return { code: status ?? -1, out: stdout, err: stderr };
  }

  edit(name: string, from: string, to: string): void {
    const text = this.read(name);
    if (!text.includes(from)) throw new Error(`${name} has no ${from}`);
    writeFileSync(this.path(name), text.replace(from, to));
  }
}

it('an engine whose code changed since is named as the cause; with --engine recorded the run comes out the same', () => {
  using p = new EngineProject();
  // What was not committed of the engine counts as well.
  p.edit('steps/filter/index.ts', 'if (!passes) continue;', "if (!passes && row.id !== 'r2') continue;");
  const { run } = JSON.parse(p.own(['run', 'w.yaml', '--json']).out) as { run: string };
  p.edit('steps/filter/index.ts', "if (!passes && row.id !== 'r2') continue;", 'if (passes) continue;');
  commitAll(p.folder, 'the opposite');
  const before = snapshot(p.folder);

  const now = p.own(['reproduce', run, '--json']);
  expect(now.code, now.err).toBe(3);
  expect(JSON.parse(now.out) as Reproduction).toMatchObject({
    environment: [{ what: 'code of filter', steps: ['kept'] }],
    first_difference: { step: 'kept', causes: ['code steps/filter/index.ts'] },
  });
  const then = p.own(['reproduce', run, '--json', '--engine', 'recorded', '--strict']);
  expect(then.err).toContain('with the engine of commit');
  expect(then.code, then.err).toBe(0);
  expect(JSON.parse(then.out) as Reproduction).toMatchObject({ verdict: 'identical', environment: [] });
  expect(snapshot(p.folder)).toEqual(before);
});

it('an engine that is neither in the commit nor to be had: said before anything runs', () => {
  using p = new EngineProject();
  const { run } = JSON.parse(p.own(['run', 'w.yaml', '--json']).out) as { run: string };
  const path = `runs/${run}/run.json`;
  const record = JSON.parse(p.read(path)) as RunRecord;
  record.environment.engine = '0.0.1';
  record.git!.commit = null;
  p.write({ [path]: JSON.stringify(record) });
  // Nothing listens there.
  const { code, err } = p.own(['reproduce', run, '--engine', 'recorded'], {
    npm_config_registry: 'http://127.0.0.1:9/',
    npm_config_cache: p.path('.npm'),
  });
  expect(code, err).toBe(2);
  expect(err).toContain(
    'engine-not-available: the engine that made the run, reprise 0.0.1, is not to be had',
  );
  expect(err).not.toContain('→ rows');
});
