import { ProblemError } from '../problems.ts';
import type { RunRecord } from '../record/record.ts';
import type { EnvironmentDifference } from './environment.ts';
import type { Missing } from './restore.ts';

/** A run that is not over, or that did nothing, cannot be done again. */
export function refuseUnfinished({ id, status, steps }: RunRecord): void {
  if (status === 'running')
    throw ProblemError.of('run-is-running', `${id} is still running`, { hint: 'wait for its end' });
  const done = steps.some((step) => ['ran', 'cached', 'failed'].includes(step.status));
  if (done) return;
  throw ProblemError.of('nothing-to-compare', `${id} did no step: there is nothing to compare with`, {
    hint:
      steps.length === 0
        ? 'it was killed before its record was written, or failed as it started'
        : 'see: reprise runs show',
  });
}

/** All that is missing, at once. */
export function refuseMissing(missing: readonly Missing[], { id }: RunRecord): void {
  if (missing.length === 0) return;
  throw new ProblemError(
    missing.map(({ what, why, steps }) => ({
      code: 'cannot-be-restored',
      severity: 'error',
      message: `${id} cannot be done again without ${what}: ${why}${steps.length > 0 ? ` (needed by ${steps.join(', ')})` : ''}`,
      hint: 'bring it back as it was; nothing was run',
    })),
  );
}

/** What differs around the run, for `--strict`. */
export function refuseEnvironment(environment: readonly EnvironmentDifference[]): never {
  throw new ProblemError(
    environment.map(({ what, recorded, now }) => ({
      code: 'environment-differs',
      severity: 'error',
      message: `${what} is not as it was: ${recorded ?? 'none'} → ${now ?? 'none'}`,
      hint: 'without --strict it is reproduced all the same, and the verdict says what this changes; nothing was run',
    })),
  );
}
