import type { JsonObject } from '../json.ts';
import type { AnyStepType } from '../step.ts';
import { pointerParts } from './located.ts';
import { visitMarked } from './marks.ts';
import type { ResolvedStep } from './resolved.ts';

/** Which kind of model a marked value names; undefined if it names none. */
export function modelKind(
  mark: string,
  name: string,
  languageAliases: readonly string[],
): 'encoder' | 'language model' | undefined {
  if (mark === 'language-model') return 'language model';
  if (mark === 'model') return 'encoder';
  if (mark !== 'embedding-model') return undefined;
  return languageAliases.includes(name) ? 'language model' : 'encoder';
}

/** What the marks of a schema find in parameters. */
export type MarkedValues = Required<Pick<ResolvedStep, 'files' | 'modelNames' | 'languageModels'>>;

/**
 * Files that are read and models that parameters name.
 *
 * @param open pointers of values that are not known yet: they are passed over
 */
export function markedValues(
  type: AnyStepType,
  parameters: JsonObject,
  {
    languageAliases,
    placeAt,
    open = new Set(),
  }: {
    /** Aliases of `models` that are no encoders. */
    languageAliases: readonly string[];
    placeAt(pointer: string): ResolvedStep['place'];
    open?: ReadonlySet<string>;
  },
): MarkedValues {
  const found: MarkedValues = { files: [], modelNames: [], languageModels: [] };
  const seen = new Set<string>();
  visitMarked(type.parameters, parameters, (mark, value, pointer) => {
    if (typeof value !== 'string' || open.has(pointer) || seen.has(`${mark}${pointer}`)) return;
    seen.add(`${mark}${pointer}`);
    const parameter = pointerParts(pointer).join('.');
    const kind = modelKind(mark, value, languageAliases);
    if (mark === 'input-path') found.files.push({ parameter, path: value, place: placeAt(pointer) });
    if (kind === 'encoder') found.modelNames.push({ parameter, name: value, place: placeAt(pointer) });
    if (kind === 'language model')
      found.languageModels.push({ parameter, name: value, place: placeAt(pointer) });
  });
  return found;
}
