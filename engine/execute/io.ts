import type { Artefact, Metrics, TableArtefact } from '../artefacts.ts';
import { artefactIdentity } from '../fingerprint/fingerprint.ts';
import type { JsonObject } from '../json.ts';
import { StepError } from '../problems.ts';
import type { ArtefactInput, ArtefactSpec, Matrix, MatrixParts, StepInput, TableInput } from '../step.ts';
import {
  type FilesPart,
  type FilesWriter,
  gatheredFiles,
  idsDigest,
  type Store,
  type TablePart,
  type TableWriter,
} from '../store/store.ts';
import type { InputBinding, ResolvedStep } from '../workflow/resolved.ts';
import { gatherMatrices, type MatrixPart, type TableOf } from './gathered-matrix.ts';

/** What a finished step left: enough for those that read it. */
export interface StepProducts {
  use: string;
  metrics: Metrics;
  outputs: { readonly [name: string]: Artefact };
}

/** What a step of an earlier run left, however that run and step were named. */
export interface PastProducts extends StepProducts {
  /** Id of the run. */
  run: string;
  /** Id of the step in that run. */
  id: string;
}

/** Finds what a step (of this run, or of the run that the binding names) left; undefined if it was skipped. */
export type ProductsOf = (step: string, run: string | null) => StepProducts | undefined;

/**
 * Opens a step's inputs as its type declares them. Nothing is read yet.
 *
 * @param isOptional whether the type does without an input: of steps that were skipped there is nothing to read
 * @param tableOf finds the ids of a matrix, where several are put together
 */
export async function openInputs(
  step: ResolvedStep,
  store: Store,
  productsOf: ProductsOf,
  isOptional: (input: string) => boolean,
  tableOf: TableOf,
): Promise<Record<string, unknown>> {
  const inputs: Record<string, ArtefactInput | StepInput> = {};
  for (const [name, binding] of Object.entries(step.inputs)) {
    const present = partsOf(binding, productsOf);
    const first = present[0];
    const isThere = present.some(({ products }) => outputOf(products, binding.output) !== undefined);
    if (binding.implied && isOptional(name) && !isThere) continue;
    if (first === undefined) {
      if (isOptional(name)) continue;
      const steps = binding.parts.map((part) => part.step).join(', ');
      throw new StepError(
        'input-skipped',
        `its input ${name} comes from ${steps}, which was skipped`,
        'give the step a when of its own, or take if_skipped: run away',
      );
    }
    if (step.takesSteps) {
      const { use, metrics, outputs: made } = first.products;
      const named = binding.output === '' ? Object.keys(made)[0]! : binding.output;
      const gathered = present.length > 1 || first.axes !== null;
      const outputs: Record<string, ArtefactInput> = {};
      for (const [output, { kind }] of Object.entries(made)) {
        // Of several combinations, matrices that nobody named stay with them: they need not fit each other.
        if (!gathered || kind !== 'matrix' || output === named)
          outputs[output] = await openOutput(store, present, output, tableOf);
      }
      inputs[name] = { step: first.step, use, metrics: gathered ? {} : metrics, output: named, outputs };
    } else {
      inputs[name] = await openOutput(store, present, binding.output, tableOf);
    }
  }
  return inputs;
}

/** What a binding names, opened; undefined if all of it was skipped. */
export async function openBinding(
  binding: InputBinding,
  store: Store,
  productsOf: ProductsOf,
): Promise<ArtefactInput | undefined> {
  const present = partsOf(binding, productsOf);
  return present.length === 0 ? undefined : openOutput(store, present, binding.output, () => undefined);
}

function partsOf(binding: InputBinding, productsOf: ProductsOf): Part[] {
  return binding.parts.flatMap((part) => {
    const products = productsOf(part.step, binding.run);
    return products === undefined ? [] : [{ ...part, products }];
  });
}

interface Part {
  step: string;
  axes: JsonObject | null;
  products: StepProducts;
}

async function openOutput(
  store: Store,
  parts: Part[],
  output: string,
  tableOf: TableOf,
): Promise<ArtefactInput> {
  const artefacts = parts.map(({ step, axes, products }) => {
    const artefact = outputOf(products, output);
    if (artefact === undefined)
      throw new StepError('no-such-output', `step ${step} has no output "${output}"`);
    return { step, axes, artefact };
  });
  const first = artefacts[0]!;
  if (artefacts.length === 1 && first.axes === null) return store.open(first.artefact);
  const tables: TablePart[] = [];
  const files: FilesPart[] = [];
  const matrices: MatrixPart[] = [];
  for (const { step, axes, artefact } of artefacts) {
    const suffix = axesName(axes ?? {});
    if (artefact.kind === 'table') tables.push({ artefact, columns: axes ?? {}, suffix });
    else if (artefact.kind === 'files') files.push({ artefact, folder: axesFolder(axes ?? {}) });
    else matrices.push({ step, artefact, suffix });
  }
  if (matrices.length > 0) return gatherMatrices(store, matrices, tableOf);
  return files.length > 0 ? store.readFiles(gatheredFiles(files)) : store.concatTables(tables);
}

/** `model=a,prompt=x`: the name of an instance of a matrix. */
export function axesName(axes: JsonObject): string {
  return Object.entries(axes)
    .map(([axis, value]) => `${axis}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(',');
}

/** The same as the name of one folder. */
function axesFolder(axes: JsonObject): string {
  return axesName(axes).replace(/[%/\\\0]/g, encodeURIComponent);
}

/** How a binding counts in a fingerprint. */
export function bindingDigest(binding: InputBinding, takesSteps: boolean, productsOf: ProductsOf): unknown {
  const parts = binding.parts.flatMap((part) => {
    const products = productsOf(part.step, binding.run);
    if (products === undefined) return [];
    const digest = takesSteps
      ? {
          step: part.step,
          use: products.use,
          output: binding.output,
          outputs: Object.fromEntries(
            Object.entries(products.outputs).map(([name, artefact]) => [name, artefactIdentity(artefact)]),
          ),
          metrics: products.metrics,
        }
      : identityOf(outputOf(products, binding.output));
    return [part.axes === null ? digest : { axes: part.axes, of: digest }];
  });
  return parts.length === 1 && binding.parts[0]!.axes === null ? parts[0] : parts;
}

/** An output by name; the main output for an address of an earlier run that names none. */
function outputOf({ outputs }: StepProducts, name: string): Artefact | undefined {
  return name === '' ? Object.values(outputs)[0] : outputs[name];
}

function identityOf(artefact: Artefact | undefined): unknown {
  return artefact === undefined ? null : artefactIdentity(artefact);
}

/** A step's outputs while it writes them. */
export class OutputWriters {
  readonly #store: Store;
  readonly #tables = new Map<string, TableWriter>();
  readonly #files = new Map<string, FilesWriter>();
  readonly #matrices = new Map<string, Artefact>();
  readonly #specs: { readonly [name: string]: ArtefactSpec };

  constructor(store: Store, specs: { readonly [name: string]: ArtefactSpec }) {
    this.#store = store;
    this.#specs = specs;
  }

  /** The writing ends that the step gets. */
  handles(): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(this.#specs).map(([name, { kind }]) => {
        if (kind === 'table')
          return [
            name,
            {
              write: (row: never) => this.#table(name).write(row),
              expect: (fields: readonly string[]) => this.#table(name).expect(fields),
            },
          ];
        if (kind === 'files')
          return [
            name,
            { write: (file: string, content: string) => this.#folder(name).write(file, content) },
          ];
        return [
          name,
          {
            write: (matrix: Matrix | MatrixParts, ids: TableInput | readonly string[]) =>
              this.#matrix(name, matrix, ids),
          },
        ];
      }),
    );
  }

  /** The finished artefacts, in the order of the type's outputs. A table nobody wrote to is empty. */
  async finish(): Promise<Record<string, Artefact>> {
    const artefacts: Record<string, Artefact> = {};
    for (const [name, { kind, optional }] of Object.entries(this.#specs)) {
      if (kind === 'table') {
        if (optional && !this.#tables.has(name)) continue;
        artefacts[name] = await this.#table(name).finish();
      } else if (kind === 'files') {
        if (optional && !this.#files.has(name)) continue;
        artefacts[name] = await this.#folder(name).finish();
      } else {
        const matrix = this.#matrices.get(name);
        if (matrix) artefacts[name] = matrix;
        else if (!optional)
          throw new StepError('missing-output', `the step did not write its output "${name}"`);
      }
    }
    return artefacts;
  }

  async abort(): Promise<void> {
    for (const writer of [...this.#tables.values(), ...this.#files.values()]) await writer.abort();
  }

  #table(name: string): TableWriter {
    let writer = this.#tables.get(name);
    if (!writer) {
      writer = this.#store.writeTable();
      this.#tables.set(name, writer);
    }
    return writer;
  }

  #folder(name: string): FilesWriter {
    let writer = this.#files.get(name);
    if (!writer) {
      writer = this.#store.writeFiles();
      this.#files.set(name, writer);
    }
    return writer;
  }

  async #matrix(
    name: string,
    matrix: Matrix | MatrixParts,
    ids: TableInput | readonly string[],
  ): Promise<void> {
    const { rows, columns } = matrix;
    const digest = () => {
      const count = 'ids' in ids ? ids.rows : ids.length;
      const values = 'data' in matrix ? matrix.data.length : rows * columns;
      if (rows !== count || values !== rows * columns)
        throw new StepError(
          'bad-matrix',
          `output "${name}": ${values} values in ${rows} rows of ${columns} columns, for ${count} ids`,
          'a matrix has rows × columns values, and a row for each id',
        );
      return 'ids' in ids ? ids.ids : idsDigest(ids);
    };
    const written = await this.#store.writeMatrix(matrix, 'data' in matrix ? digest() : digest);
    this.#matrices.set(name, written);
  }
}

/** Rows of the main output: of a table or a matrix; null for files. */
export function mainRows(outputs: Record<string, Artefact>): number | null {
  const main = Object.values(outputs)[0] as Artefact | undefined;
  return main === undefined || main.kind === 'files' ? null : (main as TableArtefact).rows;
}
