import type { Redaction } from '../../../engine/record/redaction.ts';
import type { BatchProvider } from '../batch.ts';
import { type Provider, type ProviderAnswer, ProviderError } from '../provider.ts';

/**
 * The same provider, but that what a server says back of the key that it was sent stands in no answer and in no message:
 * answers are kept, shown and shared, and so is why a row failed.
 */
export function redacted(provider: Provider, redaction: Redaction): Provider {
  const clean = (said: ProviderAnswer): ProviderAnswer => {
    const text = redaction.text(said.text);
    const served = said.served === null ? null : redaction.text(said.served);
    return { ...said, text, served, ...(text !== said.text && { logprobs: null }) };
  };
  const { batches } = provider;
  return {
    ...(batches && { batches: redactedBatches(batches, redaction, clean) }),
    async ask(request, signal) {
      const { onText } = request;
      const heard =
        onText === undefined
          ? request
          : { ...request, onText: (text: string) => onText(redaction.text(text)) };
      return clean(await orRedacted(provider.ask(heard, signal), redaction));
    },
  };
}

function redactedBatches(
  batches: BatchProvider,
  redaction: Redaction,
  clean: (said: ProviderAnswer) => ProviderAnswer,
): BatchProvider {
  return {
    most: batches.most,
    guesses: batches.guesses,
    line: (key, request) => batches.line(key, request),
    submit: (lines, token, signal) => orRedacted(batches.submit(lines, token, signal), redaction),
    find: (lost, signal) => orRedacted(batches.find(lost, signal), redaction),
    discard: (id, signal) => orRedacted(batches.discard(id, signal), redaction),
    async status(id, signal) {
      const status = await orRedacted(batches.status(id, signal), redaction);
      const { refused, unanswered } = status;
      return {
        ...status,
        unanswered: redaction.text(unanswered),
        ...(refused && { refused: errorWithout(refused, redaction) }),
      };
    },
    async *results(id, signal) {
      try {
        for await (const result of batches.results(id, signal))
          yield 'answer' in result
            ? { ...result, answer: clean(result.answer) }
            : { ...result, error: errorWithout(result.error, redaction) };
      } catch (error) {
        throw error instanceof ProviderError ? errorWithout(error, redaction) : error;
      }
    },
  };
}

async function orRedacted<T>(asked: Promise<T>, redaction: Redaction): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw error instanceof ProviderError ? errorWithout(error, redaction) : error;
  }
}

function errorWithout(error: ProviderError, redaction: Redaction): ProviderError {
  const message = redaction.text(error.message);
  return message === error.message ? error : new ProviderError(error.fault, message, error);
}
