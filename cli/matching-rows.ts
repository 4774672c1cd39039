import type { Row } from '../engine/artefacts.ts';
import { CelError, loadCel } from '../engine/cel.ts';
import { ProblemError } from '../engine/problems.ts';
import type { TableInput } from '../engine/step.ts';

/** The option that chooses rows, of commands that look into a table. */
export const whereOption = {
  flags: '--where <cel>',
  description: 'only rows for which this is true, such as row.cluster == 3',
} as const;

/** The rows of a table for which a CEL expression over `row` is true; all without one. Throws a problem that names the expression. */
export async function* matchingRows(
  table: TableInput,
  where: string | undefined,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<Row> {
  let found = 0;
  try {
    const program = where === undefined ? null : (await loadCel())(where, { variables: ['row'] });
    for await (const row of table.read()) {
      if (program && !program.test({ row })) continue;
      yield row;
      if (++found >= limit) return;
    }
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    const hint = error.hint ?? 'write CEL over the fields of a row: row.cluster == 3';
    throw ProblemError.of(error.code, `--where ${where}: ${error.message}`, { hint });
  }
}

/** Rows are chosen of tables only. */
export function whereNeedsTable(name: string, kind: string): ProblemError {
  return ProblemError.of('wrong-call', `--where chooses rows of a table, and ${name} is a ${kind}`, {
    hint: 'leave it out, or name an output that is a table',
  });
}
