import { basename, extname } from 'node:path/posix';
import { StepError } from '../../engine/problems.ts';
import { type ChunkLimits, charPlaces, charsIn } from './chunks.ts';
import { type CodeKind, type CodeUnit, codeUnits } from './code-units.ts';
import { type Flaw, type Item, showRaw } from './found.ts';
import type { SourceFile } from './source-files.ts';
import { type Grammar, type SyntaxNode, withSyntaxTree } from './syntax.ts';
import { textItem, wholeDocument } from './text.ts';
import type { Reading } from './text-blocks.ts';

export const omissions = ['trivial', 'tests', 'dunders'] as const;
export type Omission = (typeof omissions)[number];

export interface CodeOptions {
  limits: ChunkLimits;
  code: {
    kinds: readonly CodeKind[];
    omit: readonly Omission[];
    minLines: number | undefined;
    maxLines: number | undefined;
  };
}

const grammars: Record<string, Grammar> = {
  '.py': 'python',
  '.pyi': 'python',
  '.ts': 'typescript',
  '.mts': 'typescript',
  '.cts': 'typescript',
  '.tsx': 'tsx',
  '.js': 'javascript',
  '.mjs': 'javascript',
  '.cjs': 'javascript',
  '.jsx': 'javascript',
};

/** Reads the functions, classes and methods of a Python, TypeScript or JavaScript file; those that are left out are turned away. */
export async function* readCode(
  file: SourceFile,
  reading: Reading,
  options: CodeOptions,
): AsyncGenerator<Item[]> {
  const text = await wholeDocument(file, reading);
  const whole = textItem(text, 1, 1, reading, () => ({}));
  if ('code' in whole) {
    yield [whole];
    return;
  }
  const grammar = grammars[extname(file.name.replace(/\.(gz|zst|zstd)$/i, '')).toLowerCase()];
  if (!grammar)
    throw new StepError(
      'unknown-format',
      `${file.name} has no extension of Python, TypeScript or JavaScript`,
      `It is read if its name ends with one of ${Object.keys(grammars).join(', ')}`,
    );
  const units = await withSyntaxTree(text, grammar, (root) => {
    if (root.hasError) {
      reading.notes.messages.add(
        `${file.name}${firstMistake(root)}: not ${languageOf(grammar)}: functions may be missing`,
      );
    }
    return codeUnits(root, grammar);
  });
  const charAt = charPlaces(text);
  const items: Item[] = [];
  for (const unit of units) {
    if (!options.code.kinds.includes(unit.kind)) continue;
    const { kind, name, line, endLine, start, end, doc } = unit;
    const own = text.slice(start, end);
    const place = { record: items.length + 1, line };
    const flaw = flawOf(unit, own, file, grammar, options);
    items.push(
      flaw
        ? { ...place, raw: showRaw(own), ...flaw }
        : {
            ...place,
            value: {
              text: own,
              kind,
              name,
              language: languageOf(grammar),
              ...(doc !== undefined && doc !== '' && { doc }),
              line,
              end_line: endLine,
              start: charAt(start),
              end: charAt(end),
            },
            raw: own,
          },
    );
  }
  if (items.length > 0) yield items;
}

function languageOf(grammar: Grammar): string {
  return grammar === 'tsx' ? 'typescript' : grammar;
}

function flawOf(
  unit: CodeUnit,
  text: string,
  file: SourceFile,
  grammar: Grammar,
  { limits, code }: CodeOptions,
): Flaw | undefined {
  const { kind, name, line, endLine } = unit;
  const omits = (what: Omission): boolean => code.omit.includes(what);
  if (unit.broken) return { code: 'invalid_code', reason: `${kind} ${name} has a mistake in its syntax` };
  if (omits('dunders') && grammar === 'python' && /(?:^|\.)__\w+__$/.test(name))
    return { code: 'dunder', reason: `${kind} ${name} is a special method` };
  if (omits('tests') && isTest(name, file.name, grammar))
    return { code: 'test', reason: `${kind} ${name} is a test` };
  if (omits('trivial') && unit.trivial)
    return { code: 'trivial', reason: `${kind} ${name} does nothing of its own` };
  const lines = endLine - line + 1;
  const chars = charsIn(text);
  const { minLines, maxLines } = code;
  const { minChars, maxChars } = limits;
  if (minLines !== undefined && lines < minLines) return short(`${lines} lines; min_lines is ${minLines}`);
  if (minChars !== undefined && chars < minChars)
    return short(`${chars} characters; min_chars is ${minChars}`);
  if (maxLines !== undefined && lines > maxLines) return long(`${lines} lines; max_lines is ${maxLines}`);
  if (maxChars !== undefined && chars > maxChars)
    return long(`${chars} characters; max_chars is ${maxChars}`);
  return undefined;
}

function short(reason: string): Flaw {
  return { code: 'too_short', reason };
}

function long(reason: string): Flaw {
  return { code: 'too_long', reason };
}

/** By the customs of pytest, unittest, Jest and vitest: a folder of tests, a file's name, or a name of Python's. */
function isTest(name: string, file: string, grammar: Grammar): boolean {
  if (/(?:^|\/)(?:tests?|__tests__|spec)\//.test(file)) return true;
  const base = basename(file);
  if (grammar !== 'python') return /\.(?:test|spec)\.\w+$/.test(base);
  return /^test_|_test\.py|^conftest\.py/.test(base) || /(?:^|\.)(?:test_|Test[A-Z])/.test(name);
}

/** `:` and the line of the first mistake that the parser can point at; nothing where the file as a whole is one. */
function firstMistake(root: SyntaxNode): string {
  let node = root;
  for (;;) {
    const next = node.namedChildren.find((child) => child.hasError || child.isError || child.isMissing);
    if (!next) return node === root ? '' : `:${node.startPosition.row + 1}`;
    node = next;
  }
}
