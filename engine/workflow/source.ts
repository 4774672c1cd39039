import { relative, sep } from 'node:path';
import type { Digest } from '../digest.ts';
import { digestOf } from '../digest.ts';
import type { Place } from '../problems.ts';

/** A text file that problems can point into. */
export class SourceFile {
  /** Absolute path. */
  readonly path: string;
  /** As the user would write it: relative to the folder the command was called in. */
  readonly display: string;
  readonly text: string;
  readonly #cwd: string;
  #lineStarts: number[] | undefined;
  #digest: Digest | undefined;

  constructor(path: string, text: string, cwd: string) {
    this.path = path;
    this.display = displayPath(path, cwd);
    this.text = text;
    this.#cwd = cwd;
  }

  /** The same file as it is come to in another way: see `ProblemList.setChain`. */
  copy(): SourceFile {
    return new SourceFile(this.path, this.text, this.#cwd);
  }

  get digest(): Digest {
    this.#digest ??= digestOf(this.text);
    return this.#digest;
  }

  /** The place of a range of offsets; what lies behind the end of its first line is not marked. */
  place(start: number, end: number): Place {
    const starts = this.#starts();
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= start) low = middle;
      else high = middle - 1;
    }
    const next = starts[low + 1];
    let lineEnd = next === undefined ? this.text.length : next - 1;
    if (this.text[lineEnd - 1] === '\r') lineEnd--;
    return {
      file: this.display,
      line: low + 1,
      column: start - starts[low]! + 1,
      length: Math.max(1, Math.min(end, lineEnd) - start),
    };
  }

  #starts(): number[] {
    if (this.#lineStarts === undefined) {
      this.#lineStarts = [0];
      for (let at = this.text.indexOf('\n'); at !== -1; at = this.text.indexOf('\n', at + 1))
        this.#lineStarts.push(at + 1);
    }
    return this.#lineStarts;
  }
}

/** A path as a person in `cwd` would type it, with `/` on every system. */
export function displayPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  const chosen = short === '' ? '.' : short.startsWith(`..${sep}..${sep}..`) ? path : short;
  return sep === '/' ? chosen : chosen.replaceAll(sep, '/');
}
