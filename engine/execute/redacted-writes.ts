import type { Row } from '../artefacts.ts';
import type { Json } from '../json.ts';
import type { Redaction } from '../record/redaction.ts';
import { type AnyStepType, type FilesOutput, RowFailure, type TableOutput } from '../step.ts';

type Handles = Record<string, unknown>;

/** The writing ends of a step that knows secrets: what it writes is kept, so no secret may be in it. Numbers hold none. */
export function redactedHandles(
  handles: Handles,
  kinds: { readonly [name: string]: { kind: string } },
  redaction: Redaction,
): Handles {
  return Object.fromEntries(
    Object.entries(handles).map(([name, handle]) => {
      const kind = kinds[name]?.kind;
      if (kind === 'table') {
        const table = handle as TableOutput;
        const redactedTable: TableOutput = {
          ...table,
          write: (row: Row) => table.write(redaction.json(row)),
          expect: (fields) => table.expect(redaction.json([...fields])),
        };
        return [name, redactedTable];
      }
      if (kind !== 'files') return [name, handle];
      const files = handle as FilesOutput;
      const write: FilesOutput['write'] = (file, content) =>
        files.write(
          redaction.text(file),
          typeof content === 'string'
            ? redaction.text(content)
            : content instanceof Uint8Array
              ? redaction.bytes(content)
              : redaction.pieces(content),
        );
      return [name, { ...files, write } satisfies FilesOutput];
    }),
  );
}

/** A row-wise type whose values, which the row cache keeps, hold no secret. */
export function redactedType(type: AnyStepType, redaction: Redaction): AnyStepType {
  if (type.kind !== 'rows') return type;
  return {
    ...type,
    async open(run) {
      const computer = await type.open(run);
      return {
        ...computer,
        async compute(batch, signal) {
          const values = await computer.compute(batch, signal);
          return values.map((value) =>
            value instanceof Float32Array || value instanceof RowFailure
              ? value
              : redaction.json(value as Json),
          );
        },
      };
    },
  };
}
