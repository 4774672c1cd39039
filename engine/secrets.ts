import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { ProblemError, StepError } from './problems.ts';
import { recordWords } from './record/record-shape.ts';
import type { EnvValue, ResolvedWorkflow } from './workflow/resolved.ts';
import { withSecrets } from './workflow/secrets.ts';

/** Values of secrets, by name. They are kept nowhere. */
export type Secrets = Readonly<Record<string, string>>;

/** The secrets that a workflow names, from the environment or else from `.env` in the project's root. */
export function readSecrets(
  { secrets = [], root }: { secrets?: readonly string[] | undefined; root: string },
  env: Readonly<Record<string, string | undefined>>,
): Secrets {
  const file = secrets.every((name) => env[name] !== undefined) ? {} : readEnvFile(root);
  const found: Record<string, string> = {};
  for (const name of secrets) {
    const value = env[name] ?? file[name];
    if (value !== undefined && value !== '') found[name] = value;
  }
  return found;
}

/** A shorter one would be found everywhere: to keep it out of all that is written would leave nothing to read. */
const leastSecret = 6;

/**
 * Refuses secrets that cannot be kept out of what a run writes: very short ones, and what is part of the workflow's
 * names or of the engine's own words in a record. ProblemError `secret-too-short`, `secret-is-a-name`.
 */
export function checkSecrets(
  { name, steps }: { name: string; steps: readonly Pick<ResolvedWorkflow['steps'][number], 'id' | 'use'>[] },
  secrets: Secrets,
): void {
  for (const [secret, value] of Object.entries(secrets)) {
    if (value.length < leastSecret)
      throw ProblemError.of(
        'secret-too-short',
        `the secret ${secret} has ${value.length} characters; one of fewer than ${leastSecret} cannot be kept out of what a run writes`,
        { hint: `what is no secret stands in env as it is: env: [${secret}]` },
      );
    const own = [name, ...steps.flatMap(({ id, use }) => [id, use])].find((text) => text.includes(value));
    if (own !== undefined)
      throw ProblemError.of(
        'secret-is-a-name',
        `the value of the secret ${secret} is part of a name of the workflow: taken out, nothing of its records could be read`,
        { hint: 'take another secret, or another name' },
      );
    if (recordWords().some((word) => word.includes(value)))
      throw ProblemError.of(
        'secret-is-a-name',
        `the value of the secret ${secret} is a word that every record of a run has in it: taken out, nothing of it could be read`,
        { hint: 'take another secret: one that can be guessed is none' },
      );
  }
}

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The environment of a project: what the process has, over what `.env` says.
 *
 * @param roots absolute paths of folders with a `.env`: what the first one says wins
 */
export function environmentOf(roots: readonly string[], env: Environment): Environment {
  const set = Object.entries(env).filter(([, value]) => value !== undefined);
  return Object.assign({}, ...roots.toReversed().map(readEnvFile), Object.fromEntries(set)) as Environment;
}

/** `.env` in the project's root; empty if there is none. StepError `secret-not-set` if it cannot be read. */
export function readEnvFile(root: string): Record<string, string | undefined> {
  try {
    return parseEnv(readFileSync(join(root, '.env'), 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return {};
    throw new StepError('secret-not-set', `.env cannot be read (${code})`);
  }
}

/** A text with the secrets in their places; StepError `secret-not-set`. */
export function filledIn(template: string, secrets: Secrets): string {
  return withSecrets(template, (name) => {
    const value = secrets[name];
    if (value !== undefined) return value;
    throw new StepError(
      'secret-not-set',
      `the secret ${name} is not set`,
      `set it in the environment, or write ${name}=… into the file .env of the project`,
    );
  });
}

/** The variables of a step's environment that hold secrets; null if there are none. */
export function secretEnv(
  env: { readonly [name: string]: EnvValue },
  secrets: Secrets,
): Record<string, string> | null {
  let values: Record<string, string> | null = null;
  for (const [name, value] of Object.entries(env)) {
    if (typeof value === 'string' || !('secrets' in value)) continue;
    values ??= {};
    values[name] = filledIn(value.template, secrets);
  }
  return values;
}
