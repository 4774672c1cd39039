import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { recordFlaw } from '../engine/record/record-shape.ts';

const launcher = resolve(import.meta.dirname, '../bin/reprise.mjs');

/** What a command printed and how it ended. */
export interface CommandResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  out: string;
  err: string;
}

export interface StepSummary {
  id: string;
  status: string;
  reason: string;
  rows: number | null;
  rows_computed: number;
  rows_cached: number;
  rows_failed: number;
  metrics: Record<string, number | string | boolean>;
  outputs: Record<string, string>;
  warnings: string[];
  error: { code: string; message: string; hint: string | null } | null;
}

export interface RunSummary {
  run: string;
  status: string;
  cost: { usd: number; input_tokens: number; output_tokens: number; saved_usd: number };
  steps: StepSummary[];
  warnings: string[];
  /** Exit code of the command. */
  code: number | null;
  err: string;
  step(id: string): StepSummary;
  /** `id:status` of every step, in order. */
  statuses: string[];
}

/** A project in a temporary folder, and the real command line on it. Dispose it at the end. */
export class TestProject implements Disposable {
  readonly folder: string;
  readonly #wrap: (command: string[]) => string[];

  /**
   * @param options.folder an empty folder, instead of a temporary one
   * @param options.wrap makes the command that runs a command elsewhere, such as in a namespace
   */
  constructor(
    files: Record<string, string | Uint8Array>,
    options: { folder?: string; wrap?(command: string[]): string[] } = {},
  ) {
    this.folder = options.folder ?? mkdtempSync(join(tmpdir(), 'reprise-e2e-'));
    this.#wrap = options.wrap ?? ((command) => command);
    this.write({ 'reprise.yaml': '', ...files });
  }

  write(files: Record<string, string | Uint8Array>): void {
    for (const [name, content] of Object.entries(files)) {
      const path = join(this.folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    }
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Starts `reprise <args>` in the project; `detached` in a process group of its own, as a shell does. */
  start(args: readonly string[], env: Record<string, string> = {}, { detached = false } = {}) {
    const [program, ...rest] = this.#wrap([process.execPath, launcher, ...args]);
    const child = spawn(program!, rest, {
      cwd: this.folder,
      env: { ...process.env, ...env, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached,
    });
    const result: CommandResult = { code: null, signal: null, out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      result.out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      result.err += text;
    });
    const ended = new Promise<CommandResult>((done, failed) => {
      child.on('error', failed);
      child.on('close', (code, signal) => done({ ...result, code, signal }));
    });
    return { child, ended, result };
  }

  /** Runs `reprise <args>` to its end. */
  reprise(...args: string[]): Promise<CommandResult> {
    return this.start(args).ended;
  }

  /** Runs a workflow with `--json`. Its record must have the shape that its schema says. */
  async run(...args: string[]): Promise<RunSummary> {
    const summary = summaryOf(await this.reprise('run', ...args, '--json'));
    const path = `runs/${summary.run}/run.json`;
    const flaw = existsSync(this.path(path)) ? recordFlaw(JSON.parse(this.read(path))) : null;
    if (flaw !== null) throw new Error(`${path} is not as its schema says: ${flaw}`);
    return summary;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What `run --json` printed. */
export function summaryOf({ code, out, err }: CommandResult): RunSummary {
  if (!out.startsWith('{')) throw new Error(`the run ended with ${code}:\n${err}`);
  const summary = JSON.parse(out) as Omit<RunSummary, 'step' | 'code' | 'err' | 'statuses'>;
  return {
    ...summary,
    code,
    err,
    statuses: summary.steps.map(({ id, status }) => `${id}:${status}`),
    step(id) {
      const found = summary.steps.find((step) => step.id === id);
      if (!found) throw new Error(`no step ${id}`);
      return found;
    },
  };
}

/** Rows as JSON Lines. */
export function jsonl(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** `count` short texts with ids `r0`, `r1`, … */
export function numberedTexts(count: number): { id: string; text: string }[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `r${index}`,
    text: `text number ${index} of many`,
  }));
}
