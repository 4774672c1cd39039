import { hash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type BatchOutcome, BatchServer, type BatchServerOptions } from './batch-server.ts';
import { countedTokens, pieces, wholeAnswer } from './model-answers.ts';

/** How a request goes wrong. Those from `drip` on answer, but not as they should: `blank` with an empty text. */
export type Fault =
  | 'rate-limit'
  | 'error'
  | 'overloaded'
  | 'hang'
  | 'reset'
  | 'malformed'
  | 'truncated'
  | 'empty'
  | 'denied'
  | 'no-such-model'
  | 'rejected'
  | 'drip'
  | 'wrong-usage'
  | 'cut-off'
  | 'refused'
  | 'blank';

/** A request as the server understood it. */
export interface SeenRequest {
  format: 'openai' | 'responses' | 'anthropic';
  /** The last user message: what tells requests apart in tests. */
  prompt: string;
  /** How often this prompt was asked before. */
  attempt: number;
  body: Record<string, unknown>;
  headers: IncomingMessage['headers'];
}

export interface ModelServerOptions {
  latencyMs?: number;
  /** The text to answer with; JSON goes out as the format has it. */
  reply?(request: SeenRequest): string;
  fault?(request: SeenRequest): Fault | null;
  /** Requests in a sliding minute; more are refused with 429. */
  requestsPerMinute?: number;
  headers?: Record<string, string>;
  /** What the server reports of an answer, as its format has it; a token for each word if not given. */
  usage?(request: SeenRequest, text: string): Record<string, unknown>;
  /** Numbers in a text's vector where the request does not say; 8 if not given. */
  vectorLength?(text: string): number;
  /** How batches go; those that are not there go well. Each of their requests is answered as if it came by itself. */
  batch?: Pick<BatchServerOptions, 'ended' | 'refuse' | 'invalid'> & {
    /** How a request of a batch goes wrong: 500 errored, 400 invalid. */
    fault?(request: SeenRequest): 'expired' | 'canceled' | 400 | 500 | null;
  };
}

/**
 * A loopback server that speaks the wire formats of OpenAI's chat completions (`/v1/chat/completions`) and Anthropic's
 * messages (`/v1/messages`), goes wrong when it is told to, and counts what it saw.
 */
export class ModelServer {
  readonly #server: Server;
  readonly #options: ModelServerOptions;
  /** Of each prompt: requests that came, and whole answers that went out. */
  readonly asked = new Map<string, number>();
  readonly answered = new Map<string, number>();
  readonly requests: SeenRequest[] = [];
  /** The texts of each request for vectors. */
  readonly embedded: string[][] = [];
  readonly faults = new Map<Fault, number>();
  readonly batches: BatchServer;
  underway = 0;
  mostUnderway = 0;
  /** Requests refused by the limit. */
  violations = 0;
  #recent: number[] = [];
  #onAnswer: (() => void) | null = null;

  private constructor(options: ModelServerOptions) {
    this.#options = options;
    this.batches = new BatchServer({
      ...options.batch,
      outcome: (batch, { body }) => this.#outcome(batch.endpoint, body),
    });
    this.#server = createServer((request, response) => {
      void this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async start(options: ModelServerOptions = {}): Promise<ModelServer> {
    const server = new ModelServer(options);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  /** What `base_url` says for a provider. */
  url(format: 'openai' | 'anthropic'): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}${format === 'openai' ? '/v1' : ''}`;
  }

  get answers(): number {
    return [...this.answered.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Resolves when so many answers have gone out. */
  async until(answers: number): Promise<void> {
    while (this.answers < answers)
      await new Promise<void>((resolve) => {
        this.#onAnswer = resolve;
      });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    if (this.batches.serve(request, bytes, response)) return;
    const body = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
    const url = request.url!;
    if (url.endsWith('/embeddings')) {
      this.#embed(body, request.headers, response);
      return;
    }
    const format = formatOf(url);
    const prompt = lastWords(body);
    const attempt = this.asked.get(prompt) ?? 0;
    this.asked.set(prompt, attempt + 1);
    const seen: SeenRequest = { format, prompt, attempt, body, headers: request.headers };
    this.requests.push(seen);
    this.mostUnderway = Math.max(this.mostUnderway, ++this.underway);
    try {
      await this.#answer(seen, response);
    } finally {
      this.underway--;
    }
  }

  /** Vectors of texts: the sums of their characters' codes, by place. A text that is empty is refused, with its company. */
  #embed(body: Record<string, unknown>, headers: IncomingMessage['headers'], response: ServerResponse): void {
    const texts = body['input'] as string[];
    this.embedded.push(texts);
    const prompt = texts.join(' ');
    const attempt = this.asked.get(prompt) ?? 0;
    this.asked.set(prompt, attempt + 1);
    const seen: SeenRequest = { format: 'openai', prompt, attempt, body, headers };
    this.requests.push(seen);
    const send = (status: number, answer: unknown, more: Record<string, string> = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', ...more });
      response.end(JSON.stringify(answer));
    };
    const fault = this.#options.fault?.(seen) ?? null;
    const refused: { [fault in Fault]?: [number, string] } = {
      'rate-limit': [429, 'slow down'],
      denied: [401, 'wrong key'],
      error: [500, 'something broke'],
      rejected: [400, 'the input is not allowed'],
    };
    const refusal = texts.includes('') ? [400, 'input cannot be an empty string'] : refused[fault ?? 'drip'];
    if (refusal !== undefined) {
      const [status, message] = refusal as [number, string];
      send(status, { error: { message } }, { 'retry-after-ms': '20' });
      return;
    }
    if (fault === 'empty') {
      send(200, { object: 'list', data: [] });
      return;
    }
    const data = texts.map((text, index) => {
      const size = (body['dimensions'] as number | undefined) ?? this.#options.vectorLength?.(text) ?? 8;
      const numbers = embeddingOf(text, size);
      const embedding =
        body['encoding_format'] === 'base64' && fault !== 'wrong-usage'
          ? Buffer.from(numbers.buffer).toString('base64')
          : [...numbers];
      return { object: 'embedding', index, embedding };
    });
    // Servers may give them in any order.
    data.reverse();
    const tokens = texts.reduce((sum, text) => sum + countedTokens(text), 0);
    send(200, {
      object: 'list',
      data,
      model: `${body['model']}-2026-01-01`,
      usage: this.#options.usage?.(seen, '') ?? { prompt_tokens: tokens, total_tokens: tokens },
    });
    this.answered.set(prompt, (this.answered.get(prompt) ?? 0) + 1);
    this.#onAnswer?.();
  }

  /** What comes of a request that is part of a batch; it counts as asked, and as answered. */
  #outcome(endpoint: string, body: Record<string, unknown>): BatchOutcome {
    const { batch, fault, reply, usage } = this.#options;
    const prompt = lastWords(body);
    const attempt = this.asked.get(prompt) ?? 0;
    const seen: SeenRequest = { format: formatOf(endpoint), prompt, attempt, body, headers: {} };
    const wrong = batch?.fault?.(seen) ?? null;
    if (typeof wrong === 'string') return wrong;
    this.asked.set(prompt, attempt + 1);
    if (wrong !== null) {
      const type = wrong === 400 ? 'invalid_request_error' : 'api_error';
      return { status: wrong, body: { error: { type, message: 'it went wrong' } } };
    }
    this.answered.set(prompt, (this.answered.get(prompt) ?? 0) + 1);
    const text = reply?.(seen) ?? `answer to ${prompt}`;
    const whole = wholeAnswer(seen, text, fault?.(seen) ?? null);
    return { status: 200, body: { ...whole, ...(usage && { usage: usage(seen, text) }) } };
  }

  async #answer(seen: SeenRequest, response: ServerResponse): Promise<void> {
    const { latencyMs = 0, headers = {}, requestsPerMinute = Infinity, fault, reply, usage } = this.#options;
    const send = (status: number, body: unknown, more: Record<string, string> = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers, ...more });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    const refuse = (status: number, message: string, more: Record<string, string> = {}) =>
      send(status, { type: 'error', error: { type: 'error', message } }, more);
    const now = performance.now();
    while (this.#recent.length > 0 && this.#recent[0]! <= now - 60_000) this.#recent.shift();
    if (this.#recent.length >= requestsPerMinute) {
      this.violations++;
      refuse(429, 'too many requests', { 'retry-after-ms': '100' });
      return;
    }
    this.#recent.push(now);
    const wrong = fault?.(seen) ?? null;
    if (wrong !== null) this.faults.set(wrong, (this.faults.get(wrong) ?? 0) + 1);
    if (wrong === 'hang') return;
    if (latencyMs > 0) await delay(latencyMs);
    switch (wrong) {
      case 'rate-limit':
        return refuse(429, 'slow down', { 'retry-after-ms': '20' });
      case 'error':
        return refuse(500, 'something broke');
      case 'overloaded':
        return refuse(529, 'overloaded');
      case 'denied':
        return refuse(401, 'wrong key');
      case 'no-such-model':
        return refuse(404, 'no such model');
      case 'rejected':
        return refuse(400, 'the prompt is too long');
      case 'malformed':
        return send(200, '<html>gateway</html>');
      default:
    }
    const text = reply?.(seen) ?? `answer to ${seen.prompt}`;
    const reported = usage && { usage: usage(seen, text) };
    const whole = { ...wholeAnswer(seen, text, wrong), ...reported };
    if (seen.body['stream'] === true) {
      const events = pieces(seen, text, wrong);
      response.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
      const broken = wrong === 'truncated' || wrong === 'reset';
      for (const event of broken ? events.slice(0, events.length >> 1) : events) response.write(event);
      if (wrong === 'reset') {
        await delay(1);
        response.destroy();
      } else response.end();
      if (broken || wrong === 'empty') return;
      this.answered.set(seen.prompt, (this.answered.get(seen.prompt) ?? 0) + 1);
      this.#onAnswer?.();
      return;
    }
    const json = JSON.stringify(whole);
    if (wrong === 'truncated') return send(200, json.slice(0, json.length / 2));
    if (wrong === 'reset') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(json.length) });
      response.write(json.slice(0, json.length / 2));
      await delay(1);
      response.destroy();
      return;
    }
    if (wrong === 'drip') {
      response.writeHead(200, { 'content-type': 'application/json' });
      for (let at = 0; at < json.length; at += 40) {
        response.write(json.slice(at, at + 40));
        await delay(2);
      }
      response.end();
    } else send(200, json);
    if (wrong === 'empty') return;
    this.answered.set(seen.prompt, (this.answered.get(seen.prompt) ?? 0) + 1);
    this.#onAnswer?.();
  }
}

/** Faults that a further try gets over, and those that answer all the same. */
export const everyFault: readonly Fault[] = [
  'rate-limit',
  'error',
  'overloaded',
  'reset',
  'malformed',
  'truncated',
  'empty',
  'drip',
  'hang',
  'wrong-usage',
];

/** Faults for a share of the requests, by what is asked and how often: the same in each run of a test. */
export function sometimes(share: number, faults: readonly Fault[]): (request: SeenRequest) => Fault | null {
  return ({ prompt, attempt }) => {
    const drawn = hash('sha256', `${prompt} ${attempt}`, 'buffer').readUInt32LE() / 2 ** 32;
    return drawn < share ? faults[Math.floor((drawn / share) * faults.length)]! : null;
  };
}

function formatOf(url: string): SeenRequest['format'] {
  if (url.endsWith('/chat/completions')) return 'openai';
  return url.endsWith('/responses') ? 'responses' : 'anthropic';
}

function lastWords(body: Record<string, unknown>): string {
  const messages = (body['messages'] ?? body['input'] ?? []) as {
    role: string;
    content: string | { text?: string }[];
  }[];
  const content = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  return typeof content === 'string' ? content : content.map(({ text }) => text ?? '').join('');
}

/** What the server says is the vector of a text. */
export function embeddingOf(text: string, size: number): Float32Array {
  const numbers = new Float32Array(size);
  for (let at = 0; at < text.length; at++) numbers[at % size]! += text.charCodeAt(at);
  return numbers;
}
