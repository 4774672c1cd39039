import { planWorkflow } from '../../engine/plan.ts';
import { StepError } from '../../engine/problems.ts';
import type { StepRegistry } from '../../engine/registry.ts';
import type { Cli } from '../command.ts';
import { pastProducts } from '../past-runs.ts';
import { folderOf, readWorkflowFile, withProject } from '../project.ts';
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
      const registry = withoutStepFiles(workspace.registry);
      const workflow = await readWorkflowFile(call.file, call.params, project, cli, call.profiles, {
        registry,
      });
      if (stopped()) return;
      await planWorkflow({
        workflow,
        workspace: Object.create(workspace, { registry: { value: registry } }),
        productsOfRun: pastProducts(project),
      });
      for (const use of new Set(workflow.steps.map((step) => step.use)))
        if (!stopped() && registry.names.includes(use)) await registry.find(use)?.load();
    });
  } catch {
    // Whatever is wrong, the attempt will say it.
  }
}

function withoutStepFiles(registry: StepRegistry): StepRegistry {
  return {
    ...registry,
    find(use) {
      const source = registry.find(use);
      const load = () => Promise.reject(new StepError('step-file', 'not now'));
      return source && !registry.names.includes(use) ? { ...source, load } : source;
    },
  };
}
