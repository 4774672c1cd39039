import { isAbsolute, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StepFailure } from '../events.ts';
import { type Place, ProblemError, StepError, type TextPlace } from '../problems.ts';
import { DamagedBlobError } from '../store/failures.ts';
import type { ResolvedStep } from '../workflow/resolved.ts';

/**
 * An error as records and reporters show it. Only a defect carries a stack.
 *
 * @param root folder of the project: the hint names the place in one of its files where a defect came up
 * @param step the step that failed: it knows where its parameters stand
 */
export function failureOf(error: unknown, root?: string, step?: ResolvedStep): StepFailure {
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
    const { code, message, hint } = error;
    const place = error.at && step && placeIn(step, error.at);
    const problem = place
      ? { code, severity: 'error' as const, message, place, ...(hint !== undefined && { hint }) }
      : null;
    return { code, message, hint: hint ?? null, stack: null, problem };
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
  const place = root === undefined ? null : placeOf(thrown, root);
  return {
    code: 'step-defect',
    message: `${thrown.name}: ${thrown.message}`,
    hint: `an error that the step did not expect${place === null ? '' : `, at ${place}`}; the stack is in run.json`,
    stack: thrown.stack ?? null,
    problem: null,
  };
}

/** The place of a mistake in a parameter's text, in the file of the workflow. */
function placeIn({ sqlTexts = [] }: ResolvedStep, at: TextPlace): Place | undefined {
  const text = sqlTexts.find(({ parameter }) => parameter === at.parameter);
  const start = text?.lines[at.line - 1];
  if (text === undefined || start === undefined) return text?.place;
  return {
    file: text.place.file,
    line: start.line,
    column: start.column + at.column - 1,
    length: at.length,
  };
}

/** `steps/mine.ts:12:7`: the innermost place of the stack that is in a file of the project, packages left out. */
function placeOf({ stack = '' }: Error, root: string): string | null {
  for (const [, url, position] of stack.matchAll(
    /^ +at .*?(file:\/\/\/[^\s?)]+)(?:\?[^\s:)]*)?(:\d+:\d+)\)?$/gm,
  )) {
    // An encoded slash is in no path of a file: somebody wrote it into the message.
    if (/%2f|%5c/i.test(url!)) continue;
    const path = relative(root, fileURLToPath(url!));
    if (isAbsolute(path) || /^\.\.|(^|[/\\])node_modules[/\\]/.test(path)) continue;
    return `${path.replaceAll('\\', '/')}${position}`;
  }
  return null;
}
