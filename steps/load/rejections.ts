import type { Row } from '../../engine/artefacts.ts';
import { StepError } from '../../engine/problems.ts';
import type { StepContext, TableOutput } from '../../engine/step.ts';
import { likelyEncoding, type Malformed, type RejectCode } from './found.ts';
import type { SourceFile } from './source-files.ts';

/** What a count of each code is called in the warning. */
const names: Record<RejectCode, string> = {
  invalid_json: 'not JSON',
  not_an_object: 'not an object',
  invalid_encoding: 'undecodable bytes',
  lone_surrogate: 'half a surrogate pair',
  too_deep: 'nested too deep',
  too_long: 'too long',
  too_short: 'too short',
  wrong_field_count: 'wrong number of fields',
  unclosed_quote: 'quote not closed',
  text_after_quote: 'text after a quote',
  non_finite_number: 'infinite number',
  far_time: 'time out of range',
  missing_id: 'no id',
  invalid_id: 'invalid id',
  repeated_id: 'repeated id',
  missing_text: 'no text',
  invalid_text: 'text of a wrong kind',
  invalid_cast: 'wrong type',
  invalid_conversation: 'no conversation',
  invalid_question: 'no question with choices',
  schema_mismatch: 'not as the schema says',
  unusual_type: 'not of the type of the others',
  invalid_code: 'mistakes in the syntax',
  trivial: 'trivial',
  test: 'tests',
  dunder: 'special methods',
  unreadable_file: 'unreadable file',
};

/** What a parameter of the step leaves out of records that can be read: no fault of theirs. */
const chosen: ReadonlySet<RejectCode> = new Set(['trivial', 'test', 'dunder', 'too_short', 'too_long']);

/** The output of rejected records, and their count by reason. */
export class Rejections {
  count = 0;
  readonly #output: TableOutput;
  readonly #byCode = new Map<RejectCode, number>();
  #first: string | undefined;
  /** The beginning of the first with undecodable bytes. */
  #undecodable: string | undefined;

  constructor(output: TableOutput) {
    this.#output = output;
    // So that there are columns to ask for where nothing was rejected.
    output.expect(['id', 'source', 'line', 'record', 'column', 'field', 'code', 'reason', 'raw']);
  }

  async add(file: SourceFile, bad: Malformed): Promise<void> {
    this.count++;
    this.#byCode.set(bad.code, (this.#byCode.get(bad.code) ?? 0) + 1);
    const place = bad.line === null ? `record ${bad.record}` : `${bad.line}`;
    this.#first ??= `${file.name}:${place}: ${bad.reason}`;
    if (bad.code === 'invalid_encoding') this.#undecodable ??= bad.raw;
    const row: Row = {
      id: `${file.name}#${bad.record}`,
      source: file.name,
      line: bad.line,
      record: bad.record,
      column: bad.column ?? null,
      field: bad.field?.toWellFormed() ?? null,
      code: bad.code,
      reason: bad.reason.toWellFormed(),
      raw: bad.raw,
    };
    await this.#output.write(row);
  }

  /**
   * One warning for all of them, with the first in full; or a `StepError` if there are more than `limit` allows. Without a
   * limit only a load fails that keeps nothing of what it reads.
   *
   * @param read what was read, and whether it is all there is
   */
  conclude(
    context: StepContext,
    read: { records: number; rows: number; whole: boolean; mayBeOtherEncoding: boolean },
    limit: number | string | undefined,
  ): void {
    if (this.count === 0) return;
    const { records } = read;
    const kinds = [...this.#byCode]
      .sort((a, b) => b[1] - a[1])
      .map(([code, count]) => `${count} ${names[code]}`);
    const message = `${this.count.toLocaleString('en')} of ${records.toLocaleString('en')} records rejected (${kinds.join(', ')}); the first is ${this.#first}`;
    const encoding =
      read.mayBeOtherEncoding && this.#undecodable !== undefined
        ? `if the file is in another encoding, say which, as in encoding: ${likelyEncoding(this.#undecodable)}`
        : undefined;
    const faulty = [...this.#byCode].reduce((sum, [code, count]) => sum + (chosen.has(code) ? 0 : count), 0);
    const none = limit === undefined && read.whole && read.rows === 0 && faulty === records;
    if (none || faulty > (limit === undefined ? Infinity : allowed(limit, records)))
      throw new StepError(
        'records-rejected',
        none ? `no rows: ${message}` : message,
        encoding ?? `mend them, or say otherwise how they are read; max_rejected: ${faulty} lets them go`,
      );
    context.warn(`${message}.${encoding ? ` ${encoding.charAt(0).toUpperCase()}${encoding.slice(1)}` : ''}`);
  }
}

/** Records that may be rejected: a count, or a share as in `1%`. */
function allowed(limit: number | string, records: number): number {
  return typeof limit === 'number' ? limit : (Number.parseFloat(limit) / 100) * records;
}
