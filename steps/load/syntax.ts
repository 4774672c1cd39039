import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** What is used of a node of tree-sitter's. Places are in UTF-16 code units. */
export interface SyntaxNode {
  readonly type: string;
  readonly text: string;
  readonly startIndex: number;
  readonly endIndex: number;
  readonly startPosition: { row: number };
  readonly endPosition: { row: number };
  readonly hasError: boolean;
  readonly isError: boolean;
  readonly isMissing: boolean;
  readonly namedChildren: SyntaxNode[];
  readonly previousNamedSibling: SyntaxNode | null;
  childForFieldName(name: string): SyntaxNode | null;
}

interface Tree {
  readonly rootNode: SyntaxNode;
  delete(): void;
}

interface Parser {
  setLanguage(language: object): void;
  parse(text: string): Tree | null;
}

interface TreeSitter {
  Parser: { new (): Parser; init(): Promise<void> };
  Language: { load(wasm: Uint8Array): Promise<object> };
}

/** Grammars that the package brings. */
export type Grammar = 'python' | 'javascript' | 'typescript' | 'tsx';

/** Grammars are compiled once a process: they hold no state. */
const parsers = new Map<Grammar, Promise<Parser>>();

/** Parses a text and hands its tree to `use`; the tree is gone afterwards. */
export async function withSyntaxTree<T>(
  text: string,
  grammar: Grammar,
  use: (root: SyntaxNode) => T,
): Promise<T> {
  let parser = parsers.get(grammar);
  if (!parser) {
    parser = parserOf(grammar);
    parsers.set(grammar, parser);
  }
  const tree = (await parser).parse(text);
  if (!tree) throw new Error(`tree-sitter gave no tree for ${grammar}`);
  try {
    return use(tree.rootNode);
  } finally {
    tree.delete();
  }
}

async function parserOf(grammar: Grammar): Promise<Parser> {
  const { default: loaded } = await import('@vscode/tree-sitter-wasm');
  const { Parser, Language } = loaded as unknown as TreeSitter;
  await Parser.init();
  const parser = new Parser();
  const main = createRequire(import.meta.url).resolve('@vscode/tree-sitter-wasm');
  parser.setLanguage(await Language.load(await readFile(join(dirname(main), `tree-sitter-${grammar}.wasm`))));
  return parser;
}
