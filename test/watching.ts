import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { onTestFinished } from 'vitest';
import type { WatchEvent } from '../engine/watch/events.ts';
import type { CommandResult, TestProject } from './project.ts';

type Event<T extends WatchEvent['type']> = Extract<WatchEvent, { type: T }>;

/** A real `reprise watch --json` in a project. Its events are waited for, one after the other. Dispose it at the end. */
export class Watching implements AsyncDisposable {
  /** Every event so far. */
  readonly events: WatchEvent[] = [];
  readonly ended: Promise<CommandResult>;
  readonly #result: CommandResult;
  readonly #child: ReturnType<TestProject['start']>['child'];
  /** Events before this one were waited for. */
  #seen = 0;
  #over = false;
  #wake: () => void = () => {};

  constructor(project: TestProject, args: string[], env: Record<string, string> = {}) {
    const { child, ended, result } = project.start(['watch', ...args, '--json'], env);
    this.#child = child;
    // A test that ran out of time never gets to its end.
    onTestFinished(() => void child.kill('SIGKILL'));
    this.#result = result;
    this.ended = ended;
    let rest = '';
    child.stdout.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const line of lines) this.events.push(JSON.parse(line) as WatchEvent);
      this.#wake();
    });
    void ended.then(() => {
      this.#over = true;
      this.#wake();
    });
  }

  /** The next event of a type; what comes before it is passed over. */
  async next<T extends WatchEvent['type']>(
    type: T,
    wanted: (event: Event<T>) => boolean = () => true,
  ): Promise<Event<T>> {
    for (;;) {
      for (; this.#seen < this.events.length; ) {
        const event = this.events[this.#seen++]!;
        if (event.type === type && wanted(event as Event<T>)) return event as Event<T>;
      }
      if (this.#over) throw new Error(`no ${type} came before the end:\n${this.#result.err}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The end of the next attempt, with the outcomes of its steps: `id:status`. */
  async attempt(): Promise<Event<'attempt-ended'> & { cause: string; files: string[]; statuses: string[] }> {
    const started = await this.next('attempt-started');
    const from = this.#seen;
    const ended = await this.next('attempt-ended');
    const statuses = this.events
      .slice(from, this.#seen)
      .flatMap((event) =>
        event.type === 'step-finished' ? [`${event.outcome.id}:${event.outcome.status}`] : [],
      );
    return { ...ended, cause: started.cause, files: started.files, statuses };
  }

  get attempts(): Event<'attempt-started'>[] {
    return this.events.filter((event) => event.type === 'attempt-started');
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGINT');
    await this.ended;
  }
}

/** Saves files of a project as most editors do: each is written beside its place and renamed, never half there. */
export function save(project: TestProject, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(project.path(name)), { recursive: true });
    writeFileSync(project.path('.draft'), text);
    renameSync(project.path('.draft'), project.path(name));
  }
}
