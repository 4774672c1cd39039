import type { Digest } from '../../digest.ts';
import { DamagedBlobError, type Store } from '../../store/store.ts';
import type { RunRecord } from '../record.ts';
import { type DiffLine, diffTexts } from '../text-diff.ts';

/** What differs between what two runs had not committed, file by file. */
export interface PatchDiff {
  files: { path: string; change: 'added' | 'removed' | 'changed'; lines: DiffLine[] }[];
  /** Why a patch could not be compared; null if it could. */
  unavailable: string | null;
  missing: Digest[];
}

/**
 * Compares the uncommitted changes of two runs. Null if they are the same, and there is nothing to read. A file is
 * `added` if only the later run had it changed against its commit. Binary files have no lines.
 */
export async function diffPatches(
  old: Pick<RunRecord, 'git'>,
  now: Pick<RunRecord, 'git'>,
  store: Store,
): Promise<PatchDiff | null> {
  const [before, after] = [old.git?.patch ?? null, now.git?.patch ?? null];
  if (before?.digest === after?.digest) return null;
  try {
    const text = async (patch: typeof before) =>
      patch === null ? '' : (await store.read(patch.digest)).toString('utf8');
    return {
      files: diffSections(sectionsOf(await text(before)), sectionsOf(await text(after))),
      unavailable: null,
      missing: [],
    };
  } catch (error) {
    if (!(error instanceof DamagedBlobError)) throw error;
    return { files: [], unavailable: 'a patch is not in the store any more', missing: [error.digest] };
  }
}

/** The changes of each file in a patch of `git diff`, without the object names, which say nothing to a person. */
function sectionsOf(patch: string): Map<string, string> {
  const sections = new Map<string, string>();
  for (const section of patch.split(/^(?=diff --git )/m)) {
    const [first = '', ...rest] = section.split('\n');
    const name = /^diff --git "?a\/.*?"? "?b\/(.*?)"?$/.exec(first)?.[1];
    if (name === undefined) continue;
    const binary = rest.indexOf('GIT binary patch');
    const lines = (binary < 0 ? rest : []).filter(
      (line) => !/^(index [0-9a-f]+\.\.|--- |\+\+\+ )/.test(line),
    );
    sections.set(name, binary < 0 ? lines.join('\n').trimEnd() : rest.slice(binary).join('\n'));
  }
  return sections;
}

function diffSections(old: Map<string, string>, now: Map<string, string>): PatchDiff['files'] {
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort();
  return paths.flatMap((path) => {
    const [before, after] = [old.get(path), now.get(path)];
    if (before === after) return [];
    const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
    const binary = (before ?? after)!.startsWith('GIT binary patch');
    return [{ path, change, lines: binary ? [] : diffTexts(before, after) }];
  });
}
