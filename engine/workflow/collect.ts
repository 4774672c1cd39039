import { dirname } from 'node:path';
import type { JsonObject } from '../json.ts';
import { suggestion } from '../nearest.ts';
import { instanceId } from './address.ts';
import type { StepDraft } from './draft.ts';
import { type LocatedMap, member, placeOf, textOf } from './located.ts';
import { normalPath } from './parameters.ts';
import { callersOf, type Part } from './part.ts';
import type { ProblemList } from './problem-list.ts';
import { Templates } from './templates.ts';

/** A step of a template in all combinations: read from around the template, it is one step with a matrix. */
export interface StepGroup {
  /** The combination that it belongs to itself; null if the template is used outside of any other. */
  axes: JsonObject | null;
  members: StepDraft[];
}

/** The steps of a workflow, those of the templates that steps use included. */
export interface Collection {
  /** By id. */
  drafts: Map<string, StepDraft>;
  /** Of templates that are used with a matrix: what their steps are called around the template, by that id. */
  groups: Map<string, StepGroup>;
  /** The files, and behind them each use of a template. */
  parts: Part[];
  /** Declared templates, for the checks that they need whether they are used or not. */
  declared: Part[];
}

/**
 * Finds the steps of all files. A step that uses a template stands for the steps of the template, and one that does so
 * with a matrix for these steps in each combination.
 *
 * @param options.onPart told of each part before its steps are looked at: it gives it its params
 * @param options.combinations those of a step's matrix; undefined after a problem
 */
export function collectSteps(
  files: readonly Part[],
  options: {
    root: string;
    problems: ProblemList;
    onPart(part: Part): void;
    combinations(node: LocatedMap, draft: StepDraft): JsonObject[] | undefined;
  },
): Collection {
  const { root, problems } = options;
  const groups: Collection['groups'] = new Map();
  const drafts = new Map<string, StepDraft>();
  const parts: Part[] = [...files];
  const templates = new Templates(files, problems);
  const draftOf = (part: Part, name: string, entry: LocatedMap, key: StepDraft['key']): StepDraft => {
    const written = textOf(member(entry, 'use'));
    const own = entry.entries.get('for_each');
    if (own !== undefined && part.rows !== null)
      problems.error(
        'misplaced-key',
        'a step of a template that is used with for_each has none of its own',
        own.key,
      );
    const base = part.caller?.output === name ? part.caller.id : part.prefix + name;
    return {
      id: instanceId(base, part.axes),
      base,
      name,
      key,
      node: entry,
      part,
      use: written === undefined ? undefined : normalUse(written, part, root),
      type: undefined,
      instances: [],
      hasMatrix: member(entry, 'matrix')?.kind === 'map',
      forEach: own !== undefined || part.rows !== null,
      misspelt: entry.incomplete === true,
    };
  };
  const collect = (part: Part): void => {
    for (const [name, { key, value }] of stepsOf(part)) {
      if (value.kind !== 'map') continue;
      const draft = draftOf(part, name, value, key);
      const known = drafts.get(draft.id) ?? drafts.get(draft.base) ?? groups.get(draft.id)?.members[0];
      if (known !== undefined) {
        problems.error('duplicate-step', `there is another step ${draft.id}`, key, {
          hint: 'the steps of a workflow and of the files that it includes have one name each',
          trail: [{ place: placeOf(known.key), message: 'the other one' }],
        });
        continue;
      }
      part.steps.set(name, draft);
      // The output of a template goes by the name of the step that uses it.
      if (part.caller?.output === name) part.names.add(name, { id: draft.id });
      else part.names.publish(name, draft.base);
      if (!draft.use?.startsWith('template:')) {
        drafts.set(draft.id, draft);
        for (const { part: around } of callersOf(part)) {
          const id = instanceId(draft.base, around.axes);
          if (id === draft.id) continue;
          const group = groups.get(id) ?? { axes: around.axes, members: [] };
          if (!group.members.includes(draft)) group.members.push(draft);
          groups.set(id, group);
        }
        continue;
      }
      const matrix = member(value, 'matrix');
      const combinations = matrix?.kind === 'map' ? (options.combinations(matrix, draft) ?? []) : [null];
      for (const combination of combinations) {
        const axes = combination === null ? part.axes : { ...part.axes, ...combination };
        const used = templates.use(draft, axes);
        if (used === undefined) break;
        parts.push(used);
        options.onPart(used);
        collect(used);
      }
    }
  };
  for (const file of files) options.onPart(file);
  for (const file of files) collect(file);
  for (const { own } of templates.all)
    for (const [name, { key, value }] of stepsOf(own)) {
      if (value.kind !== 'map') continue;
      const draft = draftOf(own, name, value, key);
      own.steps.set(name, draft);
      if (draft.use?.startsWith('template:')) templates.find(draft);
    }
  reportNone(files, problems);
  return { drafts, groups, parts, declared: templates.all.map(({ own }) => own) };
}

function stepsOf({ root }: Part): LocatedMap['entries'] {
  const steps = member(root, 'steps');
  return steps?.kind === 'map' ? steps.entries : new Map();
}

function reportNone(files: readonly Part[], problems: ProblemList): void {
  const anywhere = files.some(
    ({ root }) =>
      (member(root, 'steps')?.kind ?? 'map') !== 'map' ||
      (member(root, 'steps') as LocatedMap | undefined)?.entries.size,
  );
  if (anywhere) return;
  const { root, source } = files[0]!;
  const key = root.entries.get('steps')?.key;
  // A misspelt `steps` is reported as what it is.
  const close = [...root.entries.keys()].some(
    (name) =>
      suggestion(name, ['steps'])?.startsWith('did you') || /^(jobs|tasks|stages|pipeline)$/.test(name),
  );
  if (key !== undefined || !close)
    problems.error(
      'no-steps',
      'the workflow has no steps',
      key ?? { file: source, start: root.start, end: root.start + 1 },
      { hint: 'write steps: and under it a step: queries: { use: load, with: … }' },
    );
}

/** `use` as the registry knows it: step files by their path from the root, with `./` in front. */
function normalUse(use: string, part: Part, root: string): string {
  if (!/[/\\]|\.[cm]?[jt]s$/.test(use) || /^(npm|template):/.test(use)) return use;
  const path = normalPath(use, dirname(part.source.path), root);
  return path.startsWith('../') || path.startsWith('/') ? path : `./${path}`;
}
