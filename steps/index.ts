import type { AnyStepType } from '../engine/step.ts';

/** The built-in step types by the name that `use:` says. A new type is a new folder and a line here. */
export const stepTypes: { readonly [use: string]: () => Promise<{ default: AnyStepType }> } = {
  assert: () => import('./assert/index.ts'),
  augment: () => import('./augment/index.ts'),
  classify: () => import('./classify/index.ts'),
  clean: () => import('./clean/index.ts'),
  cluster: () => import('./cluster/index.ts'),
  compress: () => import('./compress/index.ts'),
  dedupe: () => import('./dedupe/index.ts'),
  embed: () => import('./embed/index.ts'),
  evaluate: () => import('./evaluate/index.ts'),
  exec: () => import('./exec/index.ts'),
  export: () => import('./export/index.ts'),
  extract: () => import('./extract/index.ts'),
  filter: () => import('./filter/index.ts'),
  generate: () => import('./generate/index.ts'),
  judge: () => import('./judge/index.ts'),
  load: () => import('./load/index.ts'),
  project: () => import('./project/index.ts'),
  quality: () => import('./quality/index.ts'),
  report: () => import('./report/index.ts'),
  sample: () => import('./sample/index.ts'),
  search: () => import('./search/index.ts'),
  split: () => import('./split/index.ts'),
  summarize: () => import('./summarize/index.ts'),
  train: () => import('./train/index.ts'),
};
