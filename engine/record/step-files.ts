import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestOf } from '../digest.ts';
import { projectFile } from '../project.ts';
import type { ResolvedWorkflow } from '../workflow/resolved.ts';
import type { Workspace } from '../workspace.ts';
import type { RunRecord } from './record.ts';

/**
 * Texts of the step files that the workflow names, with the modules that they import, and of the project's own settings,
 * which may change what the workflow means (profiles) or how its modules are read (package.json). A file whose size and
 * times are as they were is not opened: its text is in the text cache.
 */
export async function stepFilesOf(
  workflow: ResolvedWorkflow,
  workspace: Workspace,
): Promise<RunRecord['workflow']['sources']> {
  const sources = new Map<string, RunRecord['workflow']['sources'][number]>();
  const uses = new Set(
    workflow.steps.map(({ use }) => use).filter((use) => !workspace.registry.names.includes(use)),
  );
  const read = new Set(workflow.sources.map(({ path }) => path));
  const settings = uses.size > 0 ? [projectFile, 'package.json'] : [projectFile];
  for (const path of settings) {
    const absolute = join(workflow.root, path);
    if (read.has(path) || !existsSync(absolute)) continue;
    const source = textOf(absolute, (await workspace.files.digestOf(absolute)).digest, workspace);
    if (source.text.trim() !== '') sources.set(path, { path, ...source });
  }
  for (const use of uses) {
    const code = workspace.code.of(workspace.registry.find(use)!.module);
    for (const { path } of 'modules' in code ? code.modules : [{ path: use }]) {
      if (sources.has(path)) continue;
      try {
        const absolute = join(workflow.root, path);
        const { digest } = await workspace.files.digestOf(absolute);
        sources.set(path, { path, ...textOf(absolute, digest, workspace) });
      } catch {
        // A module that went away since is recorded by the fingerprint's code digest alone.
      }
    }
  }
  return [...sources.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function textOf(path: string, digest: Digest, { caches }: Workspace): { digest: Digest; text: string } {
  const known = caches.texts.get(`source:${digest}`);
  if (known !== undefined) return { digest, text: known };
  const text = readFileSync(path, 'utf8');
  // It may have changed since it was hashed.
  const now = digestOf(text);
  caches.texts.set(`source:${now}`, text);
  return { digest: now, text };
}
