import type { Fault, SeenRequest } from './model-server.ts';

/** Tokens that the server counts: one for each word. */
export function countedTokens(text: string): number {
  return text.split(/\s+/).filter(Boolean).length;
}

/** An answer as one document, in the format that the request speaks. */
export function wholeAnswer(seen: SeenRequest, text: string, fault: Fault | null) {
  const answers = { openai: openaiAnswer, responses: responsesAnswer, anthropic: anthropicAnswer };
  return answers[seen.format](seen, text, fault);
}

/** An answer as server-sent events, a word at a time. */
export function pieces(seen: SeenRequest, text: string, fault: Fault | null): string[] {
  if (seen.format === 'openai') return openaiPieces(openaiAnswer(seen, text, fault));
  if (seen.format === 'responses') return responsesPieces(responsesAnswer(seen, text, fault));
  return anthropicPieces(anthropicAnswer(seen, text, fault));
}

function openaiAnswer({ prompt, body }: SeenRequest, text: string, fault: Fault | null) {
  const usage =
    fault === 'wrong-usage'
      ? { prompt_tokens: -1, completion_tokens: 'many', total_tokens: Number.MAX_VALUE }
      : { prompt_tokens: countedTokens(prompt), completion_tokens: countedTokens(text) };
  const finish_reason = fault === 'cut-off' ? 'length' : fault === 'refused' ? 'content_filter' : 'stop';
  return {
    id: 'x',
    object: 'chat.completion',
    created: 0,
    model: `${body['model']}-2026-01-01`,
    choices:
      fault === 'empty'
        ? []
        : [
            {
              index: 0,
              message: { role: 'assistant', content: fault === 'blank' ? '' : text, refusal: null },
              finish_reason,
              ...(body['logprobs'] === true && { logprobs: { content: text.split(/(?=\s)/).map(likely) } }),
            },
          ],
    usage,
  };
}

function responsesAnswer({ prompt, body }: SeenRequest, text: string, fault: Fault | null) {
  const usage =
    fault === 'wrong-usage'
      ? { input_tokens: -1, output_tokens: 'many', total_tokens: Number.MAX_VALUE }
      : { input_tokens: countedTokens(prompt), output_tokens: countedTokens(text) };
  const incomplete = { 'cut-off': 'max_output_tokens', refused: 'content_filter' } as Record<string, string>;
  const reason = incomplete[fault ?? ''];
  const wanted = (body['include'] ?? []) as string[];
  const part = {
    type: 'output_text',
    text: fault === 'blank' ? '' : text,
    annotations: [],
    ...(wanted.includes('message.output_text.logprobs') && { logprobs: text.split(/(?=\s)/).map(likely) }),
  };
  const message = { type: 'message', id: 'm', role: 'assistant', status: 'completed', content: [part] };
  return {
    id: 'x',
    object: 'response',
    created_at: 0,
    status: reason === undefined ? 'completed' : 'incomplete',
    error: null,
    incomplete_details: reason === undefined ? null : { reason },
    model: `${body['model']}-2026-01-01`,
    output: [{ type: 'reasoning', id: 'r', summary: [] }, ...(fault === 'empty' ? [] : [message])],
    usage,
  };
}

function anthropicAnswer({ prompt, body }: SeenRequest, text: string, fault: Fault | null) {
  const tools = body['tools'] as { name: string }[] | undefined;
  const usage =
    fault === 'wrong-usage'
      ? { input_tokens: -1, output_tokens: 'many' }
      : { input_tokens: countedTokens(prompt), output_tokens: countedTokens(text) };
  const input = tools ? parsed(text) : undefined;
  const stop = tools ? 'tool_use' : 'end_turn';
  return {
    id: 'x',
    type: 'message',
    role: 'assistant',
    model: `${body['model']}-2026-01-01`,
    content:
      fault === 'empty'
        ? null
        : fault === 'blank'
          ? []
          : input === undefined
            ? [{ type: 'text', text }]
            : [{ type: 'tool_use', id: 't', name: tools![0]!.name, input }],
    stop_reason: fault === 'cut-off' ? 'max_tokens' : fault === 'refused' ? 'refusal' : stop,
    usage,
  };
}

function openaiPieces({ choices, usage, ...head }: ReturnType<typeof openaiAnswer>): string[] {
  const piece = (more: object) =>
    `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', ...more })}\n\n`;
  const [choice] = choices;
  const words = choice?.message.content.split(/(?<=\s)/) ?? [];
  return [
    ...words.map((content) => piece({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })),
    ...(choice ? [piece({ choices: [{ index: 0, delta: {}, finish_reason: choice.finish_reason }] })] : []),
    piece({ choices: [], usage }),
    'data: [DONE]\n\n',
  ];
}

function responsesPieces(response: ReturnType<typeof responsesAnswer>): string[] {
  const piece = (type: string, more: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
  const texts = response.output.flatMap((item) => ('content' in item ? item.content : []));
  const words = texts.flatMap(({ text }) => text.split(/(?<=\s)/));
  return [
    piece('response.created', { response: { ...response, status: 'in_progress', output: [] } }),
    ...words.map((delta) => piece('response.output_text.delta', { item_id: 'm', delta })),
    piece(`response.${response.status}`, { response }),
  ];
}

function anthropicPieces({
  content,
  stop_reason,
  usage,
  ...head
}: ReturnType<typeof anthropicAnswer>): string[] {
  const piece = (type: string, more: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
  const blocks = (content ?? []) as { type: string; text?: string; name?: string; input?: unknown }[];
  return [
    piece('message_start', {
      message: { ...head, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } },
    }),
    ...blocks.flatMap(({ type, text, name, input }, index) => [
      piece('content_block_start', {
        index,
        content_block: text === undefined ? { type, id: 't', name, input: {} } : { type, text: '' },
      }),
      ...(text ?? JSON.stringify(input)).split(/(?<=\s)/).map((part) =>
        piece('content_block_delta', {
          index,
          delta:
            text === undefined
              ? { type: 'input_json_delta', partial_json: part }
              : { type: 'text_delta', text: part },
        }),
      ),
      piece('content_block_stop', { index }),
    ]),
    piece('message_delta', {
      delta: { stop_reason, stop_sequence: null },
      usage: { output_tokens: usage.output_tokens },
    }),
    piece('message_stop', {}),
  ];
}

/** A token that is nine times as likely as the other that might stand there. */
function likely(token: string) {
  const logprob = Math.log(0.9);
  return {
    token,
    logprob,
    top_logprobs: [
      { token, logprob },
      { token: 'else', logprob: Math.log(0.1) },
    ],
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
