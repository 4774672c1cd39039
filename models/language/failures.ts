import type { AskResult, Spent } from '../../engine/language-model.ts';
import type { ProviderError } from './provider.ts';
import type { ModelSettings } from './settings.ts';

export type Failed = Extract<AskResult, { failure: object }>;
type Failure = Failed['failure'];

export function failed(failure: Failure, spent: Spent | null = null): Failed {
  return { failure, spent };
}

/** Nothing may be asked, and the answer is not there. */
export function notKnown(model: string): Failed {
  return failed({
    scope: 'row',
    code: 'answer-not-known',
    message: `no answer of ${model} to this request is known, and none may be asked for`,
    retryable: false,
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

/** What a try came to when no more of them are made. */
export function fromProvider(
  error: ProviderError,
  model: string,
  { retries }: ModelSettings['limits'],
): Failed {
  const { fault, message, hint } = error;
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
    default:
      return failed({
        scope: 'row',
        code: 'model-unavailable',
        message: `${message_}, ${retries === 0 ? 'and retries is 0' : `after ${retries} retries`}`,
        retryable: true,
      });
  }
}

/** Answers that are no results. */
export const unusable = {
  truncated: (spent: Spent) =>
    failed(
      {
        scope: 'row',
        code: 'answer-truncated',
        message: 'the answer was cut off at its limit of tokens',
        hint: 'raise max_tokens',
        retryable: false,
      },
      spent,
    ),
  refused: (spent: Spent, text: string) =>
    failed(
      {
        scope: 'row',
        code: 'answer-refused',
        message: `the model refused${text === '' ? '' : `: ${text.slice(0, 200)}`}`,
        retryable: false,
      },
      spent,
    ),
  unfinished: (spent: Spent) =>
    failed(
      {
        scope: 'row',
        code: 'answer-unfinished',
        message: 'the answer ends within its thinking aloud',
        hint: 'raise max_tokens',
        retryable: false,
      },
      spent,
    ),
  invalid: (spent: Spent, wrong: string) =>
    failed(
      {
        scope: 'row',
        code: 'answer-invalid',
        message: `the answer does not fit its schema, nor did a second one that was told so: ${wrong}`,
        retryable: false,
      },
      spent,
    ),
};
