import { createReadStream } from 'node:fs';
import type { Digest } from '../digest.ts';
import type { PreparedStep } from '../execute/prepare.ts';
import type { Workspace } from '../workspace.ts';
import { orWarn } from './or-warn.ts';
import type { RunRecord } from './record.ts';
import type { Redaction } from './redaction.ts';

/** Source files above this size are recorded by digest only. */
const pinLimit = 2 * 2 ** 30;

/** Keeps the bytes of the source files that steps read, so that the run can be done again when they are gone. */
export async function pinFiles(
  prepared: ReadonlyMap<string, PreparedStep>,
  stepFiles: readonly { path: string }[],
  workspace: Workspace,
  redaction: Redaction,
  warn: (message: string) => void,
): Promise<{ files: RunRecord['files']; paths: string[] }> {
  const { store } = workspace;
  const fresh: RunRecord['files'] = [];
  const files = new Map<string, RunRecord['files'][number]>();
  const read = new Map<string, { name: string; known: Digest }>();
  for (const { fingerprint, files: declared } of prepared.values()) {
    for (const path of [...declared.values()].flat()) {
      const name = workspace.relative(path);
      const known = fingerprint?.files[name] as Digest | undefined;
      if (known !== undefined && !read.has(path)) read.set(path, { name, known });
    }
  }
  const digests = await workspace.files.many([...read.keys()]);
  for (const [index, [path, { name, known }]] of [...read].entries()) {
    await orWarn(`the bytes of ${name} are not in the record`, warn, async () => {
      const now = digests[index]!;
      if (now instanceof Error) throw now;
      const { bytes, digest } = now;
      const file = { path: name, digest: known, bytes, pinned: false };
      files.set(name, file);
      if (digest !== known) {
        warn(`${name} changed during the run: the record has the digest of what was read, not its bytes`);
        return;
      }
      if (bytes > pinLimit) warn(`${name} is larger than 2 GB: the record has its digest, not its bytes`);
      else if (!store.writable) return;
      else if (store.check([{ digest, bytes }]).length === 0) file.pinned = true;
      else if (!redaction.none && (await redaction.isIn(createReadStream(path))))
        warn(`${name} contains a secret: the record has its digest, not its bytes`);
      else {
        file.pinned = (await store.put(createReadStream(path))).digest === digest;
        if (file.pinned) fresh.push(file);
      }
    });
  }
  await orWarn('the bytes of source files are not in the record', warn, async () => {
    try {
      await store.sync();
    } catch (error) {
      for (const file of fresh) file.pinned = false;
      throw error;
    }
  });
  const paths = [...files.keys(), ...stepFiles.map(({ path }) => path)];
  return { files: [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1)), paths };
}
