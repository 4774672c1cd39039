import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '..');

/** A fenced block of a page. */
export interface DocsExample {
  page: string;
  /** Line of the fence, from 1. */
  line: number;
  language: string;
  text: string;
}

/** Fenced blocks of the README and of all pages in docs/, in order. */
export function docsExamples(): DocsExample[] {
  const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: root }).sort()];
  return pages.flatMap((page) => blocksOf(page, readFileSync(join(root, page), 'utf8')));
}

function blocksOf(page: string, text: string): DocsExample[] {
  const lines = text.split('\n');
  const blocks: DocsExample[] = [];
  for (let at = 0; at < lines.length; at++) {
    const language = /^```(\w+)/.exec(lines[at]!)?.[1];
    if (language === undefined) continue;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`${page}:${at + 1}: the block does not end`);
    blocks.push({ page, line: at + 1, language, text: `${lines.slice(at + 1, end).join('\n')}\n` });
    at = end;
  }
  return blocks;
}

/** Files that the pages name: blocks whose first line is `# name.py` or `// name.ts`. */
export function filesOf(examples: readonly DocsExample[]): Record<string, string> {
  return Object.fromEntries(
    examples.flatMap(({ text }) => {
      const name = /^(?:#|\/\/) (\S+\.(?:py|ts|mjs|hbs))\n/.exec(text)?.[1];
      return name === undefined ? [] : [[name, text] as const];
    }),
  );
}
