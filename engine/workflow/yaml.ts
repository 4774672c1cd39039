import type { Alias, Document, Node, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { suggestion } from '../nearest.ts';
import type { Located, LocatedEntry, LocatedScalar, Span } from './located.ts';
import type { ProblemList } from './problem-list.ts';
import type { SourceFile } from './source.ts';
import { reportSyntax } from './yaml-syntax.ts';

/** Values that the aliases of one file may stand for, all together: far more than a person writes. */
const maxValues = 200_000;
const maxDepth = 100;

/**
 * Reads a YAML 1.2 file as values with their places. Every mistake goes to `problems`; undefined if the text is no
 * YAML at all. A value that cannot be had (an unknown alias, say) is null in the result.
 */
export async function parseYaml(file: SourceFile, problems: ProblemList): Promise<Located | undefined> {
  const yaml = await import('yaml');
  const document = parsed(yaml, file, problems);
  if (document === undefined || !reportSyntax(file, document, problems)) return undefined;
  if (document.contents === null) {
    problems.error('empty-file', `${file.display} is empty`, { file, start: 0, end: 1 });
    return undefined;
  }
  const reader = new Reader(file, problems, yaml);
  const value = reader.read(document.contents as Node, { file, start: 0, end: 1 });
  return reader.unusable ? undefined : value;
}

function parsed(
  yaml: typeof import('yaml'),
  file: SourceFile,
  problems: ProblemList,
): Document.Parsed | undefined {
  try {
    return yaml.parseDocument(file.text, {
      // Quadratic in the keys of a map; `Reader` does it with a set.
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'error',
      version: '1.2',
      schema: 'core',
    });
  } catch (error) {
    // The parser calls itself for each level.
    if (!(error instanceof RangeError)) throw error;
    problems.error('yaml-too-deep', `more than ${maxDepth} levels of nesting`, { file, start: 0, end: 1 });
    return undefined;
  }
}

const coreTags = new Set([
  '!',
  ...['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((tag) => `tag:yaml.org,2002:${tag}`),
]);

class Reader {
  readonly #file: SourceFile;
  readonly #problems: ProblemList;
  readonly #anchors = new Map<string, { value: Located; size: number } | undefined>();
  readonly #yaml: typeof import('yaml');
  #values = 0;
  /** What the file stands for cannot be known, or is too much to go on with. */
  unusable = false;

  constructor(file: SourceFile, problems: ProblemList, yaml: typeof import('yaml')) {
    this.#yaml = yaml;
    this.#file = file;
    this.#problems = problems;
  }

  /** `fallback`: where an absent value (`key:`) is said to stand. */
  read(node: Node | null, fallback: Span, depth = 0): Located {
    if (node === null) return { ...fallback, kind: 'scalar', value: null };
    const before = this.#values;
    const span = this.#span(node.range, fallback);
    if (depth > maxDepth) {
      if (!this.unusable)
        this.#problems.error('yaml-too-deep', `more than ${maxDepth} levels of nesting`, span);
      this.unusable = true;
      return { ...span, kind: 'scalar', value: null };
    }
    if (this.#yaml.isAlias(node)) return this.#alias(node, span);
    const tag = this.#unknownTag(node, span);
    if (tag !== undefined) return { ...tag, kind: 'scalar', value: null };
    const anchor = (node as Scalar | YAMLMap | YAMLSeq).anchor;
    if (anchor !== undefined) this.#anchors.set(anchor, undefined);
    this.#values++;
    const value = this.#value(node, span, fallback, depth);
    if (anchor !== undefined) this.#anchors.set(anchor, { value, size: this.#values - before });
    return value;
  }

  #value(node: Node, span: Span, fallback: Span, depth: number): Located {
    if (this.#yaml.isScalar(node)) return this.#scalar(node, span, fallback);
    if (this.#yaml.isMap<Node, Node | null>(node)) {
      const entries = new Map<string, LocatedEntry>();
      for (const pair of node.items) this.#pair(pair, span, entries, depth);
      const merges = node.items.some(({ key }) => this.#yaml.isScalar(key) && key.value === '<<');
      return { ...span, kind: 'map', entries, ...(merges && { incomplete: true }) };
    }
    const items = (node as YAMLSeq<Node>).items.map((item) => this.read(item, span, depth + 1));
    return { ...span, kind: 'list', items };
  }

  #pair(pair: Pair<Node, Node | null>, map: Span, entries: Map<string, LocatedEntry>, depth: number): void {
    const keySpan = this.#span(pair.key?.range, map);
    if (!this.#yaml.isScalar(pair.key)) {
      this.#problems.error('yaml-key', 'a key must be a plain text', keySpan);
      return;
    }
    const scalar: Scalar = pair.key;
    const key = typeof scalar.value === 'string' ? scalar.value : (scalar.source ?? String(scalar.value));
    if (key === '<<' && scalar.type === 'PLAIN') {
      this.#problems.error('yaml-merge-key', '<< (a merge key) is not part of YAML 1.2', keySpan, {
        hint: 'write the keys out; what many steps share can stand under defaults:',
      });
      return;
    }
    if (key === '__proto__') {
      this.#problems.error('yaml-key', '"__proto__" cannot be a key', keySpan);
      return;
    }
    const known = entries.get(key);
    if (known !== undefined) {
      const first = known.key.file.place(known.key.start, known.key.end);
      this.#problems.error('yaml-duplicate-key', `the key "${key}" is there twice`, keySpan, {
        hint: 'rename or remove one of them',
        trail: [{ place: first, message: 'first here' }],
      });
      return;
    }
    entries.set(key, { key: keySpan, value: this.read(pair.value ?? null, keySpan, depth + 1) });
  }

  #scalar(node: Scalar, span: Span, fallback: Span): LocatedScalar {
    const { value } = node;
    if (typeof value === 'number' && !Number.isFinite(value)) {
      this.#problems.error('yaml-number', `${node.source} is no number that JSON knows`, span);
      return { ...span, kind: 'scalar', value: null };
    }
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
      this.#problems.error('yaml-number', `${node.source} is too large to be kept exactly`, span, {
        hint: 'put it in quotes if it is a text (an id, say)',
      });
    }
    const known =
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null;
    // `key:` with nothing behind it: an empty range, which nobody could see marked.
    const where = span.end <= span.start ? fallback : span;
    return { ...where, kind: 'scalar', value: known ? value : null };
  }

  #alias(node: Alias, span: Span): Located {
    const name = node.source;
    const missing: LocatedScalar = { ...span, kind: 'scalar', value: null };
    if (!this.#anchors.has(name)) {
      const hint = suggestion(name, [...this.#anchors.keys()], 'anchors above');
      this.#problems.error('yaml-alias', `there is no anchor &${name} above this alias`, span, {
        hint: hint ?? 'put the value in quotes if the * belongs to it',
      });
      return missing;
    }
    const target = this.#anchors.get(name);
    if (target === undefined) {
      this.#problems.error('yaml-alias', `the alias *${name} stands inside the value that it names`, span);
      return missing;
    }
    this.#values += target.size;
    if (this.#values <= maxValues) return target.value;
    if (!this.unusable) {
      this.#problems.error(
        'yaml-alias-bomb',
        `with this alias the file stands for more than ${maxValues.toLocaleString('en')} values`,
        span,
        { hint: 'aliases of aliases multiply; write less of them' },
      );
    }
    this.unusable = true;
    return missing;
  }

  /** Reports a tag that means nothing, and gives its place. */
  #unknownTag(node: Node, span: Span): Span | undefined {
    const { tag } = node;
    if (tag === undefined || tag === null || coreTags.has(tag)) return undefined;
    const start = this.#file.text.lastIndexOf('!', span.start - 1);
    const from = start > 0 && this.#file.text[start - 1] === '!' ? start - 1 : Math.max(0, start);
    const written = /^\S+/.exec(this.#file.text.slice(from))?.[0] ?? tag;
    // A tag without `!` in front of the value is the parser's own inference.
    if (start === -1 || !/^!\S*\s*(&\S+\s*)?$/.test(this.#file.text.slice(from, span.start)))
      return undefined;
    const where: Span = { file: this.#file, start: from, end: from + written.length };
    this.#problems.error('yaml-tag', `the tag ${written} means nothing here`, where, {
      hint:
        written === '!include'
          ? 'files are included with the key include:'
          : 'take the tag out; put the value in quotes if it is a text',
    });
    return where;
  }

  #span(range: readonly number[] | null | undefined, fallback: Span): Span {
    if (range === null || range === undefined) return fallback;
    return { file: this.#file, start: range[0]!, end: range[1]! };
  }
}
