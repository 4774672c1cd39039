import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { JsonObject } from '../engine/json.ts';
import { buildWorkflowSchema } from '../engine/workflow/schema.ts';
import { notAvailableKeys } from '../engine/workflow/schema-parts.ts';
import { stepTypes } from '../steps/index.ts';
import { commands } from './commands/index.ts';
import { commandsPage } from './docs/command-page.ts';
import { fill, table } from './docs/markdown.ts';
import { stepPage, stepsPage } from './docs/step-pages.ts';
import { typeText } from './parameter-rows.ts';

const root = resolve(import.meta.dirname, '..');

/** Every generated page (and the page with generated tables) by its path from the root, made from the definitions. */
export async function generatedPages(): Promise<Map<string, string>> {
  const types = await Promise.all(Object.values(stepTypes).map(async (load) => (await load()).default));
  const all = await Promise.all(Object.values(commands).map(async (load) => (await load()).command));
  const pages = new Map<string, string>();
  for (const type of types) pages.set(`docs/steps/${type.type}.md`, stepPage(type));
  pages.set('docs/steps.md', stepsPage(types));
  pages.set('docs/commands.md', commandsPage(all));
  const workflow = 'docs/workflow.md';
  pages.set(workflow, fill(readFileSync(resolve(root, workflow), 'utf8'), keyTables()));
  return pages;
}

/** Tables of the keys that a file, a step and a param may have. */
function keyTables(): Record<string, string> {
  const schema = buildWorkflowSchema([], []) as unknown as ObjectSchema & {
    definitions: Record<string, ObjectSchema>;
  };
  const later: readonly string[] = [...notAvailableKeys.workflow, ...notAvailableKeys.step];
  const keys = (object: ObjectSchema) =>
    table(
      ['key', 'value', 'what'],
      Object.entries(object.properties)
        .filter(([key]) => !later.includes(key))
        .map(([key, property]) => {
          const { $ref } = property as { $ref?: string };
          const value = $ref ? { ...schema.definitions[$ref.split('/').at(-1)!], ...property } : property;
          // A text that is one of many has no `type` in the schema, so that a mistake gives one message.
          const typed = 'examples' in value ? { ...value, type: 'string' } : value;
          return [
            `\`${key}\``,
            typeText(typed as never),
            (value as { description?: string }).description ?? '',
          ];
        }),
    );
  return {
    'keys of a file': keys(schema),
    'keys of a step': keys(schema.definitions['step']!),
    'keys of a param': keys(schema.definitions['param']!),
  };
}

interface ObjectSchema {
  properties: Record<string, JsonObject>;
}

if (import.meta.main) {
  for (const [path, text] of await generatedPages()) {
    mkdirSync(dirname(resolve(root, path)), { recursive: true });
    writeFileSync(resolve(root, path), text);
  }
}
