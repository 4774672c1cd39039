import { Redaction } from '../../../engine/record/redaction.ts';
import type { Provider } from '../provider.ts';
import type { ModelSettings, ProviderName } from '../settings.ts';
import { redacted } from './redacted.ts';

/** What a provider is opened with. */
export interface ProviderOptions {
  readonly settings: ModelSettings;
  /** The key's value, and the variable that it comes from. */
  readonly key: string | undefined;
  readonly keyName: string | null;
  /** The key stands in no answer; else it is a word like any other. */
  readonly keyIsSecret: boolean;
  /** Variables with keys: of the environment that a program is given, they are left out. */
  readonly secretNames: readonly string[];
  /** The project's root: programs start there, and paths are relative to it. */
  readonly root: string;
}

type ProviderModule = { openProvider(options: ProviderOptions): Promise<Provider> };

/** The providers by name; each is loaded, with its SDK, when the first request has to be made. */
const providers: { readonly [name in ProviderName]: () => Promise<ProviderModule> } = {
  openai: () => import('./openai.ts'),
  anthropic: () => import('./anthropic.ts'),
  // The format is OpenAI's; what differs is the address, and that it says what a call cost.
  openrouter: () => import('./openai.ts'),
  local: () => import('./local.ts'),
  command: () => import('./command.ts'),
  replay: () => import('./replay.ts'),
};

export async function openProvider(options: ProviderOptions): Promise<Provider> {
  const provider = await (await providers[options.settings.provider]()).openProvider(options);
  const { key, keyIsSecret } = options;
  return key !== undefined && keyIsSecret ? redacted(provider, new Redaction([key])) : provider;
}
