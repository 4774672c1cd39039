import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { schemaText, workflowSchema } from './write-schemas.ts';

const root = resolve(import.meta.dirname, '..');
const file = readFileSync(join(root, 'schemas/workflow.schema.json'), 'utf8');

it('the schema for editors is current (npm run schemas writes it)', async () => {
  const current = schemaText(await workflowSchema());
  expect(file === current, 'the step types have changed: npm run schemas').toBe(true);
});

describe('the schema for editors agrees with the validator', () => {
  // The words of draft-07, as editors read them.
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  const validate = ajv.compile(JSON.parse(file) as object);

  it.each(readdirSync(join(root, 'workflows')).filter((name) => name.endsWith('.yaml')))(
    'accepts %s',
    (name) => {
      const workflow: unknown = parse(readFileSync(join(root, 'workflows', name), 'utf8'));
      validate(workflow);
      expect(validate.errors ?? []).toEqual([]);
    },
  );

  const corpus = join(root, 'test/broken');
  /** What a schema can say; the rest (references, expressions, kinds) needs the whole workflow. */
  const structural =
    /^\S+:\d+:\d+ error (unknown-key|missing-key|wrong-type|wrong-value|wrong-format|out-of-range|bad-id|input-list|unknown-step-type): (.*)/;
  const cases = readdirSync(corpus)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => ({ name, messages: readFileSync(join(corpus, name.replace('.yaml', '.txt')), 'utf8') }))
    .filter(
      ({ name, messages }) =>
        structural.test(messages) &&
        messages.startsWith(name) &&
        !/step file|the package|included/.test(messages),
    )
    // Values of expressions are known only when they are evaluated.
    .filter(({ messages }) => !/"\$\{\{[^"]*\}\}"[^\n]*\n\s+│\s+~{6}/.test(messages));

  it.each(cases.map(({ name }) => name))('refuses %s', (name) => {
    const workflow: unknown = parse(readFileSync(join(corpus, name), 'utf8'));
    expect(validate(workflow)).toBe(false);
  });
});
