import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Json, JsonObject } from '../../engine/json.ts';
import type { AskResult } from '../../engine/language-model.ts';
import { folderWith } from '../../test/run-step.ts';
import { type AnswerCache, answerCache } from './answers.ts';
import { createLanguageModels } from './index.ts';
import { fullRequest, requestDigest } from './request.ts';

/** Answers by what they are filed under, as the row cache keeps them. */
function keptAnswers(): AnswerCache {
  const values = new Map<string, Json>();
  const name = (namespace: string, key: Uint8Array) => `${namespace} ${Buffer.from(key).toString('hex')}`;
  return answerCache<string>({
    namespace: (identity) => JSON.stringify(identity),
    getMany: (namespace, keys) => keys.map((key) => values.get(name(namespace, key))),
    some: () => [],
    put: (namespace, key, value) => void values.set(name(namespace, key), value),
  });
}

afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

const textOf = (result: AskResult) => ('answer' in result ? result.answer.text : result.failure.message);
const messages = [{ role: 'user', content: 'hello' }] as const;

describe('what an answer is filed under', () => {
  const asks = (root: string, aliases: Record<string, JsonObject>, answers: AnswerCache | null) => {
    const models = createLanguageModels({ root, aliases, secret: () => 'key', answers });
    const options = { signal: new AbortController().signal, notify: () => {} };
    return async (alias: string) => textOf(await models.find(alias)!.ask({ messages }, options));
  };

  it('is the program, where a program answers, whatever name of a model it is given', async () => {
    const program = (text: string) => [process.execPath, '-e', `process.stdout.write('${text}')`];
    const ask = asks(
      process.cwd(),
      {
        a: { provider: 'command', model: 'm', command: program('a') },
        b: { provider: 'command', model: 'm', command: program('b') },
      },
      keptAnswers(),
    );
    expect([await ask('a'), await ask('b'), await ask('a')]).toEqual(['a', 'b', 'a']);
  });

  it('is nothing, where a file answers: what it says today counts', async () => {
    const root = folderWith({});
    const answers = keptAnswers();
    const request = requestDigest(fullRequest({ messages }, {}));
    const usage = { input_tokens: 1, cached_tokens: 0, written_tokens: 0, output_tokens: 1 };
    for (const text of ['one', 'two']) {
      writeFileSync(join(root, 'a.jsonl'), `${JSON.stringify({ request, text, usage, served: null })}\n`);
      const ask = asks(root, { m: { provider: 'replay', path: 'a.jsonl' } }, answers);
      expect(await ask('m')).toBe(text);
    }
    writeFileSync(join(root, 'a.jsonl'), `${JSON.stringify({ request, text: 'no usage' })}\n`);
    const ask = asks(root, { m: { provider: 'replay', path: 'a.jsonl' } }, answers);
    expect(await ask('m')).toContain('line 1 of a.jsonl is no recorded answer');
  });

  it('is the address in the workflow: the SDKs take none from the environment', async () => {
    vi.stubEnv('OPENAI_BASE_URL', 'http://elsewhere.test/v1');
    vi.stubEnv('ANTHROPIC_BASE_URL', 'http://elsewhere.test');
    const hosts: string[] = [];
    vi.stubGlobal('fetch', async (url: string | URL | Request) => {
      hosts.push(new URL(url instanceof Request ? url.url : url).host);
      return new Response('{}', { status: 401 });
    });
    const ask = asks(
      process.cwd(),
      { a: { provider: 'openai', model: 'm' }, b: { provider: 'anthropic', model: 'm' } },
      null,
    );
    await ask('a');
    await ask('b');
    expect(hosts).toEqual(['api.openai.com', 'api.anthropic.com']);
  });
});
