import { dirname, resolve } from 'node:path';
import type { ProviderRequest } from '../models/language/provider.ts';
import { openProvider } from '../models/language/providers/local.ts';
import { readSettings } from '../models/language/settings.ts';

/**
 * Tokens a second of a language model in a GGUF file, for each device that is named:
 *
 *     node bench/local-model.ts folder/model.gguf cpu gpu
 *
 * node-llama-cpp is looked for from the folder of the file: `npm install --omit=optional node-llama-cpp @node-llama-cpp/linux-x64`,
 * with `@node-llama-cpp/linux-x64-cuda` (and `-cuda-ext`) or `@node-llama-cpp/linux-x64-vulkan` beside it for a graphics card.
 */
const [path, ...devices] = process.argv.slice(2);
if (path === undefined)
  throw new Error('name a GGUF file: node bench/local-model.ts folder/model.gguf cpu gpu');
const file = resolve(path);
const root = dirname(file);
const rounds = 3;
const longest = 64;

for (const device of devices.length > 0 ? devices : ['cpu', 'auto']) {
  const settings = readSettings({ provider: 'local', path: file, device, context: 2048 });
  const begun = performance.now();
  const provider = await openProvider({
    settings,
    root,
    key: undefined,
    keyName: null,
    keyIsSecret: false,
    secretNames: [],
  });
  const opened = performance.now() - begun;
  const request: ProviderRequest = {
    model: file,
    messages: [
      { role: 'user', content: 'Tell a long story about a lighthouse and the people who lived in it.' },
    ],
    sampling: { max_tokens: longest, temperature: 0 },
    schema: null,
  };
  const seconds: number[] = [];
  let tokens = 0;
  for (let round = 0; round <= rounds; round++) {
    const start = performance.now();
    // The first one warms up.
    const sampling = { ...request.sampling, max_tokens: round === 0 ? 4 : longest };
    const { usage } = await provider.ask({ ...request, sampling }, new AbortController().signal);
    if (round > 0) seconds.push((performance.now() - start) / 1000);
    tokens = usage?.output_tokens ?? 0;
  }
  const best = Math.min(...seconds);
  const rate = (tokens / best).toFixed(1);
  process.stdout.write(
    `${JSON.stringify({ device, opened_ms: Math.round(opened), tokens, seconds: seconds.map((value) => Number(value.toFixed(2))), tokens_per_second: Number(rate) })}\n`,
  );
}
process.exit();
