import { describe, expect, it } from 'vitest';
import { choices, chooserOf } from './few-shot.ts';

const candidates = [
  'my card was stolen yesterday',
  'my card was lost yesterday',
  'how do I top up my account',
  'top up failed on my account',
  'what is the exchange rate for euros',
].map((question, index) => ({ question, answer: `a${index}` }));

const answers = (by: (typeof choices)[number], question: string, count = 2, seed = 1) =>
  chooserOf(candidates, { by, count, seed })(question).map(({ answer }) => answer);

describe('examples', () => {
  it('by similarity are those most like the question, the likest last, and never the question itself', () => {
    expect(answers('similarity', 'someone has stolen my card')).toEqual(['a1', 'a0']);
    expect(answers('similarity', 'top up failed')).toEqual(['a2', 'a3']);
    expect(answers('similarity', 'my card was stolen yesterday', 1)).toEqual(['a1']);
    expect(answers('similarity', '¿?', 9)).toHaveLength(5);
  });

  it('by mmr are like the question and unlike each other', () => {
    expect(answers('similarity', 'card stolen or lost yesterday at the top')).toEqual(['a1', 'a0']);
    expect(answers('mmr', 'card stolen or lost yesterday at the top')[1]).toBe('a0');
    expect(answers('mmr', 'card stolen or lost yesterday at the top')[0]).not.toBe('a1');
    expect(answers('mmr', 'top up failed', 9)).toHaveLength(5);
  });

  it('balanced have each answer once before any has it twice', () => {
    const labelled = candidates.map(({ question }, index) => ({
      question,
      answer: index < 2 ? 'card' : index < 4 ? 'top' : 'rate',
    }));
    const ask = (count: number) =>
      chooserOf(labelled, { by: 'balanced', count, seed: 1 })('My CARD  was stolen yesterday');
    expect(
      ask(3)
        .map(({ answer }) => answer)
        .sort(),
    ).toEqual(['card', 'rate', 'top']);
    // The very question is never shown, however it is written.
    expect(ask(9).map(({ question }) => question)).not.toContain('my card was stolen yesterday');
    expect(ask(9)).toHaveLength(4);
    expect(ask(1)).toMatchObject([{ question: 'my card was lost yesterday' }]);
  });

  it('by diversity are unlike each other, and the same for all questions', () => {
    const chosen = answers('diversity', 'x', 3);
    expect(answers('diversity', 'another', 3)).toEqual(chosen);
    const kinds = chosen.map((answer) => ['card', 'card', 'top', 'top', 'rate'][Number(answer[1])]);
    expect(new Set(kinds).size).toBe(3);
  });

  it('are as many as are asked for, however often the question itself is among them', () => {
    const [first, ...rest] = candidates;
    const doubled = [first!, { ...first!, answer: 'again' }, { ...first!, answer: 'once more' }, ...rest];
    for (const by of choices)
      for (const seed of [1, 2, 3])
        expect(chooserOf(doubled, { by, count: 3, seed })(first!.question), by).toHaveLength(3);
  });

  it('at random are drawn by the seed', () => {
    expect(answers('random', 'x')).toEqual(answers('random', 'y'));
    const draws = Array.from({ length: 20 }, (_, seed) => answers('random', 'x', 2, seed).join());
    expect(new Set(draws).size).toBeGreaterThan(5);
    for (const by of choices) expect(chooserOf([], { by, count: 3, seed: 1 })('x')).toEqual([]);
  });
});
