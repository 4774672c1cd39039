import { CsvParser } from './csv-parser.ts';

const candidates = [',', ';', '\t', '|'];

/**
 * The delimiter of a CSV text, told from its beginning: the one that splits most of the first 20 records into as many
 * fields as the header has (more than one); among equals the one that gives more fields, then comma, semicolon, tab,
 * bar. Comma if none splits anything.
 */
export function sniffDelimiter(beginning: string, quote: string): string {
  const sample = beginning.slice(0, 64 * 1024);
  let best = ',';
  let bestScore = 0;
  let bestFields = 0;
  for (const delimiter of candidates) {
    const parser = new CsvParser({ delimiter, quote });
    const records = parser.push(sample, beginning.length <= sample.length).slice(0, 20);
    const header = records[0];
    if (!header || header.fields.length < 2) continue;
    const fields = header.fields.length;
    const score = records.filter((record) => record.fields.length === fields).length / records.length;
    if (score > bestScore || (score === bestScore && fields > bestFields)) {
      best = delimiter;
      bestScore = score;
      bestFields = fields;
    }
  }
  return best;
}

/** Excel's own first line, `sep=;`, and its length with the line end. */
export function separatorLine(beginning: string): { delimiter: string; length: number } | undefined {
  const match = /^"?sep=([^"\r\n])"?(\r\n|\r|\n)/i.exec(beginning);
  return match ? { delimiter: match[1]!, length: match[0].length } : undefined;
}

/**
 * Names of columns as field names: an empty name becomes `column_<n>`, a repeated one gets `_2`, `_3`, … Says which it
 * changed.
 */
export function columnNames(header: readonly string[]): { names: string[]; changed: string[] } {
  const names: string[] = [];
  const changed: string[] = [];
  const taken = new Set(header);
  const seen = new Set<string>();
  for (const [index, given] of header.entries()) {
    let name = given.trim() === '' ? `column_${index + 1}` : given;
    if (seen.has(name) || (name !== given && taken.has(name))) {
      let count = 2;
      while (seen.has(`${name}_${count}`) || taken.has(`${name}_${count}`)) count++;
      name = `${name}_${count}`;
    }
    if (name !== given) changed.push(`"${given}" (column ${index + 1}) is read as ${name}`);
    seen.add(name);
    names.push(name);
  }
  return { names, changed };
}
