import { afterEach, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../../engine/json.ts';
import type { AskResult } from '../../../engine/language-model.ts';
import { createLanguageModels } from '../index.ts';

afterEach(() => void vi.unstubAllEnvs());

const names = [
  'OPENAI_API_KEY',
  'OPENAI_ADMIN_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'SERVER_KEY',
  'OWN_KEY',
  'COLOUR',
];

it('finds no keys in its environment but the one that is said to be for it', async () => {
  for (const name of names) vi.stubEnv(name, `${name} as it was set`);
  // What a variable is, not what it says: keys that come back are taken out of answers.
  const tells = `for (const name of ${JSON.stringify(names)})
    if (name in process.env) console.log(name, process.env[name].length)`;
  const program: JsonObject = { provider: 'command', command: [process.execPath, '-e', tells] };
  const models = createLanguageModels({
    root: process.cwd(),
    aliases: {
      server: {
        provider: 'openai',
        model: 'm',
        base_url: 'http://localhost:1/v1',
        api_key_env: 'SERVER_KEY',
      },
      none: program,
      own: { ...program, api_key_env: 'OWN_KEY' },
      openai: { ...program, api_key_env: 'OPENAI_API_KEY' },
    },
    // A key of `.env`: the process does not have it.
    secret: (name) => `${name} of the file`,
    answers: null,
  });
  const found = async (alias: string) => {
    const options = { signal: new AbortController().signal, notify: () => {} };
    const messages = [{ role: 'user', content: 'hello' }] as const;
    const result = (await models.find(alias)?.ask({ messages }, options)) as AskResult;
    return 'answer' in result ? result.answer.text.split('\n') : result.failure;
  };
  const colour = `COLOUR ${'COLOUR as it was set'.length}`;
  expect(await found('none')).toEqual([colour]);
  expect(await found('own')).toEqual([`OWN_KEY ${'OWN_KEY of the file'.length}`, colour]);
  expect(await found('openai')).toEqual([`OPENAI_API_KEY ${'OPENAI_API_KEY of the file'.length}`, colour]);
});
