import { type OpenAI, toFile } from 'openai';
import type { BatchProvider, BatchResult, BatchStatus } from '../batch.ts';
import { ProviderError } from '../provider.ts';
import { statusOf, tryCall, tryToSubmit } from './batch-calls.ts';
import { fromSdk } from './http-errors.ts';
import type { ProviderOptions } from './index.ts';
import { linesOf } from './json-lines.ts';
import type { OpenAIWay } from './openai.ts';

/** A line of a batch's results, or of its errors. */
interface ResultLine {
  custom_id?: unknown;
  response?: { status_code?: number; body?: unknown } | null;
  error?: { code?: string | null; message?: string | null } | null;
}

/** The name under which a batch says which of ours it is. */
const token = 'reprise';
/** Batches of one page of the list; further pages are read as long as what is looked for may be on them. */
const listed = 100;
/** Milliseconds by which clocks may differ. */
const skew = 86_400_000;
/** Seconds that results are kept of a batch that nobody fetches: the longest that OpenAI takes, and so long as they count. */
const keptSeconds = 30 * 86_400;

/** OpenAI's batches: a file of requests is uploaded, and results and errors come as files. */
export function openaiBatches(client: OpenAI, way: OpenAIWay, options: ProviderOptions): BatchProvider {
  const { keyName, settings } = options;
  const tried = <T>(signal: AbortSignal, work: () => Promise<T>) => tryCall(keyName, signal, work);
  return {
    most: { requests: 50_000, bytes: 200e6 },
    guesses: false,
    line: (key, request) =>
      JSON.stringify({
        custom_id: key,
        method: 'POST',
        url: way.path,
        body: way.body(request, options),
      }),
    submit: (lines, name, signal) =>
      tryToSubmit(keyName, signal, async () => {
        const bytes = new Blob(lines.map((line) => `${line}\n`));
        const file = await client.files.create(
          { file: await toFile(bytes, `${name}.jsonl`), purpose: 'batch' },
          { signal },
        );
        try {
          const batch = await client.batches.create(
            {
              input_file_id: file.id,
              endpoint: way.path,
              completion_window: '24h',
              metadata: { [token]: name },
              // Other servers may refuse what they do not know.
              ...(settings.hosted && {
                output_expires_after: { anchor: 'created_at', seconds: keptSeconds },
              }),
            },
            { signal },
          );
          return batch.id;
        } catch (error) {
          const status = statusOf(error) ?? 500;
          // Nothing was made of it. Where it cannot be deleted, it expires.
          if (status < 500 && status !== 408 && status !== 409)
            await client.files.delete(file.id, { signal }).catch(() => {});
          throw error;
        }
      }),
    find: (lost, signal) =>
      tried(signal, async () => {
        for await (const { id, metadata, created_at } of client.batches.list({ limit: listed }, { signal })) {
          if (metadata?.[token] === lost.token) return id;
          if (created_at * 1000 < lost.since - skew) break;
        }
        return null;
      }),
    status: (id, signal) => tried(signal, async () => stateOf(await client.batches.retrieve(id, { signal }))),
    async *results(id, signal) {
      const { output_file_id, error_file_id } = await tried(signal, () =>
        client.batches.retrieve(id, { signal }),
      );
      for (const file of [output_file_id, error_file_id]) {
        if (!file) continue;
        const content = await tried(signal, () => client.files.content(file, { signal })).catch(gone);
        if (content === null) continue;
        for await (const line of linesOf(content, signal)) yield resultOf(line as ResultLine, way);
      }
    },
    async discard(id, signal) {
      const { input_file_id, output_file_id, error_file_id } = await tried(signal, () =>
        client.batches.retrieve(id, { signal }),
      );
      for (const file of [input_file_id, output_file_id, error_file_id])
        if (file) await tried(signal, () => client.files.delete(file, { signal })).catch(gone);
    },
  };
}

/** A file that was deleted is not there any more: its requests have no result. */
function gone(error: unknown): null {
  if (error instanceof ProviderError && error.fault === 'unknown-model') return null;
  throw error;
}

function stateOf(batch: OpenAI.Batch): BatchStatus {
  const { status, request_counts: counts, errors } = batch;
  const done = (counts?.completed ?? 0) + (counts?.failed ?? 0);
  const total = counts?.total ?? 0;
  if (status === 'failed') {
    const [first] = errors?.data ?? [];
    const code = first?.code ?? '';
    const line = first?.line ? ` (request ${first.line})` : '';
    return {
      ended: true,
      done,
      total,
      unanswered: '',
      refused: new ProviderError(
        code === 'model_not_found' ? 'unknown-model' : 'rejected',
        `the batch was refused: ${first?.message ?? 'no reason is given'}${line}`,
        (code === 'token_limit_exceeded' && {
          hint: 'smaller batches, one after the other, may fit: batch: { max_requests: 1000 }',
        }) ||
          {},
      ),
    };
  }
  return {
    ended: status === 'completed' || status === 'expired' || status === 'cancelled',
    done,
    total,
    unanswered:
      status === 'expired'
        ? 'the batch expired before this request was answered'
        : status === 'cancelled'
          ? 'the batch was canceled before this request was answered'
          : 'the batch has ended without a result for this request',
  };
}

function resultOf({ custom_id, response, error }: ResultLine, way: OpenAIWay): BatchResult {
  const key = String(custom_id);
  try {
    if (response && response.status_code === 200)
      return { key, answer: way.answer(response.body, new Headers()) };
    if (response) {
      const body = response.body as { error?: unknown } | undefined;
      const failed = { name: '', message: '', status: response.status_code, error: body?.error ?? body };
      return { key, error: fromSdk(failed, null) };
    }
    const message = error?.message ?? 'no reason is given';
    const ended = error?.code === 'batch_expired' || error?.code === 'batch_cancelled';
    return { key, error: new ProviderError(ended ? 'unanswered' : 'rejected', message) };
  } catch (thrown) {
    if (thrown instanceof ProviderError) return { key, error: thrown };
    throw thrown;
  }
}
