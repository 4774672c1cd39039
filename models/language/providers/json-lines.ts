import { ProviderError } from '../provider.ts';

/** The lines of a response, each as JSON. One that is none, or a connection that breaks, is a ProviderError. */
export async function* linesOf(response: Response, signal: AbortSignal): AsyncIterable<unknown> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of response.body ?? []) {
      const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') yield JSON.parse(line);
    }
    rest += decoder.decode();
    if (rest.trim() !== '') yield JSON.parse(rest);
  } catch (error) {
    signal.throwIfAborted();
    throw new ProviderError('unavailable', `the results broke off: ${(error as Error).message}`);
  }
}
