import type { JsonObject } from '../json.ts';
import { suggestion } from '../nearest.ts';
import type { StepDraft } from './draft.ts';
import {
  type Located,
  type LocatedMap,
  type LocatedScalar,
  member,
  placeOf,
  type Span,
  textOf,
} from './located.ts';
import { Names } from './names.ts';
import { noParams } from './params.ts';
import { type Part, relocated } from './part.ts';
import type { ProblemList } from './problem-list.ts';

/** A template as a file declares it. */
interface Template {
  name: string;
  key: Span;
  node: LocatedMap;
  /** The file that declares it: its names and params are those around the template. */
  file: Part;
  /** The declaration on its own, as its steps are checked whether it is used or not. */
  own: Part;
}

/** The templates of a workflow's files, and what becomes of a step that uses one. */
export class Templates {
  readonly #problems: ProblemList;
  readonly #declared = new Map<string, Template>();

  constructor(files: readonly Part[], problems: ProblemList) {
    this.#problems = problems;
    for (const file of files) this.#declare(file);
  }

  get all(): Template[] {
    return [...this.#declared.values()];
  }

  #declare(file: Part): void {
    const node = member(file.root, 'templates');
    if (node?.kind !== 'map') return;
    for (const [name, { key, value }] of node.entries) {
      if (value.kind !== 'map') continue;
      const known = this.#declared.get(name);
      if (known !== undefined) {
        // A file that is included twice declares the same.
        if (known.file.source.path === file.source.path) continue;
        this.#problems.error('duplicate-template', `there is another template ${name}`, key, {
          hint: 'give one of them another name',
          trail: [{ place: placeOf(known.key), message: 'the other one' }],
        });
        continue;
      }
      const names = new Names();
      const own = {
        ...file,
        root: value,
        parent: file,
        names,
        params: noParams(),
        steps: new Map(),
        prefix: '',
      };
      this.#declared.set(name, { name, key, node: value, file, own });
      this.#checkOutput(value);
    }
  }

  #checkOutput(node: LocatedMap): void {
    const steps = member(node, 'steps');
    if (steps?.kind !== 'map') return;
    const ids = [...steps.entries.keys()];
    const output = member(node, 'output');
    const name = textOf(output);
    if (output !== undefined && name !== undefined && !ids.includes(name)) {
      const hint = suggestion(name, ids, 'steps');
      this.#problems.error(
        'unknown-step',
        `the template has no step "${name}"`,
        output,
        hint ? { hint } : {},
      );
    }
    for (const input of inputsOf(node)) {
      const clash = steps.entries.get(String(input.value));
      if (clash !== undefined)
        this.#problems.error(
          'duplicate-step',
          `${input.value} is an input of the template already`,
          clash.key,
          {
            trail: [{ place: placeOf(input), message: 'here' }],
          },
        );
    }
  }

  /** The template that a step uses; undefined after a problem. */
  find({ node, use }: StepDraft): Template | undefined {
    const name = use!.slice('template:'.length);
    const template = this.#declared.get(name);
    if (template !== undefined) return template;
    const hint = suggestion(name, [...this.#declared.keys()], 'templates') ?? 'declare it under templates:';
    this.#problems.error('unknown-template', `there is no template "${name}"`, member(node, 'use'), { hint });
    return undefined;
  }

  /**
   * The template's steps as a step uses them; undefined after a problem.
   *
   * @param axes the combination, of the step's matrix and of those around it, that they are for
   */
  use(draft: StepDraft, axes: JsonObject | null): Part | undefined {
    const { node, part, key, base } = draft;
    const use = member(node, 'use')!;
    const template = this.find(draft);
    if (template === undefined) return undefined;
    const { name } = template;
    for (let at: Part | null = part; at?.caller; at = at.caller.part)
      if (at.caller.template === name) {
        this.#problems.error('template-cycle', `the template ${name} uses itself`, use, {
          hint: 'take one of the uses out',
        });
        return undefined;
      }
    const own = node.entries.get('for_each');
    const rows = own === undefined ? part.rows : { node: own.value, part };
    const ids = [...stepNames(template.node)];
    const output = textOf(member(template.node, 'output')) ?? ids.at(-1);
    if (output === undefined) return undefined;

    const { source } = template.file;
    const copy = source.copy();
    this.#problems.setChain(copy, [
      { place: placeOf(use), message: 'used from here' },
      ...this.#problems.chainOf(part.source),
    ]);
    const names = new Names({
      outer: template.file.names,
      reader: part.names,
      prefix: `${draft.name}_`,
      axes,
      rows,
    });
    this.#bindInputs(draft, template, names);
    for (const input of inputsOf(template.node)) names.add(String(input.value), null);
    return {
      source: copy,
      root: relocated(template.node, copy),
      parent: template.file,
      names,
      prefix: `${base}_`,
      given: null,
      params: noParams(),
      ownParams: true,
      profiles: part.profiles,
      steps: new Map(),
      caller: { id: base, key, node, part, template: name, declaration: template.own, output },
      axes,
      rows,
    };
  }

  /** What `from` of the step gives to the template's inputs. */
  #bindInputs({ node, key, part }: StepDraft, { name, node: template }: Template, names: Names): void {
    const inputs = inputsOf(template).map(({ value }) => String(value));
    const from = member(node, 'from');
    const given: [string, Located, Span][] =
      from === undefined
        ? []
        : from.kind === 'map'
          ? [...from.entries].map(([input, { key, value }]) => [input, value, key])
          : [[inputs[0] ?? '', from, from]];
    if (inputs.length === 0 && from !== undefined) {
      this.#problems.error('no-inputs', `the template ${name} reads no other step`, from, {
        hint: 'take from out, or give the template inputs: [rows]',
      });
      return;
    }
    const bound = new Set<string>();
    for (const [input, value, at] of given) {
      if (!inputs.includes(input)) {
        const hint = suggestion(input, inputs, 'its inputs');
        this.#problems.error(
          'unknown-input',
          `the template ${name} has no input "${input}"`,
          at,
          hint ? { hint } : {},
        );
        return;
      }
      bound.add(input);
      if (value.kind !== 'scalar' || typeof value.value !== 'string') continue;
      if (value.value.includes('${{'))
        this.#problems.error(
          'expression-not-allowed',
          'an input of a template is an address, as it stands',
          value,
        );
      names.add(input, { address: value, names: part.names });
    }
    const [missing] = inputs.filter((input) => !bound.has(input));
    if (missing === undefined) return;
    this.#problems.error(
      'missing-input',
      `the template ${name} needs the input ${missing}`,
      node.entries.get('from')?.key ?? key,
      {
        hint:
          inputs.length === 1
            ? 'say what it reads: from: step'
            : `from: { ${inputs.map((input) => `${input}: …`).join(', ')} }`,
      },
    );
  }
}

function stepNames(node: LocatedMap): Iterable<string> {
  const steps = member(node, 'steps');
  return steps?.kind === 'map' ? steps.entries.keys() : [];
}

function inputsOf(node: LocatedMap): LocatedScalar[] {
  const inputs = member(node, 'inputs');
  const items = inputs?.kind === 'list' ? inputs.items : [];
  return items.filter((item) => item.kind === 'scalar' && typeof item.value === 'string') as LocatedScalar[];
}
