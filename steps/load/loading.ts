import type { Row } from '../../engine/artefacts.ts';
import type { JsonObject } from '../../engine/json.ts';
import { suggestion } from '../../engine/nearest.ts';
import { StepError } from '../../engine/problems.ts';
import type { FromSchema } from '../../engine/schema-type.ts';
import type { StepContext, TableOutput } from '../../engine/step.ts';
import { fieldOf } from './fields.ts';
import { type Flaw, type Found, type Item, type Malformed, showRaw } from './found.ts';
import { freeName, Mapping } from './mapping.ts';
import type { parameters as parameterSchema } from './parameters.ts';
import { Rejections } from './rejections.ts';
import { Selection } from './selection.ts';
import { shapeRecord } from './shape.ts';
import type { SourceFile } from './source-files.ts';
import type { Validate } from './validation.ts';

/** What `with` of a load says, with its defaults. */
export type Parameters = FromSchema<typeof parameterSchema>;

/** After so many records without the field that holds ids or texts, the step fails: it is a mistake, not a bad row. */
const enoughRecords = 10_000;

/** The rows and rejections of a step, while its files are read. records = rows + rejected + left out. */
export class Loading {
  records = 0;
  rows = 0;
  leftOut = 0;
  readonly mapping: Mapping;
  readonly rejections: Rejections;
  readonly #selection: Selection;
  readonly #parameters: Parameters;
  readonly #output: TableOutput;
  readonly #files: readonly SourceFile[];
  readonly #context: StepContext;
  readonly #validate: Validate | undefined;

  constructor(
    parameters: Parameters,
    outputs: { rows: TableOutput; rejected: TableOutput },
    files: readonly SourceFile[],
    context: StepContext,
    validate?: Validate,
  ) {
    this.#validate = validate;
    this.#parameters = parameters;
    this.#output = outputs.rows;
    this.#files = files;
    this.#context = context;
    this.rejections = new Rejections(outputs.rejected);
    this.#selection = new Selection(parameters, () => context.random('sample'));
    const text =
      parameters.shape === 'record' || parameters.turns === 'each_user'
        ? listOf(parameters.text ?? [])
        : ['text'];
    this.mapping = new Mapping({ ...parameters, text });
  }

  /** Whether `limit` is reached. */
  get full(): boolean {
    return this.#selection.full;
  }

  async take(file: SourceFile, items: readonly Item[], withSource: boolean): Promise<void> {
    for (const item of items) {
      if (this.full) return;
      this.records++;
      if ('code' in item) {
        await this.rejections.add(file, item);
        continue;
      }
      const flaw = this.mapping.cast(item.value) ?? this.#validate?.(item.value);
      if (flaw) {
        await this.rejections.add(file, malformed(item, flaw));
        continue;
      }
      const record = withSource ? sourced(item.value, file.name) : item.value;
      if (file.split !== undefined && !Object.hasOwn(record, 'split')) record['split'] = file.split;
      if (this.#parameters.shape !== 'record') {
        await this.#takeShaped(file, item, record);
        continue;
      }
      const row = this.mapping.map(record);
      if (isFlaw(row)) await this.rejections.add(file, malformed(item, row));
      else {
        const written = this.#take(row);
        if (written) await written;
      }
    }
    if (this.records >= enoughRecords) this.#failWithoutFields();
  }

  #take(row: Row): Promise<void> | undefined {
    if (!this.#selection.take(row)) {
      this.leftOut++;
      return undefined;
    }
    this.rows++;
    return this.#output.write(row);
  }

  /** A conversation or question: a row, or a row for each turn of the user. */
  async #takeShaped(file: SourceFile, item: Found, record: JsonObject): Promise<void> {
    const { shape, turns } = this.#parameters;
    if (shape === 'record') return;
    this.mapping.notice(record);
    const shaped = shapeRecord(record, shape, turns, file.name);
    if ('code' in shaped) return this.rejections.add(file, malformed(item, shaped));
    const row = this.mapping.map(shaped.record, shaped.identity);
    if (isFlaw(row)) return this.rejections.add(file, malformed(item, row));
    if (!shaped.rows) {
      if (shaped.turns) row['turn_ids'] = shaped.turns.map((turn) => `${row.id}#${turn}`);
      await this.#take(row);
      return;
    }
    this.records += shaped.rows.length - 1;
    for (const { number, fields } of shaped.rows)
      await this.#take({ ...row, ...fields, id: `${row.id}#${number}`, parent_id: row.id });
  }

  async rejectFile(file: SourceFile, error: StepError): Promise<void> {
    this.records++;
    const reason = error.message;
    await this.rejections.add(file, { record: 0, line: null, raw: '', code: 'unreadable_file', reason });
  }

  async end(): Promise<void> {
    for (const row of this.#selection.rest()) {
      this.rows++;
      this.leftOut--;
      const written = this.#output.write(row);
      if (written) await written;
    }
    this.#failWithoutFields();
    const { columns = [], rename, cast } = this.#parameters;
    for (const name of new Set([...columns, ...Object.keys(rename), ...Object.keys(cast)])) {
      if (this.#isUnknown(name)) {
        const names = [...this.mapping.seen];
        this.#context.warn(`no record has the field ${name}; ${suggestion(name, names, 'the fields are')}`);
      }
    }
  }

  /** Fails if no record at all has a field that every row needs. */
  #failWithoutFields(): void {
    const { id, text } = this.#parameters;
    for (const name of [...listOf(id ?? []), ...listOf(text ?? [])]) {
      if (!this.#isUnknown(name)) continue;
      const where = this.#files.length === 1 ? this.#files[0]!.name : `the ${this.#files.length} files`;
      throw new StepError(
        'unknown-field',
        `no record of ${where} has the field ${name}`,
        suggestion(name, [...this.mapping.seen], 'the fields are'),
      );
    }
  }

  #isUnknown(name: string): boolean {
    const { seen } = this.mapping;
    return seen.size > 0 && seen.size < mostFields && !seen.has(name);
  }
}

/** With so many field names, a record with another one may have gone by unseen. */
const mostFields = 1000;

/** The record with the field `source`; its own one stays as `original_source`. */
function sourced(record: JsonObject, source: string): JsonObject {
  const own = fieldOf(record, 'source');
  if (own !== undefined) record[freeName('source', record)] = own;
  record['source'] = source;
  return record;
}

function isFlaw(result: Row | Flaw): result is Flaw {
  return !('id' in result);
}

function malformed(item: Found, flaw: Flaw): Malformed {
  return {
    record: item.record,
    line: item.line ?? item.lineOf?.(item.record) ?? null,
    raw: showRaw(item.raw ?? JSON.stringify(item.value)),
    ...flaw,
  };
}

/** A parameter that is one text or a list of them. */
export function listOf(value: string | readonly string[]): string[] {
  return typeof value === 'string' ? [value] : [...value];
}
