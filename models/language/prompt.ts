import Handlebars from 'handlebars';
import type { Json, JsonObject } from '../../engine/json.ts';

/** A prompt with places for values: Handlebars, where text stays what it is and a name that is not there is an error. */
export interface Prompt {
  /** Names that it takes from a row, in the order in which they stand. */
  readonly fields: readonly string[];
  /** StepErrors are the caller's: this throws a PromptError. */
  render(values: JsonObject): string;
}

/** What is wrong with a prompt, with the line that it stands in. */
export class PromptError extends Error {}

/** Names that are not fields of the row. */
const scopes = new Set(['params', 'matrix']);

const engine = Handlebars.create();
engine.registerHelper('json', (value: unknown) => JSON.stringify(value ?? null));

export function compilePrompt(text: string): Prompt {
  let program: hbs.AST.Program;
  try {
    program = engine.parse(text);
  } catch (error) {
    throw new PromptError(oneLine(error));
  }
  const fields: string[] = [];
  collect(program, 0, new Set(), (name) => {
    if (!scopes.has(name) && !fields.includes(name)) fields.push(name);
  });
  const render = engine.compile(program, { noEscape: true, strict: true });
  return {
    fields,
    render(values) {
      try {
        return render(shown(values));
      } catch (error) {
        throw new PromptError(oneLine(error));
      }
    },
  };
}

/** Lists and objects are written as JSON where they stand alone, at any depth, and can still be looked into. */
function shown(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withText(member)]));
}

function withText(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  const copy = Array.isArray(value) ? value.map(withText) : shown(value);
  Object.defineProperty(copy, 'toString', { value: () => JSON.stringify(value) });
  return copy;
}

/** Finds the names that are looked up in the row, also from within blocks that look elsewhere. */
function collect(
  node: hbs.AST.Node,
  level: number,
  local: ReadonlySet<string>,
  found: (name: string) => void,
): void {
  const visit = (child: hbs.AST.Node | undefined | null, at = level, names = local) => {
    if (child) collect(child, at, names, found);
  };
  switch (node.type) {
    case 'Program':
      for (const statement of (node as hbs.AST.Program).body) visit(statement);
      break;
    case 'MustacheStatement':
    case 'SubExpression': {
      const { path, params, hash } = node as hbs.AST.MustacheStatement;
      // With arguments the name is that of a helper.
      if (params.length === 0 && !hash?.pairs.length) visit(path);
      for (const param of params) visit(param);
      for (const { value } of hash?.pairs ?? []) visit(value);
      break;
    }
    case 'BlockStatement': {
      const { path, params, program, inverse } = node as hbs.AST.BlockStatement;
      const name = path.type === 'PathExpression' ? (path as hbs.AST.PathExpression).original : '';
      if (params.length === 0) visit(path);
      for (const param of params) visit(param);
      const inner = name === 'if' || name === 'unless' ? level : level + 1;
      visit(program, inner, new Set([...local, ...(program?.blockParams ?? [])]));
      visit(inverse, level);
      break;
    }
    case 'PathExpression': {
      const { data, depth, parts } = node as hbs.AST.PathExpression;
      const [first] = parts;
      if (!data && depth === level && typeof first === 'string' && !local.has(first)) found(first);
      break;
    }
    default:
  }
}

function oneLine(error: unknown): string {
  return (error as Error).message.split('\n').filter(Boolean).slice(0, 1).join(' ').replace(/:$/, '');
}
