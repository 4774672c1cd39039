/** One `reprise <command>`: the single source for parsing, `--help`, completion and docs/commands.md. */
export interface Command {
  readonly name: string;
  /** One line, for the overview. */
  readonly summary: string;
  /** A paragraph for `--help` and the docs. */
  readonly description?: string;
  /** `<file>` is needed, `[dir]` is not, `<file...>` takes all that follow. */
  readonly arguments?: readonly { name: string; description: string }[];
  readonly options?: readonly Option[];
  /** Commands of a group (`runs list`); then there is no `run`. */
  readonly commands?: readonly Command[];
  /** Name of the sub-command that is meant when none is given. */
  readonly default?: string;
  readonly examples: readonly { line: string; does: string }[];
  /** Gives the exit code: 0 if it returns nothing. */
  run?(
    args: readonly (string | string[] | undefined)[],
    options: Options,
    cli: Cli,
  ): Promise<number | undefined>;
}

export interface Option {
  /** `--param <k=v>`, `-o, --output <file>`, `--json`. With dashes; underscores are accepted as well. */
  readonly flags: string;
  readonly description: string;
  /** May be given several times; the value is an array. */
  readonly repeat?: boolean;
  readonly choices?: readonly string[];
  readonly default?: string | boolean;
  /** An integer of at least this. */
  readonly atLeast?: number;
}

/** Option values by camelCase name. */
export type Options = Readonly<Record<string, string | number | boolean | string[] | undefined>>;

/** What a command gets of the process that it runs in. */
export interface Cli {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Results. */
  out(text: string): void;
  /** Results of any length: goes on when the reader has taken what was written before. */
  outAll(pieces: AsyncIterable<Uint8Array | string>): Promise<void>;
  /** All else: progress, problems, hints. */
  err(text: string): void;
  /** Whether stdout, stderr are terminals. */
  readonly terminal: { out: boolean; err: boolean };
  /** Colours for text on stderr or stdout; the text itself where there is no terminal or NO_COLOR is set. */
  readonly paint: Paint;
  /** Columns of the terminal. */
  readonly columns: number;
  /**
   * Aborted by the first Ctrl-C or SIGTERM, so that a command comes to an orderly end. One that never asks for it has
   * nothing to bring in order: the signal ends it at once.
   */
  readonly signal: AbortSignal;
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'cyan' | 'magenta';
export type Paint = (style: Style, text: string) => string;
