import { type CelCompiler, CelError, type CelPath, type CelProgram } from '../cel.ts';
import type { Json, JsonObject } from '../json.ts';
import { type Located, type LocatedScalar, placeOf, pointerTo, spanWithin } from './located.ts';
import type { ProblemList } from './problem-list.ts';
import type { ResolvedStep } from './resolved.ts';
import { meaningOf, type Scope } from './scope.ts';
import { inText, literal, templateParts } from './template.ts';

export interface Expansion {
  value: Json;
  /** Pointers of values that could not be had; the problem is reported. */
  unknown: string[];
  /** Values that wait for metrics. */
  deferred: { pointer: string; template: string; node: LocatedScalar }[];
}

/** A metric (or a whole step) that an expression reads. */
export interface Reference {
  step: string;
  metric: string | null;
  span: { file: LocatedScalar['file']; start: number; end: number };
}

/** A bare expression with what is known written into it. */
export interface Folded {
  source: string;
  /** As it was written, but for the steps, which go by their ids. */
  named: string;
  /** The same with each metric in `${{ }}`, to be filled in as a literal. */
  template: string;
  program: CelProgram;
  /** It reads metrics, so it has no value yet. */
  waits: boolean;
}

const roots = ['params', 'env', 'matrix', 'run', 'steps'];

/** Expands `${{ }}` and folds what is known into bare expressions. Reports what is wrong, with its place. */
export class Expander {
  readonly #cel: CelCompiler;
  readonly #problems: ProblemList;
  readonly #programs = new Map<string, CelProgram | CelError>();
  /** Told of every metric that an expression reads. */
  onReference: (reference: Reference) => void = () => {};

  constructor(cel: CelCompiler, problems: ProblemList) {
    this.#cel = cel;
    this.#problems = problems;
  }

  /** All expressions in a value. `raw` says which texts are left as they are (prompts). */
  expand(node: Located, scope: Scope, raw: (pointer: string) => boolean = () => false): Expansion {
    const expansion: Expansion = { value: null, unknown: [], deferred: [] };
    const visit = (item: Located, pointer: string): Json => {
      if (item.kind === 'list')
        return item.items.map((member, index) => visit(member, `${pointer}/${index}`));
      if (item.kind === 'map') {
        const object: JsonObject = {};
        for (const [key, { value }] of item.entries) object[key] = visit(value, pointer + pointerTo(key));
        return object;
      }
      if (typeof item.value !== 'string' || !item.value.includes('${{') || raw(pointer)) return item.value;
      const result = this.#scalar(item, item.value, scope);
      if (result.kind === 'value') return result.value;
      if (result.kind === 'failed') expansion.unknown.push(pointer);
      else expansion.deferred.push({ pointer, template: result.template, node: item });
      return null;
    };
    expansion.value = visit(node, '');
    return expansion;
  }

  #scalar(
    node: LocatedScalar,
    text: string,
    scope: Scope,
  ): { kind: 'value'; value: Json } | { kind: 'deferred'; template: string } | { kind: 'failed' } {
    const parts = templateParts(text);
    if ('unclosed' in parts) {
      const span = spanWithin(node, parts.unclosed, parts.unclosed + 3);
      this.#problems.error('expression-unclosed', 'this ${{ is never closed', span, {
        hint: 'close it with }}',
      });
      return { kind: 'failed' };
    }
    const values: Json[] = [];
    let template = '';
    let waits = false;
    let failed = false;
    for (const part of parts) {
      if (part.kind === 'text') {
        values.push(part.text);
        template += part.text;
        continue;
      }
      const folded = this.#fold(part.source, node, part.start, scope, roots);
      if (folded === undefined) {
        failed = true;
        continue;
      }
      const later = `\${{ ${folded.source.trim()} }}`;
      if (folded.waits) {
        waits = true;
        template += later;
        continue;
      }
      const value = this.#evaluate(folded.program, node, part.start, scope);
      if (value === undefined) failed = true;
      else {
        values.push(value);
        // Where secrets may stand nothing else is filled in later.
        template += scope.secrets ? inText(value) : later;
      }
    }
    if (failed) return { kind: 'failed' };
    if (waits) return { kind: 'deferred', template };
    return { kind: 'value', value: parts.length === 1 ? values[0]! : values.map(inText).join('') };
  }

  #evaluate(program: CelProgram, node: LocatedScalar, offset: number, scope: Scope): Json | undefined {
    try {
      return program.evaluate({
        params: scope.params,
        env: scope.env,
        matrix: scope.matrix ?? {},
        run: scope.run,
      });
    } catch (error) {
      this.#reportCel(error, node, offset);
      return undefined;
    }
  }

  /**
   * Checks a bare expression (`when`, `where`, `that`) and writes the values of params, env, matrix and run into it;
   * what it reads beside them stays. `names`: all that it may read; anything if not given.
   */
  bare(node: LocatedScalar, text: string, scope: Scope, names?: readonly string[]): Folded | undefined {
    return this.#fold(text, node, 0, scope, names);
  }

  #fold(
    source: string,
    node: LocatedScalar,
    offset: number,
    scope: Scope,
    names: readonly string[] | undefined,
  ): Folded | undefined {
    const program = this.#compile(source);
    if (program instanceof CelError) {
      this.#reportCel(program, node, offset);
      return undefined;
    }
    let folded = '';
    let template = '';
    let renamed = '';
    let copied = 0;
    let waits = false;
    const replace = (path: CelPath, inSource: string, inTemplate: string, name?: string): void => {
      const before = source.slice(copied, path.start);
      folded += before + inSource;
      template += before + inTemplate;
      renamed += before + (name ?? source.slice(path.start, path.end));
      copied = path.end;
    };
    let failed = false;
    for (const path of program.paths) {
      const span = spanWithin(node, offset + path.start, offset + path.end);
      const value = meaningOf(path, {
        scope,
        names,
        whole: names === roots && isWhole(node, offset, path),
        fail: (code, message, hint) => {
          this.#problems.error(code, message, span, hint === undefined ? {} : { hint });
          return 'failed';
        },
        onStep: (step, metric) => this.onReference({ step, metric, span }),
      });
      if (value === 'failed') failed = true;
      else if (value !== 'other' && 'waits' in value) {
        waits = true;
        const text = value.waits ?? source.slice(path.start, path.end);
        replace(path, text, `\${{ ${text} }}`, text);
      } else if (value !== 'other' && !/\bhas\(\s*$/.test(source.slice(0, path.start))) {
        // has(…) takes a name, not what it stands for.
        const known = literal(value.value, source.includes('/'));
        replace(path, known, known);
      }
    }
    const rest = source.slice(copied);
    if (failed) return undefined;
    return { source: folded + rest, named: renamed + rest, template: template + rest, program, waits };
  }

  #compile(source: string): CelProgram | CelError {
    let program = this.#programs.get(source);
    if (program === undefined) {
      try {
        program = this.#cel(source);
      } catch (error) {
        if (!(error instanceof CelError)) throw error;
        program = error;
      }
      this.#programs.set(source, program);
    }
    return program;
  }

  #reportCel(error: unknown, node: LocatedScalar, offset: number): void {
    if (!(error instanceof CelError)) throw error;
    const codes: Record<string, string> = {
      'cel-syntax': 'expression-syntax',
      'cel-type': 'expression-type',
      'cel-evaluation': 'expression-failed',
    };
    const span = spanWithin(node, offset + error.start, offset + error.end);
    this.#problems.error(
      codes[error.code] ?? 'expression-failed',
      error.message,
      span,
      error.hint ? { hint: error.hint } : {},
    );
  }
}

/** Whether a path is all that stands between `${{` and `}}`. */
function isWhole({ value }: LocatedScalar, offset: number, { start, end }: CelPath): boolean {
  const text = String(value);
  return /\$\{\{\s*$/.test(text.slice(0, offset + start)) && /^\s*\}\}/.test(text.slice(offset + end));
}

/** Deferred values as the resolved workflow keeps them. */
export function deferredOf(expansion: Expansion): ResolvedStep['deferred'] {
  return expansion.deferred.map(({ pointer, template, node }) => ({
    pointer,
    template,
    place: placeOf(node),
  }));
}
