/**
 * What is wrong with the fields that an answer would become: a row's id, and what leads back to the row that it was made
 * of, are not a model's to write.
 *
 * @param own fields that the step itself writes
 */
export function answerFieldProblems(
  { field, unpack, schema }: { field?: string; unpack?: boolean; schema?: { [member: string]: unknown } },
  own: readonly string[],
): { parameter: string; message: string }[] {
  if (!unpack)
    return field !== undefined && own.includes(field)
      ? [
          {
            parameter: 'field',
            message: `field: ${field} is the row's own; name another field for the answer`,
          },
        ]
      : [];
  const properties = schema?.['properties'];
  return Object.keys(typeof properties === 'object' && properties !== null ? properties : {})
    .filter((name) => own.includes(name))
    .map((name) => ({
      parameter: 'unpack',
      message: `unpack: the schema's member ${name} would overwrite the row's own; name it otherwise, or leave unpack out`,
    }));
}
