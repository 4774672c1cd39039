/** Of a chat wrapper of node-llama-cpp (version 3), what is used here. */
export interface ChatWrapper {
  generateContextState(options: { chatHistory: ChatItem[] }): {
    contextText: {
      readonly values: readonly (string | { readonly value: string | number })[];
      tokenize(tokenizer: unknown): readonly number[];
    };
  };
}

export type ChatItem = { type: 'system' | 'user'; text: string } | { type: 'model'; response: string[] };

/** Of node-llama-cpp, what makes chat wrappers. */
export interface ChatWrappers {
  JinjaTemplateChatWrapper: new (options: object) => ChatWrapper;
  resolveChatWrapper(model: object, options: object): ChatWrapper;
}

/** Of a GGUF file, what says how its model is talked to. */
export interface ChatMetadata {
  readonly tokenizer?: { readonly chat_template?: unknown };
}

/**
 * Some templates write the date of the day into the system message. A request must be the same tomorrow: they are told
 * this one, which is what Llama's own template says where it knows none.
 */
const date = { d: '26', m: '07', Y: '2024', b: 'Jul', B: 'July', y: '24', H: '00', M: '00', S: '00' };
const dateMacro = `{%- macro strftime_now(format) -%}{{ format${Object.entries(date)
  .map(([letter, text]) => ` | replace('%${letter}', '${text}')`)
  .join('')} }}{%- endmacro -%}`;

/**
 * How a conversation is written down for a model: by the Jinja template given, else by that of the file, word for word as
 * Hugging Face's `apply_chat_template` writes it. The package's own choice (`resolveChatWrapper`) is left for files without a
 * template, by architecture and name: for others it takes wrappers that come close, and that add tools and the date of the day.
 * Where a template takes no system message, it stands before the first question.
 *
 * Throws what the template engine throws if the template is none.
 */
export function chatWrapperOf(
  wrappers: ChatWrappers,
  model: object,
  metadata: ChatMetadata | undefined,
  given: string | undefined,
): ChatWrapper {
  const own = metadata?.tokenizer?.chat_template;
  const template = given ?? (typeof own === 'string' && own.trim() !== '' ? own : undefined);
  if (template === undefined) {
    const todayDate = new Date(`${date.Y}-${date.m}-${date.d}T12:00:00Z`);
    // Those of version 3 that write the date of the day unless they are told one.
    const customWrapperSettings = {
      'llama3.1': { todayDate, noToolInstructions: true },
      'llama3.2-lightweight': { todayDate, noToolInstructions: true },
      harmony: { todayDate },
      muse: { todayDate },
    };
    return wrappers.resolveChatWrapper(model, { customWrapperSettings });
  }
  return new wrappers.JinjaTemplateChatWrapper({
    template: template.includes('strftime_now') ? dateMacro + template : template,
    // Whether a model thinks aloud is left to its template.
    reasoning: null,
    functionCallMessageTemplate: 'noJinja',
    convertUnsupportedSystemMessagesToUserMessages: { use: 'ifNeeded', format: '{{message}}' },
    keepOnlyLastThought: false,
    additionalRenderParameters: { date_string: `${date.d} ${date.b} ${date.Y}` },
  });
}
