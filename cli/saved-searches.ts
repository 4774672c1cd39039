import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suggestion } from '../engine/nearest.ts';
import { ProblemError } from '../engine/problems.ts';
import type { TableSearch } from './table-search.ts';

/** A search by name: what is looked for and where, and what it has found so far. */
export interface SavedSearch {
  /** As it was typed, so that `latest` is the latest run when it is searched again: of the same `workflow`, with the step. */
  run: string;
  workflow: string | null;
  address: string;
  search: TableSearch;
  /** Ids of the rows that it has shown. */
  seen: string[];
}

const fileName = /^[A-Za-z0-9][\w-]*$/;

/** Searches of a project by name: a JSON file each in the `searches` of its store folder. */
export class SavedSearches {
  readonly folder: string;

  constructor(storeFolder: string) {
    this.folder = join(storeFolder, 'searches');
  }

  /** Throws a problem of the call if there is none of that name, or if its file cannot be read. */
  read(name: string): SavedSearch {
    checkName(name);
    const path = this.#path(name);
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      const names = this.names();
      throw ProblemError.of('unknown-search', `there is no saved search "${name}"`, {
        hint:
          names.length === 0
            ? 'add --save NAME to a search to keep it'
            : (suggestion(name, names, 'saved searches') ?? `there are: ${names.join(', ')}`),
      });
    }
    try {
      const saved = (JSON.parse(text) ?? {}) as Partial<SavedSearch>;
      if (typeof saved.run === 'string' && typeof saved.address === 'string' && isSearch(saved.search))
        return {
          run: saved.run,
          workflow: saved.workflow ?? null,
          address: saved.address,
          search: saved.search,
          seen: saved.seen ?? [],
        };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    throw ProblemError.of('unknown-search', `${path} holds no search`, {
      hint: 'delete it, and save the search again with --save',
    });
  }

  /** Replaces the file at once: another process reads the old one or the new one. */
  write(name: string, saved: SavedSearch): void {
    checkName(name);
    mkdirSync(this.folder, { recursive: true });
    const draft = join(this.folder, `.${name}.${process.pid}.tmp`);
    writeFileSync(draft, `${JSON.stringify(saved, null, 2)}\n`);
    renameSync(draft, this.#path(name));
  }

  /** In alphabetical order. */
  names(): string[] {
    try {
      return readdirSync(this.folder)
        .flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -'.json'.length)] : []))
        .sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  #path(name: string): string {
    return join(this.folder, `${name}.json`);
  }
}

function isSearch(value: unknown): value is TableSearch {
  const { field, head, expand } = (value ?? {}) as Partial<TableSearch>;
  return typeof field === 'string' && typeof head === 'number' && typeof expand === 'boolean';
}

/** Throws a problem of the call unless a name can be a file's everywhere. */
export function checkName(name: string): void {
  if (fileName.test(name) && name.length <= 100) return;
  throw ProblemError.of('wrong-call', `"${name}" cannot be the name of a search`, {
    hint: 'a name has letters, digits, - and _',
  });
}
