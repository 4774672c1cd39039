import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Artefact } from './artefacts.ts';
import { StepError } from './problems.ts';
import { DamagedBlobError } from './store/failures.ts';
import { isProcessAlive } from './store/session.ts';
import type { Workspace } from './workspace.ts';

/**
 * Puts the file of a step's main output where an `output-path` parameter says, unless the same bytes are there
 * already. Written beside its place and renamed, so that nobody sees half of it.
 *
 * @param target absolute path
 * @param shown the path as the parameter says it
 * @throws DamagedBlobError if the stored file cannot be used; StepError `disk-full`, `output-not-written`
 */
export async function placeOutput(
  target: string,
  shown: string,
  outputs: { readonly [name: string]: Artefact },
  workspace: Workspace,
): Promise<void> {
  const main = Object.values(outputs)[0];
  const file = main?.kind === 'files' && main.files.length === 1 ? main.files[0] : undefined;
  if (file === undefined)
    throw new StepError('output-not-written', `the step left no single file to put at ${shown}`);
  const draft = `${target}.${process.pid}.tmp`;
  try {
    const present = await stat(target).catch(() => null);
    if (present?.isFile() && present.size === file.bytes) {
      const known = await workspace.files.digestOf(target);
      if (known.digest === file.digest) return;
    }
    await mkdir(dirname(target), { recursive: true });
    await removeDeadDrafts(target);
    await pipeline(workspace.store.stream(file.digest), createWriteStream(draft));
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw error instanceof DamagedBlobError ? error : notWritten(error as NodeJS.ErrnoException, shown);
  }
}

/** Removes what processes left that were killed in the middle of it. */
async function removeDeadDrafts(target: string): Promise<void> {
  const start = `${basename(target)}.`;
  for (const name of await readdir(dirname(target))) {
    if (!name.startsWith(start) || !name.endsWith('.tmp')) continue;
    const pid = name.slice(start.length, -'.tmp'.length);
    if (/^\d+$/.test(pid) && !isProcessAlive(Number(pid)))
      await rm(join(dirname(target), name), { force: true });
  }
}

function notWritten({ code, message }: NodeJS.ErrnoException, shown: string): StepError {
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new StepError(
      'disk-full',
      `the disk is full: ${shown} could not be written`,
      'free some space and run again: what is done stays done',
    );
  return new StepError(
    'output-not-written',
    `${shown} could not be written: ${message}`,
    'is it a folder, or a place where you may not write? The result itself is kept: the next run only writes the file',
  );
}
