import { expect, it } from 'vitest';
import { Redaction } from '../../../engine/record/redaction.ts';
import type { BatchResult } from '../batch.ts';
import { type Provider, type ProviderAnswer, ProviderError, type ProviderRequest } from '../provider.ts';
import { redacted } from './redacted.ts';

const key = 'sk-0123456789abcdef';
const request: ProviderRequest = { model: 'm', messages: [], sampling: {}, schema: null };
const answer: ProviderAnswer = {
  text: `you are ${key}`,
  finish: 'stop',
  usage: null,
  served: `m for ${key}`,
  billed: 0.5,
  limits: null,
  logprobs: [{ token: key, logprob: 0, top: [] }],
};
const refusal = new ProviderError('denied', `Incorrect API key provided: ${key}`, {
  hint: 'is it set?',
  billed: 1,
});
const fails = async () => {
  throw refusal;
};

/** A server that says the key back wherever it can. */
const echo = (ask: Provider['ask']): Provider => ({
  ask,
  batches: {
    most: { requests: 1, bytes: 1 },
    guesses: true,
    line: (name) => name,
    submit: fails,
    find: fails,
    discard: fails,
    status: async () => ({ ended: true, done: 0, total: 1, unanswered: `of ${key}`, refused: refusal }),
    async *results() {
      yield { key: 'a', answer };
      yield { key: 'b', error: refusal };
      throw refusal;
    },
  },
});

it('a key that a server says back stands neither in an answer nor in what went wrong', async () => {
  const { signal } = new AbortController();
  const of = (ask: Provider['ask']) => redacted(echo(ask), new Redaction([key]));
  const said = await of(async () => answer).ask(request, signal);
  expect(said).toEqual({ ...answer, text: 'you are [secret]', served: 'm for [secret]', logprobs: null });
  const heard: string[] = [];
  const streams = of(async ({ onText }) => {
    onText?.(`so far ${key}`);
    return { ...answer, text: 'yes', served: null };
  });
  const clean = await streams.ask({ ...request, onText: (text) => heard.push(text) }, signal);
  expect(clean).toMatchObject({ text: 'yes', served: null, logprobs: answer.logprobs });
  expect(heard).toEqual(['so far [secret]']);

  const shown = {
    fault: 'denied',
    message: 'Incorrect API key provided: [secret]',
    hint: 'is it set?',
    billed: 1,
  };
  await expect(of(fails).ask(request, signal)).rejects.toMatchObject(shown);
  const batches = of(fails).batches!;
  await expect(batches.submit([], 't', signal)).rejects.toMatchObject(shown);
  await expect(batches.find({ token: 't', requests: 1, since: 0, others: [] }, signal)).rejects.toMatchObject(
    shown,
  );
  await expect(batches.discard('b', signal)).rejects.toMatchObject(shown);
  expect(await batches.status('b', signal)).toMatchObject({ unanswered: 'of [secret]', refused: shown });
  const results: BatchResult[] = [];
  const all = async () => {
    for await (const result of batches.results('b', signal)) results.push(result);
  };
  await expect(all()).rejects.toMatchObject(shown);
  expect(results).toMatchObject([{ answer: { text: 'you are [secret]' } }, { error: shown }]);
});

it('what was called off stays what it is', async () => {
  const reason = new Error(`over ${key}`);
  const provider = redacted({ ask: () => Promise.reject(reason) }, new Redaction([key]));
  await expect(provider.ask(request, new AbortController().signal)).rejects.toBe(reason);
});
