import type { Row } from '../engine/artefacts.ts';
import { CelError, loadCel } from '../engine/cel.ts';
import { ProblemError } from '../engine/problems.ts';
import type { TableInput } from '../engine/step.ts';

/** The option that chooses rows, of commands that look into a table. */
export const whereOption = {
  flags: '--where <cel>',
  description: 'only rows for which this is true, such as row.cluster == 3',
} as const;

/** Whether a CEL expression over `row` is true; any row fits without one. Its mistakes are problems that name it. */
export async function rowCondition(where: string | undefined): Promise<(row: Row) => boolean> {
  const problem = (error: unknown): unknown => {
    if (!(error instanceof CelError)) return error;
    const hint = error.hint ?? 'write CEL over the fields of a row: row.cluster == 3';
    return ProblemError.of(error.code, `--where ${where}: ${error.message}`, { hint });
  };
  if (where === undefined) return () => true;
  try {
    const program = (await loadCel())(where, { variables: ['row'] });
    return (row) => {
      try {
        return program.test({ row });
      } catch (error) {
        throw problem(error);
      }
    };
  } catch (error) {
    throw problem(error);
  }
}

/** The rows of a table that fit `rowCondition`. */
export async function* matchingRows(
  table: TableInput,
  where: string | undefined,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<Row> {
  const fits = await rowCondition(where);
  let found = 0;
  for await (const row of table.read()) {
    if (!fits(row)) continue;
    yield row;
    if (++found >= limit) return;
  }
}

/** Rows are chosen of tables only. */
export function whereNeedsTable(name: string, kind: string): ProblemError {
  return ProblemError.of('wrong-call', `--where chooses rows of a table, and ${name} is a ${kind}`, {
    hint: 'leave it out, or name an output that is a table',
  });
}
