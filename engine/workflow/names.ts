import type { JsonObject } from '../json.ts';
import { instanceId, parseAddress } from './address.ts';
import type { LocatedScalar } from './located.ts';
import type { PartRows } from './part.ts';

/**
 * What a name stands for: a step's id, or what a step gives to an input of the template that it uses; null for an
 * input to which it gives nothing, which is reported.
 */
export type Meaning = { id: string } | { address: LocatedScalar; names: Names } | null;

/**
 * What names of steps mean in a file, or in a template. A name that is not known here is looked for in the file
 * around it. What is said here can be read there as well, with the prefix in front.
 */
export class Names {
  readonly #meanings = new Map<string, Meaning>();
  readonly #outer: Names | null;
  /** Where the steps can be read, too. */
  readonly #reader: Names | null;
  readonly #prefix: string;
  readonly #axes: JsonObject | null;
  /** The table for whose rows all steps here stand: what they read of each other is of the same row. */
  readonly rows: PartRows | null;

  /**
   * @param options.outer where a name is looked for that is not known here: the including file, or the one that
   * declares the template
   * @param options.reader who reads the steps under their prefixed names: the including file, or the one that uses
   * the template; `outer` if not given
   * @param options.axes the combination that the steps belong to, and `rows`: see `Part`
   */
  constructor(
    options: {
      outer?: Names | undefined;
      reader?: Names;
      prefix?: string;
      axes?: JsonObject | null;
      rows?: PartRows | null;
    } = {},
  ) {
    this.#outer = options.outer ?? null;
    this.#reader = options.reader ?? this.#outer;
    this.#prefix = options.prefix ?? '';
    this.#axes = options.axes ?? null;
    this.rows = options.rows ?? null;
  }

  /** A name that the steps of the file, or of the template, can say. */
  add(name: string, meaning: Meaning): void {
    if (!this.#meanings.has(name)) this.#meanings.set(name, meaning);
  }

  /**
   * A step, which can be read from around the file as well. Here it is the one of the combination that all here belongs to;
   * around a template that is used with a matrix, it stands for all combinations.
   *
   * @param base its id without a combination
   */
  publish(name: string, base: string): void {
    this.add(name, { id: instanceId(base, this.#axes) });
    this.#reader?.publish(this.#prefix + name, base);
  }

  find(name: string): Meaning | undefined {
    return this.#meanings.has(name) ? this.#meanings.get(name) : this.#outer?.find(name);
  }

  /** `x`, or `x[axis=value]`, as the workflow has it; undefined for a name that means no step of this workflow. */
  stepOf(step: string): string | undefined {
    const base = step.replace(/\[.*$/s, '');
    const meaning = this.find(base);
    if (meaning === undefined || meaning === null) return undefined;
    if ('id' in meaning) return withAxes(meaning.id, step.slice(base.length));
    const text = String(meaning.address.value).trim();
    const address = parseAddress(text);
    if ('error' in address || address.run !== null || step !== base) return undefined;
    const given = address.output === null ? text : text.slice(0, -address.output.length - 1);
    return meaning.names.stepOf(given);
  }

  /** Names that can be written here, for "did you mean". */
  get known(): string[] {
    return [...new Set([...this.#meanings.keys(), ...(this.#outer?.known ?? [])])];
  }
}

/** `x[k=10]` and `[m=1]`: `x[k=10,m=1]`. */
function withAxes(id: string, axes: string): string {
  return id.endsWith(']') && axes !== '' ? `${id.slice(0, -1)},${axes.slice(1)}` : id + axes;
}
