import type { Place, Problem } from '../problems.ts';
import { placeOf, type Span } from './located.ts';
import type { SourceFile } from './source.ts';

type More = Omit<Problem, 'code' | 'message' | 'severity' | 'place'>;

/** Collects the problems of a workflow: each once, with the include chain of the file it is in. */
export class ProblemList {
  readonly #problems = new Map<string, Problem>();
  /** Places of values that YAML's rules already refuse. */
  readonly #unreadable = new Set<string>();
  readonly #chains = new Map<SourceFile, { place: Place; message: string }[]>();

  /** Says how the reader came to a file: problems in it carry the chain as their trail. */
  setChain(file: SourceFile, chain: readonly { place: Place; message: string }[]): void {
    if (chain.length > 0)
      this.#chains.set(
        file,
        chain.map(({ place, message }) => ({ place, message })),
      );
  }

  chainOf(file: SourceFile): readonly { place: Place; message: string }[] {
    return this.#chains.get(file) ?? [];
  }

  error(code: string, message: string, where?: Span, more: More = {}): void {
    this.#add('error', code, message, where, more);
  }

  warning(code: string, message: string, where?: Span, more: More = {}): void {
    this.#add('warning', code, message, where, more);
  }

  get errors(): Problem[] {
    return this.#sorted().filter((problem) => problem.severity === 'error');
  }

  get warnings(): Problem[] {
    return this.#sorted().filter((problem) => problem.severity === 'warning');
  }

  get failed(): boolean {
    return this.#problems.values().some((problem) => problem.severity === 'error');
  }

  #add(
    severity: 'error' | 'warning',
    code: string,
    message: string,
    where: Span | undefined,
    more: More,
  ): void {
    const place = where && placeOf(where);
    const chain = where && this.#chains.get(where.file);
    const trail = [...(more.trail ?? []), ...(chain ?? [])];
    const problem: Problem = {
      code,
      severity,
      message,
      ...(place && { place }),
      ...(more.hint !== undefined && { hint: more.hint }),
      ...(trail.length > 0 && { trail }),
    };
    // What several checks or several instances of a matrix find at one place is one mistake.
    const several = code.startsWith('missing-') || place === undefined;
    const at = `${place?.file}:${place?.line}:${place?.column}`;
    // What stands behind an unknown alias is not known: that it does not fit is no second mistake.
    if (code.startsWith('yaml-')) this.#unreadable.add(at);
    else if (this.#unreadable.has(at)) return;
    const key = `${code}\0${at}\0${several ? message : ''}`;
    if (!this.#problems.has(key)) this.#problems.set(key, problem);
  }

  #sorted(): Problem[] {
    const files = [...new Set([...this.#problems.values()].map((problem) => problem.place?.file))];
    return [...this.#problems.values()].sort(
      (a, b) =>
        files.indexOf(a.place?.file) - files.indexOf(b.place?.file) ||
        (a.place?.line ?? 0) - (b.place?.line ?? 0) ||
        (a.place?.column ?? 0) - (b.place?.column ?? 0),
    );
  }
}
