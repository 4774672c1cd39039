import type { Grammar, SyntaxNode } from './syntax.ts';

export const codeKinds = ['function', 'class', 'method'] as const;
export type CodeKind = (typeof codeKinds)[number];

/** A function, class or method in a file. Places are in UTF-16 code units. */
export interface CodeUnit {
  kind: CodeKind;
  /** With the names of the classes and namespaces it is in: `Kettle.boil`. */
  name: string;
  /** With its decorators and `export`, without a comment before it. */
  start: number;
  end: number;
  /** Lines, from 1. */
  line: number;
  endLine: number;
  /** Its docstring, or the JSDoc comment before it, without marks. */
  doc: string | undefined;
  /** It does nothing to learn from: an empty body, a constant, a getter or setter, an error. */
  trivial: boolean;
  /** It has a mistake in its syntax. */
  broken: boolean;
}

/** Nesting of blocks and classes below which nothing is looked for. */
const deepest = 100;

/**
 * The functions, classes and methods of a file in their order, a class before its methods. Functions inside of
 * functions are part of these.
 */
export function codeUnits(root: SyntaxNode, grammar: Grammar): CodeUnit[] {
  const units: CodeUnit[] = [];
  const isPython = grammar === 'python';
  const add = (
    kind: CodeKind,
    name: string,
    node: SyntaxNode,
    outer: SyntaxNode,
    body: SyntaxNode | null,
  ): void => {
    const first = isPython ? outer : firstDecorator(outer);
    units.push({
      kind,
      name,
      start: first.startIndex,
      end: outer.endIndex,
      line: first.startPosition.row + 1,
      endLine: outer.endPosition.row + 1,
      doc: isPython ? docstring(body) : docComment(first),
      trivial: kind === 'class' ? isEmptyClass(body, isPython) : isTrivial(body, isPython),
      broken: node.hasError,
    });
  };
  /** `outer` is what belongs to the definition: its export or its decorators. */
  const visit = (
    node: SyntaxNode,
    outer: SyntaxNode,
    path: string,
    inClass: boolean,
    depth: number,
  ): void => {
    if (depth > deepest) return;
    const body = node.childForFieldName('body');
    const named = (): string => path + (node.childForFieldName('name')?.text ?? 'default');
    switch (node.type) {
      case 'function_definition':
        add(inClass ? 'method' : 'function', named(), node, outer, body);
        return;
      case 'function_declaration':
      case 'generator_function_declaration':
        add('function', named(), node, outer, body);
        return;
      case 'method_definition':
        add('method', named(), node, outer, body);
        return;
      case 'class_definition':
      case 'class_declaration':
      case 'abstract_class_declaration':
        addClass(node, outer, named(), depth);
        return;
      case 'decorated_definition': {
        const definition = node.childForFieldName('definition');
        if (definition) visit(definition, outer, path, inClass, depth + 1);
        return;
      }
      case 'export_statement': {
        const declared = node.childForFieldName('declaration');
        const value = node.childForFieldName('value');
        if (declared) visit(declared, node, path, false, depth + 1);
        else if (value) addValue(value, node, `${path}default`, 'function', depth);
        return;
      }
      case 'lexical_declaration':
      case 'variable_declaration':
        for (const declarator of node.namedChildren) {
          const name = declarator.childForFieldName('name');
          const value = declarator.childForFieldName('value');
          const own = node.namedChildren.length === 1 ? outer : declarator;
          if (name?.type === 'identifier' && value) addValue(value, own, path + name.text, 'function', depth);
        }
        return;
      case 'public_field_definition':
      case 'field_definition': {
        const name = node.childForFieldName('name') ?? node.childForFieldName('property');
        const value = node.childForFieldName('value');
        if (name && value) addValue(value, outer, path + name.text, 'method', depth);
        return;
      }
      case 'internal_module':
      case 'module':
        if (body && node !== root)
          for (const child of body.namedChildren) visit(child, child, `${named()}.`, false, depth + 1);
        return;
      // Definitions may depend on a condition.
      case 'if_statement':
      case 'else_clause':
      case 'elif_clause':
      case 'try_statement':
      case 'except_clause':
      case 'finally_clause':
      case 'with_statement':
      case 'block':
      case 'statement_block':
      case 'expression_statement':
      case 'ambient_declaration':
      case 'ERROR':
        for (const child of node.namedChildren) visit(child, child, path, inClass, depth + 1);
    }
  };
  const addClass = (node: SyntaxNode, outer: SyntaxNode, name: string, depth: number): void => {
    const body = node.childForFieldName('body');
    add('class', name, node, outer, body);
    for (const child of body?.namedChildren ?? []) visit(child, child, `${name}.`, true, depth + 1);
  };
  const addValue = (
    value: SyntaxNode,
    outer: SyntaxNode,
    name: string,
    kind: CodeKind,
    depth: number,
  ): void => {
    if (['arrow_function', 'function_expression', 'generator_function', 'function'].includes(value.type))
      add(kind, name, value, outer, value.childForFieldName('body'));
    else if (value.type === 'class') addClass(value, outer, name, depth + 1);
  };
  for (const child of root.namedChildren) visit(child, child, '', false, 0);
  return units;
}

/** Decorators of methods stand before them in TypeScript's and JavaScript's trees. */
function firstDecorator(node: SyntaxNode): SyntaxNode {
  let first = node;
  for (
    let before = first.previousNamedSibling;
    before?.type === 'decorator';
    before = first.previousNamedSibling
  )
    first = before;
  return first;
}

function docstring(body: SyntaxNode | null): string | undefined {
  const string = docstringNode(body);
  if (!string) return undefined;
  const content = string.text.replace(/^[a-zA-Z]*("""|'''|"|')/, '').replace(/("""|'''|"|')$/, '');
  const lines = content.split(/\r?\n/);
  const indents = lines
    .slice(1)
    .filter((line) => line.trim() !== '')
    .map((line) => line.length - line.trimStart().length);
  const indent = indents.reduce((least, own) => Math.min(least, own), Number.POSITIVE_INFINITY);
  return lines
    .map((line, index) => (index === 0 ? line : line.slice(indent)).trimEnd())
    .join('\n')
    .trim();
}

function docstringNode(body: SyntaxNode | null): SyntaxNode | undefined {
  const first = statements(body)[0];
  const string = first?.type === 'expression_statement' ? first.namedChildren[0] : undefined;
  return string?.type === 'string' ? string : undefined;
}

function docComment(node: SyntaxNode): string | undefined {
  const before = node.previousNamedSibling;
  if (before?.type !== 'comment' || !before.text.startsWith('/**')) return undefined;
  if (node.startPosition.row - before.endPosition.row > 1) return undefined;
  const lines = before.text.slice(3, -2).split(/\r?\n/);
  return lines
    .map((line) => line.replace(/^\s*\*? ?/, '').trimEnd())
    .join('\n')
    .trim();
}

function statements(body: SyntaxNode | null): SyntaxNode[] {
  return (body?.namedChildren ?? []).filter(({ type }) => type !== 'comment');
}

/** What a value may be that takes no work. */
const plain = new Set(
  'identifier attribute member_expression this self none null undefined true false integer float number string ellipsis'.split(
    ' ',
  ),
);

function isEmptyClass(body: SyntaxNode | null, isPython: boolean): boolean {
  const members = statements(body).slice(isPython && docstringNode(body) ? 1 : 0);
  return members.every((member) => isPython && isNothing(member));
}

function isNothing(statement: SyntaxNode): boolean {
  if (statement.type === 'pass_statement') return true;
  return statement.type === 'expression_statement' && statement.namedChildren[0]?.type === 'ellipsis';
}

/** Nothing, a plain value, an assignment of one, or an error: in one statement. */
function isTrivial(body: SyntaxNode | null, isPython: boolean): boolean {
  if (!body) return true;
  if (!isPython && body.type !== 'statement_block') return plain.has(body.type); // of an arrow function
  const all = statements(body).slice(isPython && docstringNode(body) ? 1 : 0);
  const only = all[0];
  if (!only) return true;
  if (all.length > 1) return false;
  switch (only.type) {
    case 'return_statement':
      return only.namedChildren.every(({ type }) => plain.has(type));
    case 'raise_statement':
    case 'throw_statement':
      return true;
    case 'expression_statement': {
      const expression = only.namedChildren[0];
      if (!/^assignment(_expression)?$/.test(expression?.type ?? '')) return isNothing(only);
      return plain.has(expression?.childForFieldName('right')?.type ?? '');
    }
    default:
      return isNothing(only);
  }
}
