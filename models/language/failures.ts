import type { Answer, AskResult } from '../../engine/language-model.ts';
import { longestRetryAfterMs, type ProviderError } from './provider.ts';

export type Failed = Extract<AskResult, { failure: object }>;
type Failure = Failed['failure'];

export function failed(failure: Failure): Failed {
  return { failure, spent: null, said: null };
}

/** A failure that was recorded with what was said. */
export function recordedFailure(answer: Answer, { code, message }: NonNullable<Answer['failure']>): Failed {
  return { failure: { scope: 'row', code, message, retryable: false }, spent: null, said: answer };
}

/** Nothing may be asked, and the answer is not there. */
export function notKnown(model: string): Failed {
  return failed({
    scope: 'row',
    code: 'answer-not-known',
    message: `no answer of ${model} to this request is known, and none may be asked for`,
    hint: 'run asks without --offline, reproduce with --live',
    retryable: true,
  });
}

/** The circuit is open and no fallback is left. */
export function outOfOrder(model: string, last: string): Failed {
  return failed({
    scope: 'step',
    code: 'model-unavailable',
    message: `${model} does not answer: several requests in a row were given up after all their retries; the last: ${last}`,
    hint: 'what is done stays done: run again later, or give the model a fallback',
    retryable: true,
  });
}

/** Of a route: no model takes such a request. */
export function noneFits(model: string): Failed {
  return failed({
    scope: 'row',
    code: 'no-model-fits',
    message: `${model}: none of them takes this request`,
    retryable: false,
  });
}

/** Of a route: its rules do not say where such a request goes. */
export function ruleFails(route: string, why: string, scope: Failure['scope'], hint?: string): Failed {
  const message = `${route}: ${why}`;
  return failed({
    scope,
    code: 'route-rule',
    message,
    ...(hint !== undefined && { hint }),
    retryable: false,
  });
}

/** Vectors of several models cannot be compared. */
export function mixedVectors(alias: string): Failed {
  return failed({
    scope: 'step',
    code: 'model-no-vectors',
    message: `${alias} has several models, whose vectors could not be compared`,
    hint: 'name an alias without fallback and route',
    retryable: false,
  });
}

/** Only some providers have encoders. */
export function noVectors(model: string, inBatches: boolean): Failed {
  return failed({
    scope: 'step',
    code: 'model-no-vectors',
    message: inBatches
      ? `${model} is asked in batches, which are for answers, not for vectors`
      : `${model} gives no vectors of texts`,
    hint: inBatches
      ? 'name an alias without batch'
      : 'provider openai and whatever speaks its format (base_url), openrouter and replay do',
    retryable: false,
  });
}

export function withoutKey(model: string, keyName: string): Failed {
  return failed({
    scope: 'step',
    code: 'model-key',
    message: `${model} needs a key, and ${keyName} is not set`,
    hint: `set ${keyName} in the environment or in .env; api_key_env names another variable`,
    retryable: false,
  });
}

/** Nothing is asked: no answer could be checked against such a schema. */
export function schemaWrong(wrong: string): Failed {
  return failed({
    scope: 'step',
    code: 'answer-schema',
    message: `the schema for answers is no JSON Schema: ${wrong}`,
    retryable: false,
  });
}

/** What a request came to when it is not tried again. */
export function fromProvider(error: ProviderError, model: string): Failed {
  const { fault, message, hint, tries, retryAfterMs } = error;
  const withHint = hint === undefined ? {} : { hint };
  const message_ = `${model}: ${message}`;
  switch (fault) {
    case 'denied':
      return failed({
        scope: 'step',
        code: 'model-denied',
        message: message_,
        ...withHint,
        retryable: false,
      });
    case 'unknown-model':
      return failed({
        scope: 'step',
        code: 'model-not-found',
        message: message_,
        hint: 'is model: spelt as the provider spells it, and base_url right?',
        retryable: false,
      });
    case 'setup':
      return failed({ scope: 'step', code: 'model-setup', message: message_, ...withHint, retryable: false });
    case 'rejected':
      return failed({
        scope: 'row',
        code: 'request-rejected',
        message: message_,
        ...withHint,
        retryable: false,
      });
    case 'unanswered':
      return failed({
        scope: 'row',
        code: 'batch-unanswered',
        message: message_,
        hint: 'the next run asks for it again',
        retryable: true,
      });
    default:
      return failed({
        scope: 'row',
        code: 'model-unavailable',
        message: `${model} did not answer${tries > 1 ? ` in ${tries} tries; the last` : ''}: ${message}${
          (retryAfterMs ?? 0) > longestRetryAfterMs
            ? `; it asks to wait for ${Math.ceil(retryAfterMs! / 60_000)} minutes, which is too long`
            : ''
        }`,
        retryable: true,
      });
  }
}

/** Answers that are no results. What they cost is added by the caller. */
export const unusable = {
  truncated: () =>
    failed({
      scope: 'row',
      code: 'answer-truncated',
      message: 'the answer was cut off at its limit of tokens',
      hint: 'raise max_tokens',
      retryable: false,
    }),
  empty: () =>
    failed({
      scope: 'row',
      code: 'answer-empty',
      message: 'the answer is empty, and so was the one before it',
      retryable: false,
    }),
  refused: (text: string) =>
    failed({
      scope: 'row',
      code: 'answer-refused',
      message: `the model refused${text === '' ? '' : `: ${text.slice(0, 200)}`}`,
      retryable: false,
    }),
  unfinished: () =>
    failed({
      scope: 'row',
      code: 'answer-unfinished',
      message: 'the answer ends within its thinking aloud',
      hint: 'raise max_tokens',
      retryable: false,
    }),
  'foreign-turn': () =>
    failed({
      scope: 'row',
      code: 'answer-foreign-turn',
      message:
        "the answer begins with the mark of somebody else's turn: the model goes on with the conversation",
      hint: "does the server use the model's own chat template?",
      retryable: false,
    }),
  'broken-characters': () =>
    failed({
      scope: 'row',
      code: 'answer-broken-characters',
      message: 'the answer has characters that were broken on their way (U+FFFD, or half of a pair)',
      retryable: true,
    }),
  invalid: (wrong: string) =>
    failed({
      scope: 'row',
      code: 'answer-invalid',
      message: `the answer does not fit its schema, nor did a second one that was told so: ${wrong}`,
      retryable: false,
    }),
};
