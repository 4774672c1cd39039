import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../test/temporary.ts';
import { checkSecrets, environmentOf } from './secrets.ts';

it('the environment is that of the process, and else what .env says, the first of several first', () => {
  const [own, other] = [temporaryFolder(), temporaryFolder()];
  writeFileSync(join(own, '.env'), 'A=own\nB=own\n');
  writeFileSync(join(other, '.env'), 'B=other\nC=other\n');
  const env = environmentOf([own, other], { A: 'process', D: 'process', B: undefined });
  expect(env).toMatchObject({ A: 'process', C: 'other', D: 'process' });
  expect(environmentOf([own, other], {})).toEqual({ A: 'own', B: 'own', C: 'other' });
  expect(environmentOf([temporaryFolder()], { A: 'x' })).toEqual({ A: 'x' });
});

it('a secret that cannot be taken out of what is written is refused', () => {
  const workflow = { name: 'nightly_run', steps: [{ id: 'answers[model=a]', use: './steps/mine.ts' }] };
  const check = (value: string) => checkSecrets(workflow, { TOKEN: value });
  expect(() => check('12345')).toThrow(/TOKEN has 5 characters/);
  for (const value of ['nightly', 'answers', 'model=a', 'steps/mine'])
    expect(() => check(value)).toThrow(/part of a name of the workflow/);
  for (const value of ['cached', 'succeeded', 'finished', 'duration_ms', 'matrix'])
    expect(() => check(value)).toThrow(/a word that every record of a run has in it/);
  expect(() => check('nobody-guesses')).not.toThrow();
});
