import type { Json, JsonObject } from '../json.ts';

/** `[run:<run>/]step[axis=value].output`: the same in `from`, on the command line and in references. */
export interface Address {
  /** The run it is in; null for this workflow's own. */
  run: string | null;
  step: string;
  /** Chosen values of matrix axes, as written. */
  select: { axis: string; value: string }[];
  /** Null for the main output. */
  output: string | null;
}

/** What is wrong with an address; offsets are into its text. */
export interface AddressError {
  message: string;
  hint: string;
  start: number;
  end: number;
}

const form = 'an address is step, step.output or step[axis=value].output';

/** Reads an address. */
export function parseAddress(text: string): Address | { error: AddressError } {
  const fail = (message: string, start: number, end = text.length, hint = form): { error: AddressError } => ({
    error: { message, hint, start, end },
  });
  if (text.trim() === '') return fail('the address is empty', 0);
  let at = text.length - text.trimStart().length;
  const stop = text.trimEnd().length;
  let run: string | null = null;
  if (text.startsWith('run:', at)) {
    const slash = text.indexOf('/', at);
    if (slash === -1 || slash === at + 4 || slash >= stop - 1)
      return fail('after run: come a run, a slash and a step', at, stop, 'write run:latest/step.output');
    run = text.slice(at + 4, slash);
    at = slash + 1;
  }
  const step = /^[A-Za-z_][\w-]*/.exec(text.slice(at, stop))?.[0];
  if (step === undefined) return fail(`"${text.trim()}" is no address`, at, stop);
  at += step.length;
  const select: Address['select'] = [];
  if (text[at] === '[') {
    const open = at++;
    for (;;) {
      const axis = /^\s*([a-z][a-z0-9_]*)\s*=\s*/.exec(text.slice(at, stop));
      if (axis === null) return fail('in [ ] stand axis=value pairs', open, stop, 'write step[axis=value]');
      at += axis[0].length;
      const value = /^(?:"((?:[^"\\]|\\.)*)"|([^,\]"]*))\s*/.exec(text.slice(at, stop));
      if (value === null) return fail('this value has a quote that is not closed', at, stop);
      at += value[0].length;
      let plain = (value[2] ?? '').trim();
      if (value[1] !== undefined) {
        try {
          plain = JSON.parse(`"${value[1]}"`) as string;
        } catch {
          return fail('this value has an escape that JSON does not know', at - value[0].length, at);
        }
      } else if (plain === '')
        return fail(`the axis ${axis[1]} has no value`, open, stop, 'write step[axis=value]');
      select.push({ axis: axis[1]!, value: plain });
      if (text[at] === ',') {
        at++;
        continue;
      }
      if (text[at] !== ']' || at >= stop)
        return fail('this [ is never closed', open, open + 1, 'close it with ]');
      at++;
      break;
    }
  }
  let output: string | null = null;
  if (text[at] === '.' && at < stop) {
    const name = /^\.([A-Za-z_]\w*)/.exec(text.slice(at, stop));
    if (name === null) return fail('after the dot comes the name of an output', at, stop);
    output = name[1]!;
    at += name[0].length;
  }
  if (at >= stop) return { run, step, select, output };
  if (step === 'steps' && output !== null)
    return fail(
      'an address starts with the step itself',
      0,
      stop,
      `write ${text.trim().slice('steps.'.length)}`,
    );
  if (/^\s*[,&+]|^\s+\w/.test(text.slice(at, stop)))
    return fail(
      'this names more than one thing',
      at,
      stop,
      'several inputs are a map: from: { rows: a, vectors: b }',
    );
  return fail(`"${text.slice(at, stop)}" does not belong to an address`, at, stop);
}

/** The id of an instance of a matrix: `answers[model=a,prompt=x]`. */
export function instanceId(base: string, matrix: JsonObject | null): string {
  if (matrix === null) return base;
  const pairs = Object.entries(matrix).map(([axis, value]) => `${axis}=${axisText(value)}`);
  return `${base}[${pairs.join(',')}]`;
}

/** Of one of the steps that a step with `for_each` stands for, the id of that step: `answers[model=a]` of `answers[model=a,id=x]`. */
export function declaredId(id: string): string {
  const address = parseAddress(id);
  if ('error' in address) return id;
  return addressedStep({ ...address, select: address.select.filter(({ axis }) => axis !== 'id') });
}

/** The id of the row for which one of the steps that a step with `for_each` stands for runs; empty for another step. */
export function rowOf(id: string): string {
  const address = parseAddress(id);
  return 'error' in address ? '' : (address.select.find(({ axis }) => axis === 'id')?.value ?? '');
}

/** The other way round: one of the steps that a step with `for_each` stands for. */
export function rowInstanceId(declared: string, row: string): string {
  const address = parseAddress(declared);
  if ('error' in address) return declared;
  return addressedStep({ ...address, select: [...address.select, { axis: 'id', value: row }] });
}

/** The step of an address as `parseAddress` reads it back: `answers[model=a]`. */
export function addressedStep({ step, select }: Pick<Address, 'step' | 'select'>): string {
  if (select.length === 0) return step;
  return `${step}[${select.map(({ axis, value }) => `${axis}=${axisText(value)}`).join(',')}]`;
}

/** A value of an axis as an address writes it: plain where that can be read back, else in quotes. */
export function axisText(value: Json): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[^\s,\]["](?:[^,\]["]*[^\s,\]["])?$/.test(text) ? text : JSON.stringify(text);
}

/** Whether an instance has the values that an address selects. */
export function isSelected(matrix: JsonObject, select: Address['select']): boolean {
  return select.every(({ axis, value }) => {
    const own = matrix[axis];
    return own !== undefined && (typeof own === 'string' ? own : JSON.stringify(own)) === value;
  });
}
