import { readSecrets } from '../engine/secrets.ts';
import type { ResolvedWorkflow } from '../engine/workflow/resolved.ts';
import type { Workspace } from '../engine/workspace.ts';
import type { AnswerCache } from '../models/language/answers.ts';
import { answerCache } from '../models/language/answers.ts';
import { createLanguageModels } from '../models/language/index.ts';
import { keyNames } from '../models/language/settings.ts';

/** Gives the workspace the language models of a workflow. Keys come from the environment or `.env`, and go nowhere else. */
export function openLanguageModels(
  workflow: ResolvedWorkflow,
  workspace: Workspace,
  options: { budget?: number; offline?: boolean; answers?: AnswerCache } = {},
): void {
  const names = keyNames(workflow.models);
  // What is a secret of the workflow is kept out of everything that a run writes.
  if (names.length > 0) workflow.secrets = [...new Set([...(workflow.secrets ?? []), ...names])].sort();
  let secrets: Readonly<Record<string, string>> | undefined;
  workspace.languageModels = createLanguageModels({
    root: workspace.root,
    aliases: workflow.models,
    secret(name) {
      secrets ??= readSecrets(workflow, process.env);
      return secrets[name];
    },
    answers: options.answers ?? answerCache(workspace.caches.answers),
    budget: options.budget,
    offline: options.offline === true,
  });
}
