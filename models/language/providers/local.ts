import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ModuleResolution } from '../../../engine/fingerprint/module-resolution.ts';
import type { JsonObject } from '../../../engine/json.ts';
import type { Message, Sampling } from '../../../engine/language-model.ts';
import { type Provider, type ProviderAnswer, ProviderError, type ProviderRequest } from '../provider.ts';
import type { ModelSettings } from '../settings.ts';
import {
  type ChatItem,
  type ChatMetadata,
  type ChatWrapper,
  type ChatWrappers,
  chatWrapperOf,
} from './chat-template.ts';
import type { ProviderOptions } from './index.ts';

/** Of node-llama-cpp (version 3), what is used here: it is the user's own package, and not there for the compiler. */
interface LlamaPackage extends ChatWrappers {
  getLlama(options: object): Promise<Llama>;
  LlamaChat: new (options: { contextSequence: Sequence; chatWrapper: ChatWrapper }) => Chat;
  LlamaLogLevel: { error: string };
}
interface Llama {
  /** What computes beside the processor; false where nothing does. */
  readonly gpu: string | false;
  loadModel(options: { modelPath: string }): Promise<LlamaModel>;
  createGrammarForJsonSchema(schema: object): Promise<object>;
}
interface LlamaModel {
  readonly trainContextSize: number;
  readonly tokenizer: unknown;
  readonly fileInfo: {
    readonly metadata?: ChatMetadata & { readonly general?: { readonly name?: string } };
  };
  createContext(options: { contextSize: { max: number }; threads: number }): Promise<{
    readonly contextSize: number;
    getSequence(): Sequence;
  }>;
}
interface Sequence {
  readonly tokenMeter: { readonly usedInputTokens: number; readonly usedOutputTokens: number };
  clearHistory(): Promise<void>;
}
interface Chat {
  generateResponse(
    history: ChatItem[],
    options: object,
  ): Promise<{ response: string; metadata: { stopReason: string } }>;
}

const packageName = 'node-llama-cpp';
const install = `npm install --omit=optional ${packageName} @node-llama-cpp/<system>, such as linux-x64 (85 MB; without --omit it brings the builds for all graphics cards, 700 MB)`;
/** Tokens of a context, where the file allows for more: what memory it takes grows with them. */
const usualContext = 8192;

/**
 * A model in a GGUF file, on this machine, through node-llama-cpp, which the project installs for itself. The chat
 * template is the file's own; JSON comes by a grammar. Requests are answered one at a time, each from an empty context,
 * so that an answer does not depend on those before it.
 */
export async function openProvider({ settings, root }: ProviderOptions): Promise<Provider> {
  const shown = settings.path ?? '';
  const file = resolve(root, shown);
  if (!existsSync(file))
    throw new ProviderError('setup', `${shown} does not exist`, {
      hint: settings.url === undefined ? undefined : 'download it: reprise models pull <file>',
    });
  const { llama, engine } = await openLlama(root, settings.device);
  const model = await engine.loadModel({ modelPath: file }).catch((error: Error) => {
    throw new ProviderError('setup', `${shown} cannot be loaded: ${error.message}`);
  });
  const most = Math.min(settings.context ?? usualContext, model.trainContextSize);
  const context = await model.createContext({
    contextSize: { max: most },
    threads: settings.threads ?? availableParallelism(),
  });
  const sequence = context.getSequence();
  const chatWrapper = await wrapperOf(llama, model, root, settings);
  const chat = new llama.LlamaChat({ contextSequence: sequence, chatWrapper });
  const served = model.fileInfo.metadata?.general?.name ?? null;

  async function answer(request: ProviderRequest, signal: AbortSignal): Promise<ProviderAnswer> {
    signal.throwIfAborted();
    const history = historyOf(request.messages);
    const asked = chatWrapper
      .generateContextState({ chatHistory: history })
      .contextText.tokenize(model.tokenizer).length;
    const room = context.contextSize - asked - 1;
    if (room < 1)
      throw new ProviderError(
        'rejected',
        `the request is too long: ${asked} of ${context.contextSize} tokens`,
        {
          hint: `context: a larger number (the model was made for ${model.trainContextSize} tokens)`,
        },
      );
    const grammar =
      request.schema === null || settings.json !== 'schema'
        ? undefined
        : await grammarOf(engine, request.schema);
    await sequence.clearHistory();
    const before = counted(sequence);
    const { response, metadata } = await chat.generateResponse(history, {
      ...drawn(request.sampling, request.sample ?? 0),
      maxTokens: Math.min(request.sampling.max_tokens ?? Infinity, room),
      ...(grammar && { grammar }),
      signal,
    });
    const after = counted(sequence);
    return {
      text: response,
      finish: metadata.stopReason === 'maxTokens' ? 'length' : 'stop',
      usage: {
        input_tokens: after.input - before.input,
        cached_tokens: 0,
        written_tokens: 0,
        output_tokens: after.output - before.output,
      },
      served,
      billed: 0,
      limits: null,
      logprobs: null,
    };
  }

  let last: Promise<unknown> = Promise.resolve();
  return {
    ask(request, signal) {
      const turn = last.then(() => answer(request, signal));
      last = turn.catch(() => {});
      return turn;
    },
  };
}

async function wrapperOf(
  llama: LlamaPackage,
  model: LlamaModel,
  root: string,
  { path = '', template }: Pick<ModelSettings, 'path' | 'template'>,
): Promise<ChatWrapper> {
  try {
    const given = template && (await readFile(resolve(root, template), 'utf8'));
    return chatWrapperOf(llama, model, model.fileInfo.metadata, given);
  } catch (error) {
    const message = `the chat template ${template ?? `in ${path}`} cannot be used: ${(error as Error).message}`;
    throw new ProviderError('setup', message, { hint: 'template: ./chat.jinja names another one' });
  }
}

type Device = ModelSettings['device'];
const opened = new Map<Device, Promise<{ llama: LlamaPackage; engine: Llama }>>();

/** The package of the project, and what it runs models on: `auto` is a graphics card where its build and the machine have one. */
function openLlama(root: string, device: Device): Promise<{ llama: LlamaPackage; engine: Llama }> {
  const known = opened.get(device);
  if (known !== undefined) return known;
  const opening = (async () => {
    const found = new ModuleResolution(undefined).fileOf(packageName, root);
    if (found?.kind !== 'file')
      throw new ProviderError('setup', `${packageName} is not installed in this project`, { hint: install });
    const llama = (await import(pathToFileURL(found.path).href)) as LlamaPackage;
    const gpu = device === 'cpu' ? false : 'auto';
    const options = { gpu, build: 'never', skipDownload: true, logLevel: llama.LlamaLogLevel.error };
    const engine = await llama.getLlama(options).catch((error: Error) => {
      throw new ProviderError('setup', `${packageName} cannot be started: ${error.message}`, {
        hint: install,
      });
    });
    if (device === 'gpu' && engine.gpu === false)
      throw new ProviderError('setup', `${packageName} finds no graphics card that it can use here`, {
        hint: `device: auto goes on without one; a build for it is a package of its own: npm install --omit=optional ${packageName} @node-llama-cpp/linux-x64-cuda (or linux-x64-vulkan, win-x64-cuda, mac-arm64-metal)`,
      });
    return { llama, engine };
  })();
  opened.set(device, opening);
  return opening;
}

function historyOf(messages: readonly Message[]): ChatItem[] {
  const history = messages.map(({ role, content, images = [] }): ChatItem => {
    if (images.length > 0) throw new ProviderError('rejected', 'pictures are not for provider local');
    return role === 'assistant' ? { type: 'model', response: [content] } : { type: role, text: content };
  });
  return [...history, { type: 'model', response: [] }];
}

/** What a schema says that a grammar cannot is checked afterwards, as of every provider. */
async function grammarOf(engine: Llama, schema: JsonObject): Promise<object> {
  try {
    return await engine.createGrammarForJsonSchema(schema);
  } catch (error) {
    throw new ProviderError('rejected', `the schema makes no grammar: ${(error as Error).message}`, {
      hint: 'json: prompt asks for JSON in words',
    });
  }
}

/** The likeliest word where no temperature is given. Drawn by chance all the same from run to run, where no seed is. */
function drawn({ temperature = 0, top_p, stop, seed }: Sampling, sample: number): JsonObject {
  return {
    temperature,
    ...(top_p !== undefined && { topP: top_p }),
    ...(stop && { customStopTriggers: [...stop] }),
    seed: seed ?? sample,
  };
}

function counted({ tokenMeter }: Sequence): { input: number; output: number } {
  return { input: tokenMeter.usedInputTokens, output: tokenMeter.usedOutputTokens };
}
