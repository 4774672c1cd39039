import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CharacterModel } from './character-model.ts';

const texts = [
  'Where is my card?',
  'My card has not arrived yet.',
  'Why was I charged a fee for the transfer?',
  'How do I top up by card?',
];

it('is surprised by what is not like the others', () => {
  const model = new CharacterModel();
  const odd = 'xq#zv 7!kw';
  for (const text of [...texts, ...texts, odd]) model.add(text);
  for (const text of texts) expect(model.surprise(text)).toBeLessThan(model.surprise(odd));
  expect(model.surprise('')).toBeNaN();
});

it('is the same from parts, and in memory that threads share', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 12 }), fc.nat(12), (all, cut) => {
      const [whole, sum, part] = [new CharacterModel(), new CharacterModel(), new CharacterModel()];
      for (const text of all) whole.add(text);
      for (const text of all.slice(0, cut)) sum.add(text);
      for (const text of all.slice(cut)) part.add(text);
      sum.addAll(part.counts());
      const shared = new CharacterModel(sum.shared());
      for (const text of all) expect(shared.surprise(text)).toBe(whole.surprise(text));
    }),
  );
});
