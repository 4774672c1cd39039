import { closeSync, openSync, writeSync } from 'node:fs';
import type { FilesArtefact } from '../artefacts.ts';
import { type Digest, digestOfJson } from '../digest.ts';
import { StepError } from '../problems.ts';
import type { FilesInput } from '../step.ts';
import type { BlobFolder } from './blobs.ts';

/** Whether a name can be that of a file of an output: relative, with `/` between folders, and never out of its folder. */
export function isFileName(name: string): boolean {
  return !/[\\\0]/.test(name) && !name.split('/').some((part) => /^(\.\.?)?$/.test(part));
}

/** Collects named files, each a blob of its own. */
export class FilesWriter {
  readonly #blobs: BlobFolder;
  readonly #files = new Map<string, { digest: Digest; bytes: number } | undefined>();

  constructor(blobs: BlobFolder) {
    this.#blobs = blobs;
  }

  /** `/` separates folders in a name. Errors: `bad-file-name`, `duplicate-file`, and those of the store. */
  async write(name: string, content: string | Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    if (!isFileName(name))
      throw new StepError(
        'bad-file-name',
        `${JSON.stringify(name)} cannot name a file of an output: names are relative, with / between folders`,
      );
    if (this.#files.has(name)) throw new StepError('duplicate-file', `the file ${name} is written twice`);
    this.#files.set(name, undefined);
    this.#files.set(name, await this.#blobs.addFrom(content));
  }

  async finish(): Promise<FilesArtefact> {
    return filesArtefact(
      [...this.#files].map(([name, file]) => {
        if (!file) throw new StepError('unfinished-file', `the file ${name} is still being written`);
        return { name, ...file };
      }),
    );
  }

  /** Files written so far are left to gc: they may be those of another result. */
  async abort(): Promise<void> {
    this.#files.clear();
  }
}

function filesArtefact(files: FilesArtefact['files']): FilesArtefact {
  files.sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    kind: 'files',
    digest: digestOfJson(files.map(({ name, digest, bytes }) => [name, digest, bytes])),
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    files,
  };
}

/** Files as one of the parts that are put together, each part in a folder of its own. */
export interface FilesPart {
  artefact: FilesArtefact;
  folder: string;
}

/** The files of all parts, as `<folder>/<name>`. */
export function gatheredFiles(parts: readonly FilesPart[]): FilesArtefact {
  return filesArtefact(
    parts.flatMap(({ artefact, folder }) =>
      artefact.files.map((file) => ({ ...file, name: `${folder}/${file.name}` })),
    ),
  );
}

export function filesInput(blobs: BlobFolder, artefact: FilesArtefact): FilesInput {
  const find = (name: string): Digest => {
    const file = artefact.files.find((other) => other.name === name);
    if (!file) {
      const names = artefact.files.map((other) => other.name).join(', ');
      throw new StepError('no-such-file', `there is no file ${name} in this input`, `there are: ${names}`);
    }
    return file.digest;
  };
  return {
    kind: 'files',
    digest: artefact.digest,
    names: artefact.files.map(({ name }) => name),
    read: async (name) => await blobs.read(find(name)),
    path: (name) => blobs.checkedPath(find(name)),
    copy: async (name, to) => await copyTo(to, blobs.stream(find(name))),
  };
}

async function copyTo(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const file = openSync(path, 'wx');
  try {
    for await (const piece of pieces)
      for (let written = 0; written < piece.length; ) written += writeSync(file, piece, written);
  } finally {
    closeSync(file);
  }
}
