import type { Json } from '../json.ts';
import { suggestion } from '../nearest.ts';
import type { Expander } from './expression.ts';
import { type Located, type LocatedMap, member, placeOf, pointerParts, textOf } from './located.ts';
import { durationMs } from './options.ts';
import type { ProblemList } from './problem-list.ts';
import type { Hook } from './resolved.ts';
import type { Scope } from './scope.ts';

/** What the condition of a hook reads beside params, run and metrics. */
const names = ['status', 'duration_ms', 'watch'];

/** `on_finish` of the workflow file. What is wrong in its form, the schema says. */
export function resolveHooks(
  root: LocatedMap,
  scope: Scope,
  expander: Expander,
  ids: readonly string[],
  problems: ProblemList,
): Hook[] {
  const list = member(root, 'on_finish');
  if (list?.kind !== 'list') return [];
  return list.items.flatMap((node) => {
    if (node.kind !== 'map') return [];
    const when = member(node, 'when');
    const condition = textOf(when);
    let source = condition;
    if (when?.kind === 'scalar' && condition !== undefined) {
      expander.onReference = ({ step, span }) => {
        if (ids.includes(step)) return;
        const hint = suggestion(step, ids, 'steps');
        problems.error('unknown-step', `there is no step "${step}"`, span, hint ? { hint } : {});
      };
      source = expander.bare(when, condition, { ...scope, metrics: true }, names)?.named ?? condition;
      expander.onReference = () => {};
    }
    const timeout = member(node, 'timeout');
    const run = member(node, 'run');
    return [
      {
        when: when && source !== undefined ? { source, place: placeOf(when) } : null,
        timeout_ms:
          (timeout?.kind === 'scalar' && timeout.value !== null && durationMs(timeout.value)) || 60_000,
        ...(run && { run: expander.expand(run, scope).value as string | string[] }),
        ...templateOf(node, 'webhook', scope, expander),
        ...templatesOf(node, 'headers', scope, expander),
        ...templatesOf(node, 'env', scope, expander),
        place: placeOf(node),
      },
    ];
  });
}

/** A value with places for secrets, in which all else is known. */
function templateOf(node: LocatedMap, key: string, scope: Scope, expander: Expander): Record<string, string> {
  const value = member(node, key);
  return value === undefined ? {} : { [key]: textsOf(value, scope, expander)[''] ?? '' };
}

function templatesOf(node: LocatedMap, key: string, scope: Scope, expander: Expander) {
  const value = member(node, key);
  return value === undefined ? {} : { [key]: textsOf(value, scope, expander) };
}

/** Texts by the name of the member, or under '' for a single one. */
function textsOf(node: Located, scope: Scope, expander: Expander): Record<string, string> {
  const { value, deferred } = expander.expand(node, { ...scope, secrets: true });
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  const members: [string, Json][] = isMap ? Object.entries(value) : [['', value]];
  const texts = Object.fromEntries(members.map(([name, text]) => [name, String(text)]));
  for (const { pointer, template } of deferred) texts[pointerParts(pointer)[0] ?? ''] = template;
  return texts;
}
