/** A place in a text file. Lines and columns count from 1, in UTF-16 code units as editors do. */
export interface Place {
  /** Path as the user would write it: relative to the folder the command was called in. */
  file: string;
  line: number;
  column: number;
  /** Length of the marked text on its first line, at least 1. */
  length: number;
}

/** An expected failure of what the user gave us: what, where, and what to do. */
export interface Problem {
  /** Stable and searchable, such as `unknown-key`. Documented in docs/problems.md. */
  code: string;
  severity: 'error' | 'warning';
  message: string;
  place?: Place;
  /** What to write instead, or what to do. */
  hint?: string;
  /** How we came here: the include chain, the other end of a cycle. */
  trail?: { place: Place; message: string }[];
}

/** Thrown where a problem ends the command: the workflow or the call is wrong and nothing was run (exit code 2). */
export class ProblemError extends Error {
  readonly problems: Problem[];

  constructor(problems: Problem[]) {
    super(problems.map((problem) => problem.message).join('; '));
    this.name = 'ProblemError';
    this.problems = problems;
  }

  static of(
    code: string,
    message: string,
    more: Omit<Problem, 'code' | 'message' | 'severity'> = {},
  ): ProblemError {
    return new ProblemError([{ code, severity: 'error', message, ...more }]);
  }
}

/** A place in a text: `line` and `column` count from 1, in UTF-16 code units. */
export interface TextPlace {
  /** The text's parameter. */
  parameter: string;
  line: number;
  column: number;
  /** Length of what is meant, at least 1. */
  length: number;
}

/**
 * Thrown by a step for a failure that it expects (a missing column, a program that exits 1): shown without a
 * stack. Anything else that a step throws is shown as a defect of the step.
 */
export class StepError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  /** Whether trying again may help (a program that failed, a timeout): only then do `retries` count. */
  readonly retryable: boolean;
  /** Where in the text of a parameter marked `sql` the mistake is; the engine knows where that stands. */
  readonly at: TextPlace | undefined;

  constructor(
    code: string,
    message: string,
    hint?: string,
    { retryable = false, at }: { retryable?: boolean; at?: TextPlace | undefined } = {},
  ) {
    super(message);
    this.name = 'StepError';
    this.code = code;
    this.hint = hint;
    this.retryable = retryable;
    this.at = at;
  }
}
