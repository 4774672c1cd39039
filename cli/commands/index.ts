import type { Command } from '../command.ts';

/** Every command, loaded when it is called. A new command is a new file and a line here, in the order of the overview. */
export const commands: { readonly [name: string]: () => Promise<{ command: Command }> } = {
  init: () => import('./init.ts'),
  validate: () => import('./validate.ts'),
  plan: () => import('./plan.ts'),
  run: () => import('./run.ts'),
  retry: () => import('./retry.ts'),
  rejudge: () => import('./rejudge.ts'),
  watch: () => import('./watch.ts'),
  reproduce: () => import('./reproduce.ts'),
  runs: () => import('./runs/index.ts'),
  show: () => import('./show.ts'),
  export: () => import('./export.ts'),
  query: () => import('./query.ts'),
  search: () => import('./search.ts'),
  lineage: () => import('./lineage.ts'),
  graph: () => import('./graph.ts'),
  steps: () => import('./steps.ts'),
  models: () => import('./models.ts'),
  cache: () => import('./cache/index.ts'),
  doctor: () => import('./doctor.ts'),
  completion: () => import('./completion.ts'),
};
