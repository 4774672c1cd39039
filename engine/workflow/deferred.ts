import { CelError, loadCel } from '../cel.ts';
import type { Json, JsonObject } from '../json.ts';
import { type Problem, ProblemError, StepError } from '../problems.ts';
import type { StepRegistry } from '../registry.ts';
import { type MarkedValues, markedValues } from './marked-values.ts';
import { visitMarked } from './marks.ts';
import { normalPath, setAt } from './parameters.ts';
import type { ResolvedStep } from './resolved.ts';
import { inText, literal, templateParts } from './template.ts';

/**
 * Fills in the values of a step that waited for metrics, and checks the whole again. `scope` holds `steps` with the
 * metrics of what it needs (and params, env, matrix, run). Throws a `ProblemError` that points at the expression.
 */
export async function fillDeferred(
  step: ResolvedStep,
  scope: Readonly<Record<string, unknown>>,
  {
    registry,
    languageAliases = [],
    root = process.cwd(),
  }: { registry: StepRegistry; languageAliases?: readonly string[]; root?: string },
): Promise<{ parameters: JsonObject } & MarkedValues> {
  const source = registry.find(step.use);
  if (source === undefined) throw new StepError('unknown-step-type', `there is no step type "${step.use}"`);
  const type = await source.load();
  const compile = await loadCel();
  const parameters = structuredClone(step.parameters);
  const marks = new Map<string, string>();
  visitMarked(type.parameters, parameters, (mark, _, pointer) => void marks.set(pointer, mark));

  for (const { pointer, template, place } of step.deferred) {
    const parts = templateParts(template);
    if ('unclosed' in parts) throw new TypeError(`deferred value ${pointer} of ${step.id} is no template`);
    const bare = marks.get(pointer) === 'cel';
    try {
      const values = parts.map((part) =>
        part.kind === 'text' ? part.text : compile(part.source).evaluate(scope),
      );
      const text = (value: Json, index: number): string =>
        bare && parts[index]!.kind === 'expression' ? literal(value) : inText(value);
      let value = parts.length === 1 && !bare ? values[0]! : values.map(text).join('');
      if (/path$/.test(marks.get(pointer) ?? '') && typeof value === 'string')
        value = normalPath(value, root, root);
      setAt(parameters, pointer, value);
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      throw ProblemError.of('expression-failed', `${named(pointer)} of step ${step.id}: ${error.message}`, {
        place,
        ...(error.hint !== undefined && { hint: error.hint }),
      });
    }
  }

  const { compileSchema } = await import('./schema-check.ts');
  const errors = compileSchema(type.parameters).check(parameters);
  if (errors.length > 0) {
    const placeOf = (at: string) =>
      step.deferred.find(({ pointer }) => at.startsWith(pointer))?.place ?? step.place;
    throw new ProblemError(
      errors.map(
        (error): Problem => ({
          code: 'wrong-value',
          severity: 'error',
          message: `${named(error.instancePath)} of step ${step.id} ${error.message}; it is ${JSON.stringify(error.data)}`,
          place: placeOf(error.instancePath),
        }),
      ),
    );
  }
  const placeAt = (pointer: string) =>
    step.deferred.find((value) => value.pointer === pointer)?.place ?? step.place;
  const found =
    type.check?.(parameters as JsonObject, {
      inputs: Object.keys(step.inputs),
      languageModels: languageAliases,
    }) ?? [];
  if (found.length > 0)
    throw new ProblemError(
      found.map(
        ({ parameter, message }): Problem => ({
          code: 'parameter-check',
          severity: 'error',
          message: `step ${step.id}: ${message}`,
          place: placeAt(`/${parameter.replaceAll('.', '/')}`),
        }),
      ),
    );
  return {
    parameters: parameters as JsonObject,
    ...markedValues(type, parameters, { languageAliases, placeAt }),
  };
}

function named(pointer: string): string {
  return `with${pointer.replaceAll('/', '.')}`;
}
