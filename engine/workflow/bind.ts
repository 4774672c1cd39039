import { suggestion } from '../nearest.ts';
import { type ArtefactSpec, anyInputs, type InputSpecs } from '../step.ts';
import { typeWith } from '../type-with.ts';
import { addressedStep } from './address.ts';
import { addNeed, type Instance, type StepDraft } from './draft.ts';
import { type Located, placeOf } from './located.ts';
import type { Names } from './names.ts';
import type { ProblemList } from './problem-list.ts';
import type { InputBinding, InputPart } from './resolved.ts';
import type { Source, Sources } from './sources.ts';

/** Resolves the addresses of `from` and `after`, and binds them to the inputs of step types. */
export class Binder {
  readonly #drafts: ReadonlyMap<string, StepDraft>;
  readonly #sources: Sources;
  readonly #problems: ProblemList;

  constructor(drafts: ReadonlyMap<string, StepDraft>, sources: Sources, problems: ProblemList) {
    this.#drafts = drafts;
    this.#sources = sources;
    this.#problems = problems;
  }

  /** `from`, expanded: binds inputs and notes what they need. */
  bind(instance: Instance, from: Located | undefined): void {
    const declared = instance.draft.type;
    const type = declared && typeWith(declared, instance.parameters);
    // Of a step whose type is not known, the addresses are looked at all the same.
    const named = this.#namedSources(instance, from);
    if (named === undefined || type === undefined) return;
    if (type.inputs === anyInputs) this.#bindAny(instance, named);
    else this.#bindDeclared(instance, type.inputs, named, from);
  }

  /** `after`, expanded. */
  after(instance: Instance, node: Located | undefined, names: Names): void {
    for (const item of node?.kind === 'list' ? node.items : node === undefined ? [] : [node]) {
      if (item.kind !== 'scalar' || typeof item.value !== 'string') continue;
      const source = this.#sources.resolve(item, names, false);
      for (const needed of source?.instances ?? [])
        addNeed(instance, needed.id, { span: item, how: 'comes after' });
      if (source?.address.run != null)
        this.#problems.error('bad-address', 'after names steps of this workflow only', item);
    }
  }

  /** `for_each`, expanded. */
  forEach(instance: Instance, node: Located | undefined, names: Names): void {
    if (node?.kind !== 'scalar' || typeof node.value !== 'string') return;
    const source = this.#sources.resolve(node, names);
    if (source === undefined) return;
    if (source.spec !== null && source.spec.kind !== 'table') {
      this.#problems.error(
        'wrong-kind',
        `for_each takes a table, and this is ${kindName(source.spec.kind)}`,
        node,
      );
      return;
    }
    instance.forEach = bindingOf(source, source.output ?? '', true);
    for (const needed of source.instances)
      addNeed(instance, needed.id, { span: node, how: 'runs for each row of' });
  }

  /** Sources by input name; the name '' is `from: address`. Undefined after a problem. */
  #namedSources(instance: Instance, from: Located | undefined): Map<string, Source> | undefined {
    const named = new Map<string, Source>();
    if (from === undefined) return named;
    const addresses: [string, Located][] =
      from.kind === 'map' ? [...from.entries].map(([name, { value }]) => [name, value]) : [['', from]];
    let failed = false;
    for (const [name, node] of addresses) {
      if (node.kind !== 'scalar' || typeof node.value !== 'string') return undefined;
      const source = this.#sources.resolve(node, instance.draft.part.names);
      if (source === undefined) failed = true;
      else {
        named.set(name, source);
        for (const needed of source.instances) addNeed(instance, needed.id, { span: node, how: 'reads' });
      }
    }
    return failed ? undefined : named;
  }

  #bindAny(instance: Instance, named: ReadonlyMap<string, Source>): void {
    for (const [name, source] of named) {
      const own = name === '' ? source.name : name;
      instance.inputs[own] = bindingOf(source, source.output ?? source.address.output ?? '', true);
    }
  }

  #bindDeclared(
    instance: Instance,
    inputs: InputSpecs,
    named: ReadonlyMap<string, Source>,
    from: Located | undefined,
  ): void {
    const names = Object.keys(inputs);
    const { use } = instance.draft;
    if (names.length === 0 && named.size > 0) {
      this.#problems.error('no-inputs', `${use} reads no other step`, from!, {
        hint: 'take from out; to run later, use after:',
      });
      return;
    }
    const bound: { [name: string]: Source } = {};
    for (const [name, source] of named) {
      const input = name === '' ? names[0]! : name;
      if (Object.hasOwn(inputs, input)) {
        bound[input] = source;
        continue;
      }
      const key = from?.kind === 'map' ? from.entries.get(name)!.key : from!;
      const hint = suggestion(name, names, 'its inputs');
      this.#problems.error('unknown-input', `${use} has no input "${name}"`, key, hint ? { hint } : {});
      return;
    }
    const first = bound[names[0]!];
    const isMap = from?.kind === 'map';
    let failed = false;
    for (const name of names) {
      const spec = inputs[name]!;
      const source = bound[name];
      if (source !== undefined) {
        if (!this.#fits(name, spec, source, instance)) failed = true;
        else instance.inputs[name] = bindingOf(source, source.output ?? '', true);
        continue;
      }
      if (first === undefined || (isMap && spec.optional !== true)) continue;
      const other = alongside(first, name, spec);
      if (other !== undefined) instance.inputs[name] = { ...bindingOf(first, other, true), implied: true };
    }
    if (!failed) this.#checkGathered(inputs, bound);
    if (failed || instance.draft.misspelt) return;
    for (const name of names) {
      const spec = inputs[name]!;
      if (spec.optional === true || instance.inputs[name] !== undefined) continue;
      const needed = names.filter((input) => inputs[input]!.optional !== true);
      this.#reportMissing(instance, name, spec, needed, from);
      if (named.size === 0) return;
    }
    // The order of the type's inputs, whatever the order of the file.
    instance.inputs = Object.fromEntries(
      names.flatMap((name) => (instance.inputs[name] ? [[name, instance.inputs[name]]] : [])),
    );
  }

  /** Vectors belong to rows that are put together along the same axes, and to no others. */
  #checkGathered(inputs: InputSpecs, bound: { readonly [name: string]: Source }): void {
    const axesOf = ({ gathered }: Source) => gathered.toSorted().join();
    const sources = Object.entries(bound);
    const tables = sources.filter(([name]) => inputs[name]!.kind === 'table');
    for (const [name, source] of sources) {
      if (inputs[name]!.kind !== 'matrix' || tables.length === 0) continue;
      if (tables.some(([, table]) => table.address.run !== null || axesOf(table) === axesOf(source)))
        continue;
      const [, rows] = tables[0]!;
      if (source.gathered.length === 0) {
        this.#problems.error(
          'cannot-gather',
          `${kindName('matrix')} of one combination does not fit to rows of several: ${rows.name} is put together along ${rows.gathered.join(', ')}`,
          source.scalar,
          { hint: 'take the rows that these vectors were made of' },
        );
        continue;
      }
      const [first] = source.instances;
      const choice = first!.draft.forEach ? `${first!.draft.id}[id=…]` : first!.id;
      const output = source.address.output === null ? '' : `.${source.address.output}`;
      this.#problems.error(
        'cannot-gather',
        `${kindName('matrix')} of several combinations does not fit to rows that are the same for all: its rows are called row@${first!.draft.forEach ? 'item' : source.gathered[0]}=…, those of ${rows.name} are not`,
        source.scalar,
        { hint: `choose one, such as ${choice}${output}` },
      );
    }
  }

  #fits(name: string, spec: ArtefactSpec, source: Source, instance: Instance): boolean {
    if (source.spec === null) return true;
    const { use } = instance.draft;
    const said = `${source.draft!.id}.${source.output}`;
    if (source.spec.kind !== spec.kind) {
      const own = Object.entries(source.instances[0]?.outputs ?? {}).find(
        ([name, other]) => other.kind === spec.kind && name !== 'failed',
      )?.[0];
      const others = this.#makersOf(spec, instance.draft).filter(
        (maker) => !maker.startsWith(`${source.draft!.id}.`),
      );
      const hint =
        own !== undefined
          ? `write ${source.draft!.id}.${own}`
          : others.length > 0
            ? `${kindName(spec.kind)} ${spec.kind === 'files' ? 'are' : 'is'} made by: ${others.slice(0, 6).join(', ')}`
            : spec.kind === 'files'
              ? spec.description
              : `no step of this workflow makes ${kindName(spec.kind)}`;
      this.#problems.error(
        'wrong-kind',
        `the input ${name} of ${use} takes ${kindName(spec.kind)}, and ${said} is ${kindName(source.spec.kind)}`,
        source.scalar,
        { hint },
      );
      return false;
    }
    return true;
  }

  #reportMissing(
    instance: Instance,
    name: string,
    spec: ArtefactSpec,
    names: readonly string[],
    from: Located | undefined,
  ): void {
    const { draft } = instance;
    const makers = this.#makersOf(spec, draft);
    const shown = makers.slice(0, 6).join(', ');
    const none = spec.kind === 'files' ? `; ${spec.description}` : '';
    const made =
      makers.length === 0
        ? none
        : `; ${kindName(spec.kind)} ${spec.kind === 'files' ? 'are' : 'is'} made by: ${shown}`;
    const where = draft.node.entries.get('from')?.key ?? draft.node.entries.get('use')?.value ?? draft.key;
    if (from === undefined) {
      this.#problems.error(
        'missing-input',
        `step ${draft.id} reads nothing: ${draft.use} needs the input ${name} (${kindName(spec.kind)})`,
        where,
        {
          hint: `say what it reads: from: ${names.length === 1 ? 'step' : `{ ${names.map((input) => `${input}: …`).join(', ')} }`}${made}`,
        },
      );
      return;
    }
    this.#problems.error(
      'missing-input',
      `${draft.use} needs the input ${name} (${kindName(spec.kind)}) as well`,
      where,
      {
        hint: `name the inputs: from: { ${names.map((input) => `${input}: …`).join(', ')} }${made}`,
      },
    );
  }

  /** Addresses of outputs of a kind. Files are of many sorts: only those that the input's description names. */
  #makersOf({ kind, description }: ArtefactSpec, reader: StepDraft): string[] {
    const makers: string[] = [];
    for (const draft of this.#drafts.values()) {
      if (draft === reader) continue;
      const names = Object.entries(draft.instances[0]?.outputs ?? {});
      names.forEach(([name, spec], index) => {
        if (
          spec.kind === kind &&
          name !== 'failed' &&
          (kind !== 'files' || description.includes(`\`${name}\``))
        )
          makers.push(index === 0 ? draft.id : `${draft.id}.${name}`);
      });
    }
    return makers;
  }
}

/** Another output of the step that an input is bound to, which fits an unbound input by name and kind. */
function alongside(first: Source, name: string, spec: ArtefactSpec): string | undefined {
  if (first.address.run !== null) return undefined;
  const fits = first.instances.every((instance) => instance.outputs?.[name]?.kind === spec.kind);
  return fits && first.instances.length > 0 && first.output !== name ? name : undefined;
}

/** `gather`: the parts carry the values of the axes that tell them apart. */
function bindingOf(source: Source, output: string, gather: boolean): InputBinding {
  const place = placeOf(source.scalar);
  if (source.address.run !== null)
    return {
      parts: [{ step: addressedStep(source.address), axes: null }],
      output,
      run: source.address.run,
      place,
    };
  return {
    parts: source.instances.map((instance) => ({
      step: instance.id,
      axes:
        gather && source.gathered.some((axis) => axis !== 'id') && instance.matrix !== null
          ? Object.fromEntries(
              Object.entries(instance.matrix).filter(([axis]) => source.gathered.includes(axis)),
            )
          : null,
      ...(instance.draft.forEach && { rows: rowsOf(source) }),
    })),
    output,
    run: null,
    place,
  };
}

function rowsOf({ row, sameRow }: Source): NonNullable<InputPart['rows']> {
  return row !== null ? { id: row } : sameRow ? 'same' : 'all';
}

function kindName(kind: ArtefactSpec['kind']): string {
  return { table: 'a table', matrix: 'a matrix', files: 'files' }[kind];
}
