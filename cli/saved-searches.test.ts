import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../test/temporary.ts';
import { type SavedSearch, SavedSearches } from './saved-searches.ts';

const saved: SavedSearch = {
  run: 'latest',
  workflow: 'chats',
  address: 'rows',
  search: {
    words: 'lost card',
    like: null,
    mode: 'keyword',
    field: 'text',
    where: 'row.language == "de"',
    expand: true,
    minScore: null,
    head: 10,
  },
  seen: ['a', 'b'],
};

it('keeps searches by name, and leaves nothing else behind', () => {
  const searches = new SavedSearches(temporaryFolder());
  expect(searches.names()).toEqual([]);
  searches.write('lost_cards', { ...saved, seen: [] });
  searches.write('lost_cards', saved);
  searches.write('a-1', saved);
  expect(searches.names()).toEqual(['a-1', 'lost_cards']);
  expect(searches.read('lost_cards')).toEqual(saved);
  expect(readdirSync(searches.folder).sort()).toEqual(['a-1.json', 'lost_cards.json']);
});

it('says which searches there are, and what a name may be', () => {
  const searches = new SavedSearches(temporaryFolder());
  const problem = (work: () => void) => {
    try {
      work();
    } catch (error) {
      return (error as { problems: { code: string; hint: string }[] }).problems[0];
    }
    return undefined;
  };
  expect(problem(() => searches.read('cards'))).toMatchObject({
    code: 'unknown-search',
    hint: expect.stringContaining('--save'),
  });
  searches.write('cards', saved);
  expect(problem(() => searches.read('card'))).toMatchObject({ hint: expect.stringContaining('cards') });
  for (const name of ['../x', '', '.x', 'a/b', 'x'.repeat(101), 'a b'])
    expect(
      problem(() => searches.write(name, saved)),
      name,
    ).toMatchObject({ code: 'wrong-call' });
  mkdirSync(searches.folder, { recursive: true });
  for (const text of ['', '{', '[]', 'null', '{"run":"latest","address":"rows","search":{}}']) {
    writeFileSync(join(searches.folder, 'torn.json'), text);
    expect(
      problem(() => searches.read('torn')),
      text,
    ).toMatchObject({ code: 'unknown-search', hint: expect.stringContaining('delete it') });
  }
});
