import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Artefact } from '../../engine/artefacts.ts';
import type { Digest } from '../../engine/digest.ts';
import type { RunRecord } from '../../engine/record/record.ts';
import { size } from '../format.ts';
import type { OpenProject } from '../project.ts';
import type { PageRun } from './provenance.ts';

/**
 * Writes `runs/<id>/report.html` from the page of each report step, with the run's provenance around it; the second
 * and further report steps get `report-<step>.html`. Gives the paths. Nothing is loaded if no step made a page.
 */
export async function writePages(
  record: RunRecord,
  folder: string,
  { workspace }: OpenProject,
): Promise<string[]> {
  const pages = record.steps.flatMap(({ id, status, outputs }) => {
    const page = pageIn(outputs);
    return page && (status === 'ran' || status === 'cached') ? [{ id, page }] : [];
  });
  if (pages.length === 0) return [];
  const [{ wrapPage }, { toSvg }, { folderLayouts }, { graphOfRecord }] = await Promise.all([
    import('./provenance.ts'),
    import('../graph/svg.ts'),
    import('../graph/layout-cache.ts'),
    import('../graph/of-steps.ts'),
  ]);
  const layouts = folderLayouts(join(workspace.store.folder, 'cache', 'layouts'));
  const graph = await toSvg(graphOfRecord(record), { layouts });
  const run = pageRun(record, graph);
  const paths: string[] = [];
  for (const [index, { id, page }] of pages.entries()) {
    const path = join(folder, index === 0 ? 'report.html' : `report-${id}.html`);
    const text = (await workspace.store.read(page.digest)).toString('utf8');
    writeFileSync(path, wrapPage(text, run));
    paths.push(path);
  }
  return paths;
}

/** The page that a report step left, if it is one. */
export function pageIn(outputs: { readonly [name: string]: Artefact }): { digest: Digest } | undefined {
  const main = Object.values(outputs)[0];
  return main?.kind === 'files' ? main.files.find(({ name }) => name === 'index.html') : undefined;
}

function pageRun(record: RunRecord, graph: string): PageRun {
  const { environment, git, workflow } = record;
  return {
    id: record.id,
    status: record.status,
    started: Date.parse(record.started),
    duration_ms: record.duration_ms ?? 0,
    workflow: {
      name: workflow.name,
      description: workflow.description,
      path: workflow.path,
      text: workflow.sources[0]?.text ?? '',
    },
    params: record.params,
    given: givenParams(record.command),
    seed: record.seed,
    git: git?.commit ? { commit: git.commit, branch: git.branch, dirty: git.dirty } : null,
    environment: [
      ['reprise', environment.engine],
      ['node', environment.node],
      ['system', `${environment.os.type} ${environment.os.release}, ${environment.arch}`],
      ['processor', `${environment.cpu.model} × ${environment.cpu.count}`],
      ['memory', size(environment.memory_bytes)],
      ...(environment.lockfile ? [['lockfile', environment.lockfile.digest] as const] : []),
    ],
    models: record.models.flatMap(({ name, digest }) => (digest === null ? [] : [{ name, digest }])),
    steps: record.steps.map((step) => ({
      ...step,
      outputs: Object.fromEntries(Object.entries(step.outputs).map(([name, { digest }]) => [name, digest])),
    })),
    graph,
  };
}

/** Names of the params that the command line set. */
function givenParams(command: readonly string[]): string[] {
  return command.flatMap((word, index) => {
    const text = word.startsWith('--param=') ? word.slice(8) : command[index - 1] === '--param' ? word : '';
    return text.includes('=') ? [text.slice(0, text.indexOf('=')).trim()] : [];
  });
}
