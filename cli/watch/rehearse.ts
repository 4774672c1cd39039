import { resolve } from 'node:path';
import { planWorkflow } from '../../engine/plan.ts';
import type { StepRegistry } from '../../engine/registry.ts';
import { type AnyStepType, anyInputs } from '../../engine/step.ts';
import { compileWorkflow } from '../../engine/workflow/compile.ts';
import type { Cli } from '../command.ts';
import { pastProducts } from '../past-runs.ts';
import { folderOf, parseParams, readWorkflowFile, withProject } from '../project.ts';
import type { WatchCall } from './attempt.ts';

/**
 * Does what an attempt does up to its plan, and loads the step types, so that all of it is loaded and warm when there is
 * one. Code of step files stays out: it must be read when the attempt begins, not now.
 *
 * @param stopped asked between two stages: somebody is waiting
 */
export async function rehearse(call: WatchCall, cli: Cli, stopped: () => boolean): Promise<void> {
  try {
    await withProject(cli, folderOf(call.file, cli), async (project) => {
      const { workspace } = project;
      const { root, models } = workspace;
      const absent = withStepFiles(workspace.registry, () => Promise.reject(new Error('not now')));
      // An unchanged workflow comes from the cache: then no step file is loaded.
      const workflow = await readWorkflowFile(call.file, call.params, project, cli, call.profiles, {
        registry: absent,
      });
      if (stopped()) return;
      await planWorkflow({
        workflow,
        workspace: Object.create(workspace, { registry: { value: absent } }),
        productsOfRun: pastProducts(project),
      });
      for (const use of new Set(workflow.steps.map((step) => step.use)))
        if (!stopped() && absent.names.includes(use)) await absent.find(use)?.load();
      if (stopped()) return;
      // A changed one is read anew. What becomes of it here is of no interest, so that nothing stands for step files.
      await compileWorkflow(
        {
          file: resolve(cli.cwd, call.file),
          cwd: cli.cwd,
          params: parseParams(call.params),
          profiles: call.profiles,
          env: workspace.env,
        },
        { registry: withStepFiles(workspace.registry, async () => standIn), models, root },
      );
    });
  } catch {
    // Whatever is wrong, the attempt will say it.
  }
}

const standIn: AnyStepType = {
  kind: 'step',
  type: 'stand-in',
  summary: '',
  parameters: { type: 'object' },
  inputs: anyInputs,
  outputs: {},
  example: '',
  async run() {},
};

/** The registry with another way of loading step files. */
function withStepFiles(registry: StepRegistry, load: () => Promise<AnyStepType>): StepRegistry {
  return {
    ...registry,
    find(use) {
      const source = registry.find(use);
      return source && !registry.names.includes(use) ? { ...source, load } : source;
    },
  };
}
