import type { Json, JsonObject } from '../../engine/json.ts';
import type { Answer } from '../../engine/language-model.ts';

/** Values by namespace and key, such as the engine's row cache: readable when put, on disk within 10 ms. */
export interface KeyedValues<N> {
  namespace(identity: Json): N;
  getMany(namespace: N, keys: readonly Uint8Array[]): (unknown | undefined)[];
  put(namespace: N, key: Uint8Array, value: Json, replace?: boolean, waitMs?: number): void;
  some(namespace: N, count: number): unknown[];
}

/** Who asks: a step, by its id, under an alias. */
export interface Asker {
  readonly step: string;
  readonly alias: string;
}

/**
 * Answers by what was asked of which model. Neither steps nor this layer's code are part of the name: what was paid for
 * once is not bought again because a parser was mended. Only answers that are whole and fit their schema are filed.
 */
export interface AnswerCache {
  get(model: JsonObject, request: string): Promise<Answer | undefined>;
  put(model: JsonObject, request: string, answer: Answer): void;
  /**
   * What this model said when a step asked under an alias, by a record: where several models stand behind the alias, another
   * step may have been given another's answer to the same request.
   */
  given?(asker: Asker, model: JsonObject, request: string): Promise<Answer | undefined>;
  /** Some answers of a model, for what the next one may be like. */
  some?(model: JsonObject, count: number): Answer[];
}

/** Milliseconds that an answer waits for others to be written with: what a killed process loses was paid for. */
const groupMs = 5;

interface Waiting {
  request: string;
  resolve(answer: Answer | undefined): void;
  reject(error: unknown): void;
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
  /** Requests of one turn of the event loop are looked up together. */
  let waiting = new Map<N, Waiting[]>();
  const lookUp = () => {
    const now = waiting;
    waiting = new Map();
    for (const [namespace, asked] of now) {
      try {
        const keys = asked.map(({ request }) => keyOf(request));
        const found = values.getMany(namespace, keys);
        asked.forEach(({ resolve }, index) => void resolve(found[index] as Answer | undefined));
      } catch (error) {
        for (const { reject } of asked) reject(error);
      }
    }
  };
  return {
    get: (model, request) =>
      new Promise((resolve, reject) => {
        if (waiting.size === 0) setImmediate(lookUp);
        const namespace = namespaceOf(model);
        const asked = waiting.get(namespace);
        if (asked) asked.push({ request, resolve, reject });
        else waiting.set(namespace, [{ request, resolve, reject }]);
      }),
    some: (model, count) => values.some(namespaceOf(model), count) as Answer[],
    put: (model, request, answer) =>
      values.put(namespaceOf(model), keyOf(request), answer as unknown as Json, false, groupMs),
  };
}

function keyOf(request: string): Uint8Array {
  return Buffer.from(request.slice(request.indexOf(':') + 1), 'hex');
}
