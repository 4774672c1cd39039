/** What to do about a field that holds texts where numbers are wanted, as everything read from CSV is a text. */
export function castAdvice(fields: readonly string[]): string {
  const casts = fields.map((field) => `${field}: number`).join(', ');
  return `numbers of CSV are texts until load casts them: cast: { ${casts} }, or types: inferred`;
}
