import type { IncomingMessage, ServerResponse } from 'node:http';

/** What came of one request of a batch: an answer as its format has it, or how it went wrong. */
export type BatchOutcome = { status: number; body: object } | 'expired' | 'canceled';

/** A batch as the server has it. */
export interface SeenBatch {
  id: string;
  format: 'openai' | 'anthropic';
  /** `/v1/chat/completions`, `/v1/responses` or `/v1/messages`. */
  endpoint: string;
  requests: { key: string; body: Record<string, unknown> }[];
  metadata: Record<string, string> | undefined;
  /** OpenAI's file of requests. */
  input?: string | undefined;
  created: number;
  /** How often it was looked at. */
  looks: number;
  ended: boolean;
  /** Those that `done` says, of a batch that goes on. */
  done: number;
}

export interface BatchServerOptions {
  /** Whether a batch has ended, when it is looked at; after the first look if not given. */
  ended?(batch: SeenBatch): boolean;
  outcome(batch: SeenBatch, request: SeenBatch['requests'][number]): BatchOutcome;
  /** The status that a new batch is answered with instead; it is made all the same if it is 500 or 503. */
  refuse?(count: number): number | null;
  /** The batch fails as a whole, for this reason. */
  invalid?(batch: SeenBatch): { code: string; message: string } | null;
}

/** The batch APIs of OpenAI (`/v1/files`, `/v1/batches`) and Anthropic (`/v1/messages/batches`) in memory. */
export class BatchServer {
  readonly batches: SeenBatch[] = [];
  /** What is in OpenAI's files, by their ids. */
  readonly files = new Map<string, string>();
  #uploads = 0;
  #created = 0;
  readonly #made = new Set<string>();
  readonly #outcomes = new Map<string, BatchOutcome>();
  readonly #options: BatchServerOptions;
  #submissions = 0;
  readonly #first = Promise.withResolvers<void>();
  #onLook: (() => void)[] = [];

  constructor(options: BatchServerOptions) {
    this.#options = options;
  }

  /** Resolves when the first request to a batch API comes. */
  get firstRequest(): Promise<void> {
    return this.#first.promise;
  }

  /** Resolves when the batches were looked at so often, together. */
  async looks(count: number): Promise<void> {
    while (this.batches.reduce((sum, { looks }) => sum + looks, 0) < count)
      await new Promise<void>((resolve) => this.#onLook.push(resolve));
  }

  /** Answers a request to one of the batch APIs; false if it is to another. */
  serve(request: IncomingMessage, body: Buffer, response: ServerResponse): boolean {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://localhost');
    const send = (value: unknown, status = 200) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(typeof value === 'string' ? value : JSON.stringify(value));
    };
    const post = request.method === 'POST';
    if (/^\/v1\/(files|batches|messages\/batches)/.test(pathname)) this.#first.resolve();
    if (post && pathname === '/v1/files') {
      const id = `file-${++this.#uploads}`;
      this.files.set(id, uploaded(body));
      send({ id, object: 'file', purpose: 'batch' });
      return true;
    }
    const [, file, content] = /^\/v1\/files\/([^/]+)(\/content)?$/.exec(pathname) ?? [];
    if (file !== undefined) {
      const text = this.files.get(file);
      if (text === undefined) send({ error: { message: 'no such file' } }, 404);
      else if (content !== undefined) send(text);
      else send({ id: file, deleted: this.files.delete(file) });
      return true;
    }
    const [, prefix, , id, results] =
      /^\/v1(\/messages)?\/batches(\/([^/]+))?(\/results)?$/.exec(pathname) ?? [];
    if (!/^\/v1(\/messages)?\/batches/.test(pathname)) return false;
    const shown = (batch: SeenBatch) =>
      prefix === undefined ? this.#openai(batch) : anthropicBatch(batch, request.headers.host ?? '');
    if (post) {
      const refused = this.#options.refuse?.(++this.#submissions) ?? null;
      const made = refused === null || refused === 500 || refused === 503;
      if (!made) send({ error: { message: 'no such address' } }, refused);
      else {
        const batch = this.#create(JSON.parse(body.toString('utf8')), prefix === undefined);
        if (refused === null) send(shown(batch));
        else send({ error: { message: 'it broke after all' } }, refused);
      }
    } else if (id === undefined) {
      const all = this.batches.toReversed().toSorted((a, b) => b.created - a.created);
      const last = query.get('after') ?? query.get('after_id');
      const from = all.findIndex((batch) => batch.id === last) + 1;
      const data = all.slice(from, from + Number(query.get('limit') ?? 20)).map(shown);
      const last_id = data.at(-1)?.id ?? null;
      send({ object: 'list', data, last_id, has_more: from + data.length < all.length });
    } else {
      const batch = this.batches.find((one) => one.id === id);
      if (batch === undefined) send({ error: { message: 'no such batch' } }, 404);
      else if (results !== undefined) send(this.#anthropicResults(batch));
      else {
        batch.looks++;
        batch.ended ||= this.#options.ended?.(batch) ?? batch.looks > 1;
        send(shown(batch));
        for (const heard of this.#onLook.splice(0)) heard();
      }
    }
    return true;
  }

  #create(body: Record<string, unknown>, openai: boolean): SeenBatch {
    const lines = openai
      ? (this.files.get(String(body['input_file_id'])) ?? '')
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line))
      : (body['requests'] as { custom_id: string; params: Record<string, unknown> }[]).map((line) => ({
          custom_id: line.custom_id,
          body: line.params,
        }));
    const batch: SeenBatch = {
      id: `batch_${++this.#created}`,
      format: openai ? 'openai' : 'anthropic',
      endpoint: openai ? String(body['endpoint']) : '/v1/messages',
      requests: lines.map((line) => ({ key: line.custom_id, body: line.body })),
      metadata: body['metadata'] as Record<string, string> | undefined,
      input: openai ? String(body['input_file_id']) : undefined,
      created: Date.now(),
      looks: 0,
      ended: false,
      done: 0,
    };
    this.batches.push(batch);
    return batch;
  }

  #openai(batch: SeenBatch) {
    const { id, endpoint, requests, metadata, created, ended, done, input } = batch;
    const invalid = this.#options.invalid?.(batch) ?? null;
    const files: Record<string, string> = {};
    let status = ended ? 'completed' : 'in_progress';
    if (ended && invalid === null) {
      const lines: { output: string[]; error: string[] } = { output: [], error: [] };
      for (const one of requests) {
        const outcome = this.#outcome(batch, one);
        const line = (more: object) => JSON.stringify({ id: 'r', custom_id: one.key, ...more });
        if (typeof outcome === 'string') {
          status = outcome === 'expired' ? 'expired' : 'cancelled';
          const error = {
            code: outcome === 'expired' ? 'batch_expired' : 'batch_cancelled',
            message: outcome,
          };
          lines.error.push(line({ response: null, error }));
        } else
          lines[outcome.status === 200 ? 'output' : 'error'].push(
            line({ response: { status_code: outcome.status, body: outcome.body }, error: null }),
          );
      }
      for (const name of ['output', 'error'] as const) {
        if (lines[name].length === 0) continue;
        // It is made once: one that was deleted stays away.
        if (!this.#made.has(`${id}-${name}`))
          this.files.set(`${id}-${name}`, lines[name].toReversed().join('\n'));
        this.#made.add(`${id}-${name}`);
        files[`${name}_file_id`] = `${id}-${name}`;
      }
    }
    return {
      id,
      object: 'batch',
      endpoint,
      status: invalid === null ? status : 'failed',
      errors: invalid === null ? null : { data: [invalid] },
      created_at: Math.floor(created / 1000),
      request_counts: { total: requests.length, completed: ended ? requests.length : done, failed: 0 },
      metadata,
      input_file_id: input,
      ...files,
    };
  }

  /** What came of a request, the same whenever it is looked at. */
  #outcome(batch: SeenBatch, request: SeenBatch['requests'][number]): BatchOutcome {
    const name = `${batch.id} ${request.key}`;
    const outcome = this.#outcomes.get(name) ?? this.#options.outcome(batch, request);
    this.#outcomes.set(name, outcome);
    return outcome;
  }

  #anthropicResults(batch: SeenBatch): string {
    return batch.requests
      .map((one) => {
        const outcome = this.#outcome(batch, one);
        const result =
          typeof outcome === 'string'
            ? { type: outcome }
            : outcome.status === 200
              ? { type: 'succeeded', message: outcome.body }
              : { type: 'errored', error: { type: 'error', ...outcome.body } };
        return JSON.stringify({ custom_id: one.key, result });
      })
      .toReversed()
      .join('\n');
  }
}

function anthropicBatch({ id, requests, created, ended, done }: SeenBatch, host: string) {
  const finished = ended ? requests.length : 0;
  return {
    id,
    type: 'message_batch',
    processing_status: ended ? 'ended' : 'in_progress',
    request_counts: {
      processing: requests.length - (ended ? requests.length : done),
      succeeded: finished || done,
      errored: 0,
      canceled: 0,
      expired: 0,
    },
    created_at: new Date(created).toISOString(),
    results_url: ended ? `http://${host}/v1/messages/batches/${id}/results` : null,
  };
}

/** The file in a form's body. */
function uploaded(body: Buffer): string {
  const text = body.toString('utf8');
  const boundary = text.slice(0, text.indexOf('\r\n'));
  const part = text.split(boundary).find((one) => one.includes('filename=')) ?? '';
  return part.slice(part.indexOf('\r\n\r\n') + 4).trimEnd();
}
