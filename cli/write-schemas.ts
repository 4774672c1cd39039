import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { JsonObject } from '../engine/json.ts';
import { editorSchema, type NamedType } from '../engine/workflow/schema.ts';
import { stepTypes } from '../steps/index.ts';

/** The schema for editors, made from the definitions that the validator uses. */
export async function workflowSchema(): Promise<JsonObject> {
  const types: NamedType[] = [];
  for (const [use, load] of Object.entries(stepTypes)) types.push({ use, type: (await load()).default });
  return editorSchema(types.sort((a, b) => (a.use < b.use ? -1 : 1)));
}

/** The text of a schema file. */
export function schemaText(schema: JsonObject): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

if (import.meta.main) {
  const folder = resolve(import.meta.dirname, '../schemas');
  mkdirSync(folder, { recursive: true });
  writeFileSync(resolve(folder, 'workflow.schema.json'), schemaText(await workflowSchema()));
}
