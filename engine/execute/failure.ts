import type { StepFailure } from '../events.ts';
import { ProblemError, StepError } from '../problems.ts';
import { DamagedBlobError } from '../store/failures.ts';

/** An error as records and reporters show it. Only a defect carries a stack. */
export function failureOf(error: unknown): StepFailure {
  if (error instanceof ProblemError) {
    const [problem] = error.problems;
    return {
      code: problem!.code,
      message: problem!.message,
      hint: problem!.hint ?? null,
      stack: null,
      problem: problem!,
    };
  }
  if (error instanceof StepError) {
    return { code: error.code, message: error.message, hint: error.hint ?? null, stack: null, problem: null };
  }
  if (error instanceof DamagedBlobError) {
    return {
      code: error.code,
      message: error.message,
      hint: 'run the workflow that made it again, with --force for its step',
      stack: null,
      problem: null,
    };
  }
  const thrown = error instanceof Error ? error : new Error(String(error));
  const { code } = thrown as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return {
      code: 'disk-full',
      message: `a disk is full: ${thrown.message}`,
      hint: 'free some space and run again: what is done stays done',
      stack: null,
      problem: null,
    };
  }
  return {
    code: 'step-defect',
    message: `${thrown.name}: ${thrown.message}`,
    hint: 'an error that the step did not expect; the stack is in run.json',
    stack: thrown.stack ?? null,
    problem: null,
  };
}
