import { describe, expect, it } from 'vitest';
import { compilePrompt, PromptError } from './prompt.ts';

describe('prompts', () => {
  it.each([
    ['Label {{text}}', ['text']],
    ['{{title}} {{text}} {{title}} {{params.tone}} {{matrix.style}}', ['title', 'text']],
    ['{{#if note}}{{note}}{{else}}{{text}}{{/if}}', ['note', 'text']],
    ['{{#each tags}}{{this}} {{name}} {{../text}} {{@index}}{{/each}}', ['tags', 'text']],
    ['{{#each tags as |tag|}}{{tag.name}} {{../text}}{{else}}{{none}}{{/each}}', ['tags', 'text', 'none']],
    ['{{json user.name}} {{#with user}}{{age}}{{/with}}', ['user']],
    ['no places at all', []],
  ])('%s takes %j', (text, fields) => expect(compilePrompt(text).fields).toEqual(fields));

  it('writes values as they are, lists and objects as JSON', () => {
    const prompt = compilePrompt(
      '{{a}} & {{b}} {{b.c}} {{#each list}}[{{this}}]{{/each}} {{list}} {{none}}.',
    );
    expect(prompt.render({ a: '<x> "y"', b: { c: 1 }, list: [1, 'z'], none: null })).toBe(
      '<x> "y" & {"c":1} 1 [1][z] [1,"z"] .',
    );
  });

  it('writes lists and objects as JSON at any depth', () => {
    const prompt = compilePrompt(
      '{{b.c}} {{b.list}} {{#each turns}}{{this}};{{/each}} {{#each turns}}{{role}}{{/each}}',
    );
    const turns = [{ role: 'user' }, { role: 'bot' }];
    expect(prompt.render({ b: { c: { d: 1 }, list: [1, [2]] }, turns })).toBe(
      '{"d":1} [1,[2]] {"role":"user"};{"role":"bot"}; userbot',
    );
  });

  it('refuses names that are not there, code, and broken texts', () => {
    expect(() => compilePrompt('{{a.b}}').render({ a: { c: 1 } })).toThrow(PromptError);
    expect(() => compilePrompt('{{constructor.name}}').render({ constructor: null })).toThrow(PromptError);
    expect(() => compilePrompt('one\n{{#if x}}')).toThrow(/line 2/);
  });
});
