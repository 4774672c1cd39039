import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { commitAll, git } from '../git-project.ts';
import { jsonl, numberedTexts, type RunSummary } from '../project.ts';
import { data, ranThen, run, runIn, type Shape, shapeFiles, stepFile, workflow } from './reproduce-shape.ts';

/** Runs that differ in where their files lie, and in what became of them. */
export const shapesOfPlace: Shape[] = [
  { name: 'a clean commit', make: (p) => ranThen(p, {}) },
  {
    name: 'a dirty tree, cleaned since',
    async make(p) {
      commitAll(p.folder);
      p.write({
        'w.yaml': workflow('  kept: { use: filter, from: rows, with: { where: "row.id != \'r1\'" } }\n'),
      });
      const made = await run(p);
      git(p.folder, 'checkout', '-q', '.');
      return made;
    },
  },
  {
    name: 'an untracked step file, deleted since',
    async make(p) {
      commitAll(p.folder);
      p.write({
        'w.yaml': workflow('  mark: { use: ./steps/mark.ts, from: rows }\n'),
        'steps/mark.ts': stepFile("'x'"),
      });
      const made = await run(p);
      rmSync(p.path('steps'), { recursive: true });
      git(p.folder, 'checkout', '-q', '.');
      return made;
    },
  },
  {
    name: 'a staged file, before the first commit',
    async make(p) {
      git(p.folder, 'add', 'w.yaml');
      const made = await run(p);
      p.write({ 'w.yaml': workflow(''), 'data.jsonl': jsonl(numberedTexts(2)) });
      return made;
    },
  },
  {
    name: 'a project folder that was moved',
    async make(p) {
      p.write({ 'sub/reprise.yaml': '', 'sub/w.yaml': shapeFiles['w.yaml'], 'sub/data.jsonl': data });
      commitAll(p.folder);
      const made = await runIn(p, 'sub', 'w.yaml');
      mkdirSync(p.path('elsewhere'));
      renameSync(p.path('sub'), p.path('elsewhere/project'));
      p.write({ 'elsewhere/project/data.jsonl': '' });
      return { ...made, at: 'elsewhere/project' } as RunSummary;
    },
  },
  {
    name: 'a workflow file that was deleted',
    async make(p) {
      const made = await ranThen(p, {});
      rmSync(p.path('w.yaml'));
      commitAll(p.folder, 'without');
      return made;
    },
  },
  {
    name: 'a subfolder of a bigger repository, with files of its neighbours',
    async make(p) {
      p.write({
        'jobs/topics/reprise.yaml': '',
        'jobs/topics/w.yaml':
          'name: shape\ninclude: ../shared/clean.yaml\nsteps:\n  rows: { use: load, with: { path: ../../data.jsonl, text: text, id: id } }\n  mark: { use: ./mark.ts, from: rows }\n',
        'jobs/shared/clean.yaml': 'steps:\n  unique: { use: dedupe, from: rows }\n',
        'jobs/shared/word.ts': "export const word = 'shared';\n",
        'jobs/topics/mark.ts': stepFile('word', "import { word } from '../shared/word.ts';\n"),
      });
      commitAll(p.folder);
      p.write({ 'jobs/shared/word.ts': "export const word = 'not committed';\n" });
      const made = await runIn(p, 'jobs/topics', 'w.yaml');
      rmSync(p.path('jobs/shared'), { recursive: true });
      p.write({ 'data.jsonl': '' });
      commitAll(p.folder, 'later');
      return { ...made, at: 'jobs/topics' } as RunSummary;
    },
  },
  {
    name: 'a detached HEAD whose commit no branch has',
    async make(p) {
      commitAll(p.folder);
      git(p.folder, 'checkout', '-q', '--detach');
      p.write({ 'w.yaml': workflow('  again: { use: dedupe, from: rows }\n') });
      commitAll(p.folder, 'loose');
      const made = await run(p);
      git(p.folder, 'checkout', '-q', 'main');
      return made;
    },
  },
  {
    name: 'a branch that was renamed and went on',
    async make(p) {
      const made = await ranThen(p, { 'w.yaml': workflow('') });
      git(p.folder, 'branch', '-m', 'main', 'trunk');
      return made;
    },
  },
  {
    name: 'no repository',
    bare: true,
    files: {
      'w.yaml': workflow('  mark: { use: ./steps/mark.ts, from: rows }\n'),
      'steps/mark.ts': stepFile("'x'"),
    },
    async make(p) {
      const made = await run(p);
      for (const name of ['w.yaml', 'data.jsonl', 'steps']) rmSync(p.path(name), { recursive: true });
      return made;
    },
  },
  {
    name: 'a data file that git ignores, deleted since',
    files: { 'w.yaml': workflow('').replace('data.jsonl', 'ignored/data.jsonl'), 'ignored/data.jsonl': data },
    async make(p) {
      const made = await ranThen(p, {});
      rmSync(p.path('ignored'), { recursive: true });
      return made;
    },
  },
  {
    name: 'data by an absolute path, in the file and as a param, both gone since',
    async make(p) {
      const outside = `${p.folder}-outside`;
      mkdirSync(outside);
      cpSync(p.path('data.jsonl'), join(outside, 'a.jsonl'));
      cpSync(p.path('data.jsonl'), join(outside, 'b.jsonl'));
      p.write({
        'w.yaml': `name: shape\nparams:\n  path: { type: string }\nsteps:\n  a: { use: load, with: { path: ${outside}/a.jsonl, text: text, id: id } }\n  b: { use: load, with: { path: "\${{ params.path }}", text: text, id: id } }\n`,
      });
      const made = await run(p, 'w.yaml', '--param', `path=${outside}/b.jsonl`);
      rmSync(outside, { recursive: true });
      return made;
    },
  },
  {
    name: 'a param with a path of the folder of the call',
    async make(p) {
      p.write({
        'deep/w.yaml':
          'name: shape\nparams:\n  path: { type: string }\nsteps:\n  rows: { use: load, with: { path: "${{ params.path }}", text: text, id: id } }\n',
        'deep/er/own.jsonl': data,
      });
      commitAll(p.folder);
      const made = await runIn(p, 'deep/er', '../w.yaml', '--param', 'path=./own.jsonl');
      p.write({ 'deep/er/own.jsonl': '' });
      return made;
    },
  },
  {
    name: 'data behind a link, and a file that a step puts somewhere',
    async make(p) {
      const outside = `${p.folder}-outside`;
      mkdirSync(outside);
      cpSync(p.path('data.jsonl'), join(outside, 'data.jsonl'));
      symlinkSync(outside, p.path('linked'));
      p.write({
        'w.yaml': `${workflow('  file: { use: export, from: rows, with: { path: out/rows.csv } }\n').replace('data.jsonl', 'linked/data.jsonl')}`,
      });
      commitAll(p.folder);
      const made = await run(p);
      p.write({ 'out/rows.csv': 'mine', 'linked/data.jsonl': 'changed' });
      return { ...made, outside } as RunSummary;
    },
  },
  {
    name: 'a work tree of git that stands beside the repository',
    async make(p) {
      commitAll(p.folder);
      const beside = `${p.folder}-outside`;
      git(p.folder, 'worktree', 'add', '-q', beside);
      const made = await runIn(p, beside, 'w.yaml');
      p.write({ [`../${beside.split('/').at(-1)}/data.jsonl`]: '' });
      return { ...made, at: beside } as RunSummary;
    },
  },
];
