import { createRequire, stripTypeScriptTypes } from 'node:module';
import type { AnyNode, Node, Options, Program } from 'acorn';
import { type Digest, digestOf } from '../digest.ts';

/** A place where a module reaches another file: an import of any kind, or a file named beside the module. */
export interface ModuleEdge {
  /** `import`: loaded as a module. `file`: named by `new URL('./x', import.meta.url)` or `join(import.meta.dirname, 'x')`. */
  kind: 'import' | 'file';
  /** What the place may name: one specifier, or the two arms of a condition. At least one must exist. */
  specifiers: string[];
}

/** What counts of one module's text, by itself: independent of where the file lies. */
export interface ModuleSyntax {
  /** Digest of the syntax tree: comments, white space, formatting and types do not count. */
  digest: Digest;
  /** In the order of the text. */
  edges: ModuleEdge[];
  /** Why the code cannot be known from its text: a syntax error, an import whose name is computed. */
  problem: { line: number; message: string } | null;
}

export type ModuleLanguage = 'typescript' | 'javascript';

/**
 * Reads a module: strips its types, parses it, and digests the syntax tree. Relative specifiers are left out of the
 * digest, since the graph says what they lead to, so that moving or renaming a file changes nothing.
 */
export function readModuleSyntax(text: string, language: ModuleLanguage): ModuleSyntax {
  let script: string;
  let program: Program;
  try {
    script = language === 'typescript' ? stripTypes(text) : text;
    program = parseProgram(script);
  } catch (error) {
    const line = (error as { loc?: { line: number } }).loc?.line ?? 1;
    return { digest: digestOf(text), edges: [], problem: { line, message: firstLine(error) } };
  }
  const reader = new TreeReader(script, program);
  reader.write(program);
  return { digest: digestOf(reader.parts.join('')), edges: reader.edges, problem: reader.problem };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().split('\n')[0]!;
}

/** `stripTypeScriptTypes` announces itself as experimental on its first call: that warning alone is held back. */
function stripTypes(text: string): string {
  const emitWarning = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).includes('stripTypeScriptTypes'))
      Reflect.apply(emitWarning, process, [warning, ...rest]);
  }) as typeof process.emitWarning;
  try {
    return stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}

let acorn: { parse(text: string, options: Options): Program } | undefined;

/** As an ES module or, if it is none, as a CommonJS script. */
function parseProgram(script: string): Program {
  // acorn is loaded here, and synchronously, because an unchanged module never comes this far.
  acorn ??= createRequire(import.meta.url)('acorn') as { parse(text: string, options: Options): Program };
  try {
    return acorn.parse(script, { ecmaVersion: 'latest', sourceType: 'module' });
  } catch (error) {
    try {
      return acorn.parse(script, {
        ecmaVersion: 'latest',
        sourceType: 'script',
        allowReturnOutsideFunction: true,
      });
    } catch {
      throw error;
    }
  }
}

/** Members of a node that say where or how it was written, not what it is. */
const positional = new Set(['type', 'start', 'end', 'loc', 'range', 'raw']);

class TreeReader {
  readonly parts: string[] = [];
  readonly edges: ModuleEdge[] = [];
  problem: ModuleSyntax['problem'] = null;
  readonly #script: string;
  readonly #constants: Map<string, AnyNode | null>;
  /** Relative specifiers written as plain literals: edges stand for them. */
  readonly #specifiers = new Set<object>();

  constructor(script: string, program: Program) {
    this.#script = script;
    this.#constants = constantsOf(program);
  }

  /**
   * Writes what counts of a node. Members that are undefined, null, false or an empty list are left out, so that a
   * later parser, which knows more optional members, gives the same text.
   */
  write(node: AnyNode): void {
    this.#findEdges(node);
    if (node.type === 'Literal') {
      this.#writeLiteral(node);
      return;
    }
    if (node.type === 'TemplateElement') {
      this.parts.push(JSON.stringify(node.value.raw));
      return;
    }
    this.parts.push('(', node.type);
    for (const name of Object.keys(node).sort()) {
      if (positional.has(name)) continue;
      let value = (node as unknown as Record<string, unknown>)[name];
      if (value === undefined || value === null || value === false) continue;
      if (Array.isArray(value)) {
        // A stray semicolon; as the body of a loop it is not in a list and counts.
        value = value.filter((item) => item?.type !== 'EmptyStatement');
        if ((value as unknown[]).length === 0) continue;
      }
      this.parts.push(' ', name, ':');
      if (name === 'key' && isPlainKey(node, value as AnyNode))
        this.parts.push('(Identifier name:', JSON.stringify((value as { value: string }).value), ')');
      else this.#writeValue(value);
    }
    this.parts.push(')');
  }

  #writeValue(value: unknown): void {
    if (Array.isArray(value)) {
      this.parts.push('[');
      for (const item of value) {
        if (item === null) this.parts.push('null');
        else this.#writeValue(item);
        this.parts.push(',');
      }
      this.parts.push(']');
    } else if (typeof value === 'object' && value !== null) this.write(value as AnyNode);
    else this.parts.push(JSON.stringify(value));
  }

  #writeLiteral(node: AnyNode & { type: 'Literal' }): void {
    if (this.#specifiers.has(node)) this.parts.push('<edge>');
    else if (node.regex) this.parts.push('/', JSON.stringify([node.regex.pattern, node.regex.flags]));
    else if (node.bigint) this.parts.push('bigint ', node.bigint);
    else if (typeof node.value === 'string') this.parts.push(JSON.stringify(node.value));
    else this.parts.push('literal ', String(node.value));
  }

  #findEdges(node: AnyNode): void {
    switch (node.type) {
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
      case 'ExportNamedDeclaration':
        if (node.source) this.#edge('import', node.source, node);
        return;
      case 'ImportExpression':
        this.#edge('import', node.source, node);
        return;
      case 'CallExpression': {
        const first = node.arguments[0];
        if (!first || first.type === 'SpreadElement') return;
        if (isNamed(node.callee, 'require') && node.arguments.length === 1) {
          this.#edge('import', first, node);
          return;
        }
        if (node.callee.type === 'MemberExpression' && isImportMeta(node.callee.object)) {
          if (isNamed(node.callee.property, 'resolve')) this.#edge('import', first, node);
          return;
        }
        if (isImportMeta(first, 'dirname') && isPathJoin(node.callee)) {
          const names = node.arguments.slice(1).map((argument) => this.#possible(argument as AnyNode));
          const paths = names.every((name) => name !== null)
            ? names.reduce((left, right) => left.flatMap((a) => right.map((b) => `${a}/${b}`)), ['.'])
            : null;
          // Without literals it is a folder to look things up in; what is read there counts by other ways or not at all.
          if (paths) this.edges.push({ kind: 'file', specifiers: paths });
        }
        return;
      }
      case 'NewExpression': {
        const [first, second] = node.arguments;
        if (!first || !second || !isNamed(node.callee, 'URL') || !isImportMeta(second as AnyNode, 'url'))
          return;
        this.#edge('file', first as AnyNode, node);
      }
    }
  }

  #edge(kind: ModuleEdge['kind'], specifier: AnyNode, place: AnyNode): void {
    const specifiers = this.#possible(specifier);
    if (!specifiers) {
      const what =
        kind === 'import' ? 'imports a module whose name is computed' : 'names a file by a computed URL';
      const text = this.#script.slice(place.start, Math.min(place.end, place.start + 60)).split('\n')[0]!;
      this.problem ??= { line: lineOf(this.#script, place.start), message: `${what}: ${text}` };
      return;
    }
    if (specifier.type === 'Literal' && isRelative(specifiers[0]!)) this.#specifiers.add(specifier);
    this.edges.push({ kind, specifiers });
  }

  /** The strings that an expression may give, or null if its text alone does not say. */
  #possible(node: AnyNode, depth = 0): string[] | null {
    if (depth > 8) return null;
    const both = (left: AnyNode, right: AnyNode, join: (a: string[], b: string[]) => string[]) => {
      const [a, b] = [this.#possible(left, depth + 1), this.#possible(right, depth + 1)];
      return a && b ? join(a, b) : null;
    };
    const pairs = (a: string[], b: string[]) => a.flatMap((left) => b.map((right) => left + right));
    switch (node.type) {
      case 'Literal':
        return typeof node.value === 'string' ? [node.value] : null;
      case 'ConditionalExpression':
        return both(node.consequent, node.alternate, (a, b) => [...a, ...b]);
      case 'BinaryExpression':
        if (node.operator !== '+' || node.left.type === 'PrivateIdentifier') return null;
        return both(node.left, node.right, pairs);
      case 'TemplateLiteral':
        return node.quasis.reduce<string[] | null>(
          (texts, quasi, index) => {
            const value = index === 0 ? [''] : this.#possible(node.expressions[index - 1]!, depth + 1);
            return texts && value ? pairs(pairs(texts, value), [quasi.value.cooked ?? '']) : null;
          },
          [''],
        );
      case 'Identifier': {
        const value = this.#constants.get(node.name);
        return value ? this.#possible(value, depth + 1) : null;
      }
      default:
        return null;
    }
  }
}

/** Values of the names that are declared once in a module, by `const`; null for a name that is declared more often. */
function constantsOf(program: Program): Map<string, AnyNode | null> {
  const constants = new Map<string, AnyNode | null>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      value.forEach(visit);
      return;
    }
    if (typeof value !== 'object' || value === null || typeof (value as Node).type !== 'string') return;
    const node = value as AnyNode;
    if (node.type === 'VariableDeclaration') {
      for (const { id, init } of node.declarations) {
        if (id.type !== 'Identifier') continue;
        const known = constants.has(id.name) || node.kind !== 'const' || !init;
        constants.set(id.name, known ? null : init);
      }
    }
    // A parameter may hide a constant of the same name.
    if ('params' in node && Array.isArray(node.params))
      for (const parameter of node.params)
        if (parameter.type === 'Identifier') constants.set(parameter.name, null);
    for (const name in node)
      if (!positional.has(name)) visit((node as unknown as Record<string, unknown>)[name]);
  };
  visit(program.body);
  return constants;
}

/** `{ 'a': 1 }` is `{ a: 1 }`, and formatters write one for the other. */
function isPlainKey(owner: AnyNode, key: AnyNode): boolean {
  return (
    (owner.type === 'Property' || owner.type === 'PropertyDefinition' || owner.type === 'MethodDefinition') &&
    !owner.computed &&
    key.type === 'Literal' &&
    typeof key.value === 'string'
  );
}

function isNamed(node: AnyNode, name: string): boolean {
  return node.type === 'Identifier' && node.name === name;
}

function isPathJoin(callee: AnyNode): boolean {
  const name = callee.type === 'MemberExpression' ? callee.property : callee;
  return isNamed(name as AnyNode, 'join') || isNamed(name as AnyNode, 'resolve');
}

/** `import.meta`, or `import.meta.<member>`. */
function isImportMeta(node: AnyNode, member?: string): boolean {
  if (member === undefined) return node.type === 'MetaProperty' && node.property.name === 'meta';
  return (
    node.type === 'MemberExpression' &&
    isImportMeta(node.object as AnyNode) &&
    isNamed(node.property as AnyNode, member)
  );
}

export function isRelative(specifier: string): boolean {
  return /^\.{1,2}(\/|$)/.test(specifier);
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
