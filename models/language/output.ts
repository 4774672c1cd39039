import type { ValidateFunction } from 'ajv';
import type { Json, JsonObject } from '../../engine/json.ts';

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
