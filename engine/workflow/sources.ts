import { suggestion } from '../nearest.ts';
import type { ArtefactSpec } from '../step.ts';
import { type Address, isSelected, parseAddress } from './address.ts';
import type { StepGroup } from './collect.ts';
import type { Instance, StepDraft } from './draft.ts';
import { type LocatedScalar, spanWithin } from './located.ts';
import type { Names } from './names.ts';
import type { ProblemList } from './problem-list.ts';

/** What an address names. */
export interface Source {
  /** What it is called where it is read. */
  name: string;
  address: Address;
  scalar: LocatedScalar;
  draft: StepDraft | null;
  instances: Instance[];
  /** Axes along which several instances are put together; empty for a single artefact. */
  gathered: string[];
  /** Of a step with `for_each`, the id of the row of the one that is meant; null for all, and for other steps. */
  row: string | null;
  /** It and who reads it run for the rows of the same table: that of the same row is meant. */
  sameRow: boolean;
  /** Null if the output cannot be told (an earlier run, or a step with mistakes of its own). */
  output: string | null;
  spec: ArtefactSpec | null;
}

/** Finds the steps, combinations and outputs that addresses and expressions name. */
export class Sources {
  readonly #drafts: ReadonlyMap<string, StepDraft>;
  readonly #problems: ProblemList;

  /**
   * @param drafts with their instances
   * @param groups see `Collection`
   */
  constructor(
    drafts: ReadonlyMap<string, StepDraft>,
    groups: ReadonlyMap<string, StepGroup>,
    problems: ProblemList,
  ) {
    const together = [...groups].map(([id, { axes, members }]): [string, StepDraft] => [
      id,
      {
        ...members[0]!,
        id,
        part: { ...members[0]!.part, axes },
        hasMatrix: true,
        instances: members.flatMap(({ instances }) => instances),
      },
    ]);
    this.#drafts = new Map([...drafts, ...together]);
    this.#problems = problems;
  }

  /** The instances behind a step's id or an instance's, as expressions and `after` name them. */
  find(id: string): StepDraft | Instance | undefined {
    const base = this.#drafts.get(id) ?? this.#drafts.get(id.replace(/\[.*$/s, ''));
    if (base === undefined || base.id === id) return base;
    return base.forEach ? base : base.instances.find((instance) => instance.id === id);
  }

  /**
   * What an address stands for where these names hold; undefined after a problem.
   *
   * @param reads whether an output is read: to come after a step, none is needed
   */
  resolve(scalar: LocatedScalar, names: Names, reads = true): Source | undefined {
    const text = String(scalar.value);
    const address = parseAddress(text);
    if ('error' in address) {
      const { message, hint, start, end } = address.error;
      // A step with a bad id is one mistake, however often it is read.
      if (names.find(text.trim()) === undefined)
        this.#problems.error('bad-address', message, spanWithin(scalar, start, end), { hint });
      return undefined;
    }
    if (address.run !== null)
      return {
        name: address.step,
        address,
        scalar,
        draft: null,
        instances: [],
        gathered: [],
        row: null,
        sameRow: false,
        output: address.output,
        spec: null,
      };
    const meaning = names.find(address.step);
    if (meaning && 'address' in meaning) return this.#input(scalar, address, meaning);
    const draft = meaning ? this.#drafts.get(meaning.id) : undefined;
    if (draft === undefined) {
      // What is wrong with it (a use of a template that is not there, an input without a step) is reported.
      if (meaning !== undefined) return undefined;
      const at = text.indexOf(address.step);
      const hint = suggestion(address.step, names.known, 'steps');
      this.#problems.error(
        'unknown-step',
        `there is no step "${address.step}"`,
        spanWithin(scalar, at, at + address.step.length),
        hint ? { hint } : {},
      );
      return undefined;
    }
    const instances = this.#select(draft, address, scalar, text);
    if (instances === undefined) return undefined;
    const fixed = new Set(address.select.map(({ axis }) => axis));
    const row = address.select.find(({ axis }) => draft.forEach && axis === 'id')?.value ?? null;
    const free = draft.hasMatrix
      ? [...new Set(instances.flatMap((instance) => Object.keys(instance.matrix ?? {})))].filter(
          // Within a template, all is of one combination of the step that uses it.
          (axis) => !fixed.has(axis) && !Object.hasOwn(draft.part.axes ?? {}, axis),
        )
      : [];
    const single = !draft.hasMatrix || (address.select.length > 0 && instances.length === 1);
    const gathered = single ? [] : free;
    const sameRow = row === null && names.rows !== null && draft.part.rows === names.rows;
    if (draft.forEach && row === null && !sameRow) gathered.push('id');
    const source: Source = {
      name: address.step,
      address,
      scalar,
      draft,
      instances,
      gathered,
      row,
      sameRow,
      output: null,
      spec: null,
    };
    return reads || address.output !== null ? this.#output(source, text) : source;
  }

  /** What a step gives to an input of the template that it uses. */
  #input(
    scalar: LocatedScalar,
    address: Address,
    given: { address: LocatedScalar; names: Names },
  ): Source | undefined {
    const source = this.resolve(given.address, given.names);
    if (source === undefined || (address.select.length === 0 && address.output === null))
      return source && { ...source, scalar, name: address.step };
    this.#problems.error(
      'bad-address',
      `${address.step} is an input of the template, and what it is the step says that uses it`,
      scalar,
      {
        hint: `write ${address.step}`,
      },
    );
    return undefined;
  }

  #select(draft: StepDraft, address: Address, scalar: LocatedScalar, text: string): Instance[] | undefined {
    const select = address.select.filter(({ axis }) => !draft.forEach || axis !== 'id');
    if (select.length === 0 || draft.instances.length === 0) return draft.instances;
    const open = text.indexOf('[');
    const span = spanWithin(scalar, open, text.indexOf(']', open) + 1);
    if (!draft.hasMatrix) {
      this.#problems.error('unknown-axis', `step ${draft.id} has no matrix to choose from`, span, {
        hint: `write ${draft.id}`,
      });
      return undefined;
    }
    const axes = [...new Set(draft.instances.flatMap((instance) => Object.keys(instance.matrix ?? {})))];
    for (const { axis, value } of select) {
      if (!axes.includes(axis)) {
        const hint = suggestion(axis, axes, 'axes');
        this.#problems.error(
          'unknown-axis',
          `the matrix of step ${draft.id} has no axis "${axis}"`,
          span,
          hint ? { hint } : {},
        );
        return undefined;
      }
      const values = [...new Set(draft.instances.map((instance) => instance.matrix?.[axis]))].filter(
        (item) => item !== undefined,
      );
      const texts = values.map((item) => (typeof item === 'string' ? item : JSON.stringify(item)));
      if (!texts.includes(value)) {
        const hint = suggestion(value, texts, 'values');
        this.#problems.error(
          'unknown-axis-value',
          `the axis ${axis} of step ${draft.id} has no value "${value}"`,
          span,
          hint ? { hint } : {},
        );
        return undefined;
      }
    }
    const chosen = draft.instances.filter((instance) => isSelected(instance.matrix ?? {}, select));
    if (chosen.length > 0) return chosen;
    this.#problems.error(
      'no-such-combination',
      `no combination of step ${draft.id} has these values together`,
      span,
    );
    return undefined;
  }

  #output(source: Source, text: string): Source | undefined {
    const { address, draft, scalar } = source;
    const specs = source.instances[0]?.outputs;
    if (specs === undefined || draft === null) return source;
    const names = Object.keys(specs);
    if (address.output === null) {
      const [main] = names;
      if (main !== undefined) return { ...source, output: main, spec: specs[main]! };
      this.#problems.error(
        'no-output',
        `step ${draft.id} (${draft.use}) has no output that could be read`,
        scalar,
        {
          hint: 'to run after it, name it under after:',
        },
      );
      return undefined;
    }
    const spec = Object.hasOwn(specs, address.output) ? specs[address.output] : undefined;
    if (spec !== undefined) return { ...source, output: address.output, spec };
    const at = text.lastIndexOf(`.${address.output}`);
    const hint = suggestion(address.output, names, 'outputs') ?? 'it has none';
    this.#problems.error(
      'unknown-output',
      `step ${draft.id} (${draft.use}) has no output "${address.output}"`,
      spanWithin(scalar, at + 1, at + 1 + address.output.length),
      { hint },
    );
    return undefined;
  }
}
