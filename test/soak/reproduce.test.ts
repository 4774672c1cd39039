import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { git, snapshot } from '../git-project.ts';
import { TestProject } from '../project.ts';
import { temporaryFolder } from '../temporary.ts';
import { shapesOfPlace } from './reproduce-places.ts';
import { shapeFiles } from './reproduce-shape.ts';
import { shapesOfWork } from './reproduce-work.ts';

const launcher = join(import.meta.dirname, '../../bin/reprise.mjs');

/** `reprise reproduce` in a folder. */
function reproduceIn(
  folder: string,
  scratch: string,
  ...args: string[]
): { code: number; out: string; err: string } {
  try {
    const out = execFileSync(process.execPath, [launcher, 'reproduce', ...args], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TMPDIR: scratch, NO_COLOR: '1' },
    });
    return { code: 0, out, err: '' };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { code: status, out: stdout, err: stderr };
  }
}

/** What reproducing left in the folder for temporary files. */
const leftIn = (scratch: string) => readdirSync(scratch).filter((name) => name.startsWith('reprise-'));

describe('a run comes out the same again from its id alone', () => {
  it.each([...shapesOfPlace, ...shapesOfWork].map((shape) => [shape.name, shape] as const))(
    '%s',
    async (_, shape) => {
      using p = new TestProject({ ...shapeFiles, ...shape.files });
      if (!shape.bare) git(p.folder, 'init', '-q');
      try {
        const made = (await shape.make(p)) as Awaited<ReturnType<typeof shape.make>> & { at?: string };
        const at = made.at === undefined ? p.folder : made.at.startsWith('/') ? made.at : p.path(made.at);
        const scratch = temporaryFolder();
        const before = snapshot(p.folder);
        const outside = existsSync(`${p.folder}-outside`) ? snapshot(`${p.folder}-outside`) : null;
        const { code, out, err } = reproduceIn(at, scratch, made.run, '--json');
        expect(code, `${err}\n${out}`).toBe(0);
        const said = JSON.parse(out) as {
          verdict: string;
          steps: { verdict: string }[];
          environment: unknown[];
        };
        expect(said.verdict).toBe('identical');
        expect(said.steps.filter(({ verdict }) => verdict === 'different')).toEqual([]);
        expect(said.environment).toEqual([]);
        expect(leftIn(scratch)).toEqual([]);
        expect(snapshot(p.folder)).toEqual(before);
        if (outside) expect(snapshot(`${p.folder}-outside`)).toEqual(outside);
      } finally {
        rmSync(`${p.folder}-outside`, { recursive: true, force: true });
      }
    },
  );
});
