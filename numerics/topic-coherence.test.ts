import { describe, expect, it } from 'vitest';
import { topicCoherence } from './topic-coherence.ts';

const texts = ['a b c', 'a b', 'b c d', 'd e', 'a e', 'c d e', 'a b c d', 'e f', 'f a', 'b c'].map((text) =>
  text.split(' '),
);
const coherenceOf = (topic: string) =>
  topicCoherence(
    topic.split(' ').map((word) => texts.flatMap((text, at) => (text.includes(word) ? [at] : []))),
    texts.length,
  );

describe('topicCoherence', () => {
  it.each([
    ['a b c', 0.17524266529190927, 0.7158645068550169],
    ['d e f', -0.2243446451265857, 0.39615529854411974],
    ['a f d b', -0.32914236826323556, 0.28640254027149203],
  ])('gives what gensim gives for %s, a text being a window', (topic, npmi, cv) => {
    expect(coherenceOf(topic).npmi).toBeCloseTo(npmi, 12);
    expect(coherenceOf(topic).cv).toBeCloseTo(cv, 12);
  });

  it('is 1 of words that are always together, and unknown of one word or no texts', () => {
    expect(
      topicCoherence(
        [
          [0, 1],
          [0, 1],
        ],
        2,
      ),
    ).toEqual({ npmi: 1, cv: 1 });
    expect(topicCoherence([[0]], 3).npmi).toBeNaN();
    expect(topicCoherence([[], []], 0).cv).toBeNaN();
  });
});
