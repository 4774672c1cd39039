import type { Anthropic } from '@anthropic-ai/sdk';
import type { BatchProvider, BatchResult } from '../batch.ts';
import { type ProviderAnswer, ProviderError, type ProviderFault, type ProviderRequest } from '../provider.ts';
import { tryCall, tryToSubmit } from './batch-calls.ts';

type Result = Anthropic.Messages.MessageBatchIndividualResponse;

/** Batches of one page of the list; further pages are read as long as what is looked for may be on them. */
const listed = 100;
/** Milliseconds by which clocks may differ, and that a submission may take. */
const [skew, submission] = [2 * 60_000, 20 * 60_000];

const faultOf: { readonly [type: string]: ProviderFault } = {
  api_error: 'unavailable',
  timeout_error: 'unavailable',
  overloaded_error: 'overloaded',
  rate_limit_error: 'overloaded',
  authentication_error: 'denied',
  permission_error: 'denied',
  billing_error: 'denied',
  not_found_error: 'unknown-model',
};

/** Anthropic's message batches. */
export function anthropicBatches(
  client: Anthropic,
  keyName: string | null,
  way: {
    body(request: ProviderRequest): object;
    answer(message: Anthropic.Message, headers: Headers): ProviderAnswer;
  },
): BatchProvider {
  const { batches } = client.messages;
  const tried = <T>(signal: AbortSignal, work: () => Promise<T>) => tryCall(keyName, signal, work);
  return {
    most: { requests: 100_000, bytes: 256e6 },
    guesses: true,
    line: (key, request) => JSON.stringify({ custom_id: key, params: way.body(request) }),
    submit: (lines, _, signal) =>
      tryToSubmit(keyName, signal, async () => {
        const requests = lines.map((line) => JSON.parse(line));
        return (await batches.create({ requests }, { signal })).id;
      }),
    // A batch has no name of ours: it is one of that time with as many requests, and the first after it was noted unless
    // clocks differ. The keys of its results tell.
    find: ({ requests, since, others }, signal) =>
      tried(signal, async () => {
        const known = new Set(others);
        let found: string | null = null;
        for await (const { id, created_at, request_counts } of batches.list({ limit: listed }, { signal })) {
          const at = Date.parse(created_at);
          if (at < since && (found !== null || at < since - skew)) break;
          if (known.has(id) || totalOf(request_counts) !== requests || at > since + submission) continue;
          found = id;
        }
        return found;
      }),
    status: (id, signal) =>
      tried(signal, async () => {
        const { processing_status, request_counts: counts } = await batches.retrieve(id, {}, { signal });
        const total = totalOf(counts);
        return {
          ended: processing_status === 'ended',
          done: total - counts.processing,
          total,
          unanswered: 'the batch has ended without a result for this request',
        };
      }),
    // They go by themselves after 29 days.
    discard: async () => {},
    async *results(id, signal) {
      // Results are kept for 29 days: then there is no address any more.
      const { results_url } = await tried(signal, () => batches.retrieve(id, {}, { signal }));
      if (!results_url) return;
      const results = await tried(signal, () => batches.results(id, {}, { signal }));
      try {
        for await (const line of results) yield resultOf(line, way.answer);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ProviderError) throw error;
        throw new ProviderError('unavailable', `the results broke off: ${(error as Error).message}`);
      }
    },
  };
}

function totalOf(counts: Anthropic.Messages.MessageBatchRequestCounts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function resultOf(
  { custom_id: key, result }: Result,
  answerOf: (message: Anthropic.Message, headers: Headers) => ProviderAnswer,
): BatchResult {
  if (result.type === 'succeeded') {
    try {
      return { key, answer: answerOf(result.message, new Headers()) };
    } catch (error) {
      if (error instanceof ProviderError) return { key, error };
      throw error;
    }
  }
  if (result.type === 'errored') {
    const { type, message } = result.error.error;
    return { key, error: new ProviderError(faultOf[type] ?? 'rejected', `${message} (${type})`) };
  }
  const how = result.type === 'expired' ? 'expired' : 'was canceled';
  return {
    key,
    error: new ProviderError('unanswered', `the batch ${how} before this request was answered`),
  };
}
