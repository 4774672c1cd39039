import type { MatrixArtefact, TableArtefact } from '../artefacts.ts';
import { type Digest, digestOfJson } from '../digest.ts';
import { StepError } from '../problems.ts';
import type { MatrixInput } from '../step.ts';
import { idsDigest, type Store } from '../store/store.ts';
import { declaredId } from '../workflow/address.ts';
import type { ResolvedWorkflow } from '../workflow/resolved.ts';
import type { ProductsOf } from './io.ts';

/** A matrix as one of the parts of a gathered one. */
export interface MatrixPart {
  step: string;
  artefact: MatrixArtefact;
  /** Ids of its rows become `<id>@<suffix>`. */
  suffix: string;
}

/** Finds the table whose rows the rows of a step's matrix belong to; undefined if nothing here knows their ids. */
export type TableOf = (step: string, ids: Digest) => TableArtefact | undefined;

/** Looks among the outputs of the step, and then of the steps that it needs, the nearest first. */
export function tablesBehind(workflow: ResolvedWorkflow, productsOf: ProductsOf): TableOf {
  const needs = new Map(workflow.steps.map((step) => [step.id, step.needs]));
  return (step, ids) => {
    const seen = new Set([step]);
    for (const id of seen) {
      const outputs = Object.values(productsOf(id, null)?.outputs ?? {});
      const table = outputs.find((output) => output.kind === 'table' && output.ids === ids);
      if (table !== undefined) return table as TableArtefact;
      for (const need of needs.get(id) ?? needs.get(declaredId(id)) ?? []) seen.add(need);
    }
    return undefined;
  };
}

/**
 * Matrices of several combinations one below the other, as their tables are gathered: so both still belong together.
 * StepError `dimensions-differ`, `cannot-gather`.
 */
export async function gatherMatrices(
  store: Store,
  parts: readonly MatrixPart[],
  tableOf: TableOf,
): Promise<MatrixInput> {
  const first = parts[0]!;
  const { columns } = first.artefact;
  const other = parts.find(({ artefact }) => artefact.columns !== columns);
  if (other !== undefined)
    throw new StepError(
      'dimensions-differ',
      `${first.step} has ${columns} columns and ${other.step} ${other.artefact.columns}: they cannot be put together`,
      `take one of them: from: ${first.step}`,
    );
  const ids: string[] = [];
  for (const { step, artefact, suffix } of parts) {
    const table = tableOf(step, artefact.ids);
    if (table === undefined)
      throw new StepError(
        'cannot-gather',
        `the rows of the matrix of ${step} belong to a table that is not at hand, so they have no ids to be put together by`,
        `take one of them: from: ${step}`,
      );
    for await (const { id } of store.readTable(table).read()) ids.push(`${id}@${suffix}`);
  }
  return {
    kind: 'matrix',
    digest: digestOfJson({
      gathered: parts.map(({ artefact, suffix }) => ({ digest: artefact.digest, suffix })),
    }),
    rows: ids.length,
    columns,
    ids: idsDigest(ids),
    async read() {
      const bytes = ids.length * columns * Float32Array.BYTES_PER_ELEMENT;
      const data = new Float32Array(new SharedArrayBuffer(bytes));
      let at = 0;
      for (const { artefact } of parts) {
        const matrix = await store.readMatrix(artefact).read();
        data.set(matrix.data, at);
        at += matrix.data.length;
      }
      return { data, rows: ids.length, columns };
    },
    async *blocks() {
      for (const { artefact } of parts) yield* store.readMatrix(artefact).blocks();
    },
  };
}
