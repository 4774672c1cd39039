import type { ValidateFunction } from 'ajv';
import type { Json, JsonObject } from '../../engine/json.ts';

/** What models think aloud, or write of tools, before the answer. */
const opening = /^\s*<(think|thinking|reasoning|tool_call)>/i;
/** The end of thinking whose beginning stands in the prompt, as some chat templates have it: a line of its own. */
const orphan = /(?:^|\n)[ \t]*<\/(think|thinking|reasoning)>[ \t]*(?:\r?\n|$)/i;

/**
 * The text without what stands before the answer: blocks in marks at its beginning. The same marks within the answer (of
 * code, of a text about them) are part of it. Null if a block does not end, so that nobody can tell the rest.
 */
export function cleaned(text: string): string | null {
  let rest = text;
  for (let block = opening.exec(rest); block !== null; block = opening.exec(rest)) {
    const end = endOf(rest, block[1]!);
    if (end === null) return null;
    rest = rest.slice(end);
  }
  if (rest === text) {
    const end = orphan.exec(rest);
    // One whose beginning stands before it closes a block that the answer shows.
    if (end !== null && !new RegExp(`<${end[1]}>`, 'i').test(rest.slice(0, end.index)))
      rest = rest.slice(end.index + end[0].length);
  }
  return rest.trim();
}

/** Where the block that a text begins with has its end; blocks of the same name within it are part of it. */
function endOf(text: string, name: string): number | null {
  let depth = 0;
  for (const { 0: mark, 1: closing, index } of text.matchAll(new RegExp(`<(/?)${name}>`, 'gi'))) {
    depth += closing === '' ? 1 : -1;
    if (depth === 0) return index + mark.length;
  }
  return null;
}

/** The JSON in an answer: alone, in a code fence, or with words around it. Undefined if there is none. */
export function jsonIn(text: string): Json | undefined {
  const fenced = /```(?:json)?\s*\n?([\s\S]*?)```/i.exec(text)?.[1];
  for (const candidate of [text, fenced, outermost(text)]) {
    if (candidate === undefined) continue;
    try {
      return JSON.parse(candidate) as Json;
    } catch {
      // The next way may lead there.
    }
  }
  return undefined;
}

/** From the first opening bracket to the last closing one. */
function outermost(text: string): string | undefined {
  const start = text.search(/[[{]/);
  const end = Math.max(text.lastIndexOf(']'), text.lastIndexOf('}'));
  return start === -1 || end <= start ? undefined : text.slice(start, end + 1);
}

/** Checks answers against schemas, each compiled once. */
export class OutputChecks {
  readonly #checks = new Map<string, ValidateFunction>();

  /** The answer as JSON that fits the schema, or what is wrong with it. */
  async check(text: string, schema: JsonObject): Promise<{ json: Json } | { wrong: string }> {
    const json = jsonIn(text);
    if (json === undefined) return { wrong: 'it is no JSON' };
    const validate = await this.#compiled(schema);
    if (validate(json)) return { json };
    const wrong = (validate.errors ?? [])
      .slice(0, 5)
      .map(({ instancePath, message }) => `${instancePath || 'it'} ${message}`);
    return { wrong: wrong.join('; ') };
  }

  /** What is wrong with a schema itself; null if nothing is. */
  async wrongIn(schema: JsonObject): Promise<string | null> {
    try {
      await this.#compiled(schema);
      return null;
    } catch (error) {
      return (error as Error).message.replace(/^schema is invalid: /, '').replaceAll('data/', '/');
    }
  }

  async #compiled(schema: JsonObject): Promise<ValidateFunction> {
    const name = JSON.stringify(schema);
    let validate = this.#checks.get(name);
    if (validate === undefined) {
      const { Ajv2020 } = await import('ajv/dist/2020.js');
      validate = new Ajv2020({ allErrors: true, strict: false, validateFormats: false }).compile(schema);
      this.#checks.set(name, validate);
    }
    return validate;
  }
}
