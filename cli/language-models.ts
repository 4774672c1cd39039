import { join } from 'node:path';
import { readSecrets, type Secrets } from '../engine/secrets.ts';
import type { ResolvedWorkflow } from '../engine/workflow/resolved.ts';
import type { Workspace } from '../engine/workspace.ts';
import type { AnswerCache } from '../models/language/answers.ts';
import { answerCache } from '../models/language/answers.ts';
import type { BudgetLimits } from '../models/language/budget.ts';
import { createLanguageModels } from '../models/language/index.ts';
import { keyNames, shortestKey } from '../models/language/settings.ts';
import { readCatalogue } from './price-catalogue.ts';

/**
 * Gives the workspace the language models of a workflow. Keys come from the environment or `.env`, and go nowhere else.
 *
 * @param options.budget limits over those that the workflow has itself
 * @param options.root absolute path of a project whose `.env` comes before that of the workspace
 */
export function openLanguageModels(
  workflow: ResolvedWorkflow,
  workspace: Workspace,
  options: {
    budget?: BudgetLimits;
    offline?: boolean;
    answers?: AnswerCache;
    root?: string;
    /** Nothing is asked in batches: an answer is wanted now. */
    live?: boolean;
  } = {},
): void {
  const names = keyNames(workflow.models);
  const keys: Secrets = {
    ...readSecrets({ secrets: names, root: workspace.root }, process.env),
    ...(options.root !== undefined && readSecrets({ secrets: names, root: options.root }, process.env)),
  };
  // What is a secret of the workflow is kept out of everything that a run writes.
  const secret = names.filter((name) => (keys[name]?.length ?? shortestKey) >= shortestKey);
  if (secret.length > 0) workflow.secrets = [...new Set([...(workflow.secrets ?? []), ...secret])].sort();
  workspace.languageModels = createLanguageModels({
    root: workspace.root,
    aliases: workflow.models,
    secret: (name) => keys[name],
    isSecret: (name) => workflow.secrets?.includes(name) === true,
    catalogue: readCatalogue(workspace),
    condition: async (source) => {
      const program = (await (await import('../engine/cel.ts')).loadCel())(source);
      return (scope) => program.test(scope);
    },
    batches: options.live === true ? null : workspace.caches.batches,
    fileDigest: async (path) => {
      const [found] = await workspace.files.many([join(workspace.root, path)]);
      return found === undefined || found instanceof Error ? null : found.digest;
    },
    answers: options.answers ?? answerCache(workspace.caches.answers),
    budget: limited(workflow.budget, options.budget),
    offline: options.offline === true,
  });
}

function limited(own: BudgetLimits | undefined, given: BudgetLimits | undefined): BudgetLimits | undefined {
  return own === undefined && given === undefined ? undefined : { ...own, ...given };
}
