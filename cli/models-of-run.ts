import { modelFolder } from '../engine/execute/prepare.ts';
import type { RunRecord } from '../engine/record/record.ts';
import { chooseModels } from '../engine/reproduce/models.ts';
import { restore } from '../engine/reproduce/restore.ts';
import { openSandbox } from '../engine/reproduce/sandbox.ts';
import type { ModelFolder } from '../engine/step.ts';
import { createModelResolver } from '../models/resolver.ts';
import type { Cli } from './command.ts';
import type { OpenProject } from './project.ts';
import { recordedCall, restoredProject } from './restored-project.ts';

/**
 * The models on disk that a run used and that do not come with the package, as they are in the project. An alias means what
 * the recorded workflow says: for it, the workflow is restored and read.
 */
export async function modelsOfRun(record: RunRecord, project: OpenProject, cli: Cli): Promise<ModelFolder[]> {
  const { root, files } = project.workspace;
  const builtIn = createModelResolver({ root }).names;
  const own = record.models.filter(({ name, digest }) => digest !== null && !builtIn.includes(name));
  if (own.length === 0) return [];
  let sources = [createModelResolver({ root })];
  if (own.some(({ name }) => !name.includes('/'))) {
    using sandbox = openSandbox();
    const call = await recordedCall(record);
    const restored = await restore(record, project.workspace, sandbox);
    const opened = restoredProject(project, call, cli, { record, live: false })(
      restored,
      sandbox.file('store'),
    );
    try {
      const given = Object.fromEntries(call.params.map((name) => [name, record.params[name] ?? null]));
      await opened.compile(record.workflow.path, given);
      // The first is the restored copy, which goes away.
      sources = [...opened.modelSources().slice(1)];
    } finally {
      await opened.workspace.close();
    }
  }
  const { models } = await chooseModels(record, sources, files);
  const folders = await Promise.all(own.map(({ name }) => modelFolder(name, { models, files })));
  return folders.filter((folder) => folder !== undefined);
}
