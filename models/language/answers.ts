import type { Json, JsonObject } from '../../engine/json.ts';
import type { Answer } from '../../engine/language-model.ts';

/** Values by namespace and key, such as the engine's row cache: readable when put, on disk within 10 ms. */
export interface KeyedValues<N> {
  namespace(identity: Json): N;
  getMany(namespace: N, keys: readonly Uint8Array[]): (unknown | undefined)[];
  put(namespace: N, key: Uint8Array, value: Json): void;
}

/**
 * Answers by what was asked of which model. Neither steps nor this layer's code are part of the name: what was paid for
 * once is not bought again because a parser was mended. Only answers that are whole and fit their schema are filed.
 */
export interface AnswerCache {
  get(model: JsonObject, request: string): Answer | undefined;
  put(model: JsonObject, request: string, answer: Answer): void;
}

export function answerCache<N>(values: KeyedValues<N>): AnswerCache {
  const namespaces = new Map<string, N>();
  const namespaceOf = (model: JsonObject): N => {
    const name = JSON.stringify(model);
    let namespace = namespaces.get(name);
    if (namespace === undefined) {
      namespace = values.namespace(model);
      namespaces.set(name, namespace);
    }
    return namespace;
  };
  return {
    get: (model, request) => values.getMany(namespaceOf(model), [keyOf(request)])[0] as Answer | undefined,
    put: (model, request, answer) =>
      values.put(namespaceOf(model), keyOf(request), answer as unknown as Json),
  };
}

function keyOf(request: string): Uint8Array {
  return Buffer.from(request.slice(request.indexOf(':') + 1), 'hex');
}
