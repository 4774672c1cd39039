import { suggestion } from '../nearest.ts';
import type { Instance } from './draft.ts';
import { type LocatedScalar, type Span, spanWithin } from './located.ts';
import type { ProblemList } from './problem-list.ts';

/** `{{ … }}` that says a value, not a comment. */
const mustache = /\{\{\{?[~#^]?(?!!)([^{}]*)\}?\}\}/g;
const reference = /(?<![\w.@/])(params|matrix)\.([A-Za-z_]\w*)/g;

/**
 * Reports params and axes that a prompt names and that there are not: every row would fail by them. Within blocks that look
 * elsewhere (`each`, `with`) a name may be another thing's: such a prompt is left to its rows.
 *
 * @param file the prompt's path, if it is a file: then `scalar` names it
 */
export function checkTemplateNames(
  text: string,
  scalar: LocatedScalar,
  { scope, draft }: Instance,
  problems: ProblemList,
  file?: string,
): void {
  if (/\{\{~?#(?:each|with)\b/.test(text)) return;
  for (const { index, 0: whole, 1: inside = '' } of text.matchAll(mustache)) {
    const names = inside.replaceAll(/"[^"]*"|'[^']*'/g, (quoted) => ' '.repeat(quoted.length));
    for (const found of names.matchAll(reference)) {
      const [said, root, name] = found as unknown as [string, 'params' | 'matrix', string];
      const start = index + whole.indexOf(inside) + found.index;
      const span: Span = file === undefined ? spanWithin(scalar, start, start + said.length) : scalar;
      const line = text.slice(0, start).split('\n').length;
      const where = file === undefined ? '' : `${file}:${line}: `;
      if (root === 'params') {
        if (Object.hasOwn(scope.params, name) || scope.unknownParams.has(name)) continue;
        const hint = suggestion(name, Object.keys(scope.params), 'params') ?? 'declare it under params:';
        problems.error('unknown-param', `${where}there is no param "${name}"`, span, { hint });
      } else if (scope.matrix === null && !draft.forEach)
        problems.error('unknown-axis', `${where}there is no matrix here`, span, {
          hint: 'give the step a matrix:',
        });
      else if (!Object.hasOwn(scope.matrix ?? {}, name) && !(draft.forEach && name === 'id')) {
        const axes = [...Object.keys(scope.matrix ?? {}), ...(draft.forEach ? ['id'] : [])];
        const hint = suggestion(name, axes, 'axes');
        problems.error(
          'unknown-axis',
          `${where}the matrix has no axis "${name}"`,
          span,
          hint ? { hint } : {},
        );
      }
    }
  }
}
