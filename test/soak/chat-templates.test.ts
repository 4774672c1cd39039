import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../engine/language-model.ts';
import {
  type ChatItem,
  type ChatWrappers,
  chatWrapperOf,
} from '../../models/language/providers/chat-template.ts';
import { installLocalModel } from './local-model.ts';

const installed = installLocalModel();
const missing = 'missing' in installed ? installed.missing : null;

interface Golden {
  name: string;
  bos: string;
  eos: string;
  template: string;
  rendered: { [conversation: string]: string };
}
const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/chat-templates.json'), 'utf8'),
) as {
  cases: { [conversation: string]: Message[] };
  templates: Golden[];
};

describe.skipIf(missing !== null)(
  `the chat template of a GGUF file${missing === null ? '' : ` (skipped: ${missing})`}`,
  async () => {
    const wrappers =
      'folder' in installed
        ? ((await import(
            pathToFileURL(join(installed.folder, 'node_modules/node-llama-cpp/dist/index.js')).href
          )) as ChatWrappers)
        : undefined;

    const asked = (messages: readonly Message[]): ChatItem[] => [
      ...messages.map(
        ({ role, content }): ChatItem =>
          role === 'assistant' ? { type: 'model', response: [content] } : { type: role, text: content },
      ),
      { type: 'model', response: [] },
    ];

    it.each(golden.templates)(
      '$name: written as transformers writes it',
      ({ template, bos, eos, rendered }) => {
        const wrapper = chatWrapperOf(wrappers!, {}, { tokenizer: { chat_template: template } }, undefined);
        const given = chatWrapperOf(wrappers!, {}, undefined, template);
        for (const [conversation, messages] of Object.entries(golden.cases)) {
          const { contextText } = wrapper.generateContextState({ chatHistory: asked(messages) });
          // A token of its own stands for the first and the last of a text.
          const words = contextText.values.map((part) =>
            typeof part === 'string'
              ? part
              : part.value === 'BOS'
                ? bos
                : part.value === 'EOS'
                  ? eos
                  : part.value,
          );
          expect(words.join(''), conversation).toBe(rendered[conversation]);
          expect(given.generateContextState({ chatHistory: asked(messages) }).contextText.values).toEqual(
            contextText.values,
          );
        }
      },
    );

    it.each(['Llama 3.1 8B', 'Llama 3.2 1B', 'gpt-oss 20B', 'Muse Glimmer'])(
      '%s without a template: the date is the same each day',
      (name) => {
        // A model that is not opened: by its class, and by what its file says of it, is its wrapper chosen.
        const { LlamaModel } = wrappers as unknown as { LlamaModel: { prototype: object } };
        const said = { tokens: {}, filename: undefined, tokenizer: undefined, _llama: undefined };
        const fileInfo = { metadata: { general: { architecture: 'llama', name, size_label: '1B' } } };
        const model = Object.create(
          LlamaModel.prototype,
          Object.fromEntries(
            Object.entries({ ...said, fileInfo }).map(([property, value]) => [property, { value }]),
          ),
        ) as object;
        const { contextText } = chatWrapperOf(wrappers!, model, undefined, undefined).generateContextState({
          chatHistory: asked([{ role: 'user', content: 'Hello' }]),
        });
        const text = contextText.values
          .map((part) => (typeof part === 'string' ? part : part.value))
          .join('');
        expect(text).toMatch(/26 Jul 2024|2024-07-26|26-07-2024/);
      },
    );

    it('is no template: that is said, and nothing else is taken in its place', () => {
      expect(() => chatWrapperOf(wrappers!, {}, undefined, '{% for %}')).toThrow();
    });
  },
);
