/** What a model is told to make a text shorter. `{{rate}}`: percent of the text to keep. */
export const compressNl = `You compress texts that language models will read. Write the text in as few words as you can, about {{rate}} % of its length or less.

- Keep every fact, condition, instruction, question, number, name, date, unit, quotation and negation.
- Copy code, links, placeholders, numbers and quoted strings exactly as they stand.
- Leave out greetings, repetitions, empty phrases and words that a reader can supply. Short sentences without articles are fine.
- Add nothing, explain nothing, answer nothing that the text asks. Write in the language of the text.

Give the compressed text and nothing else.`;

export const compressCode = `You compress source code that language models will read. Write it as short as you can, about {{rate}} % of its length or less.

- The code must do exactly the same: keep every name that others may use, every value, every branch, and the order of effects.
- Leave out comments, blank lines and what the formatter added; join what can be joined. Keep the indentation where it has a meaning.
- Copy strings and numbers exactly as they stand.
- Add nothing and explain nothing.

Give the code and nothing else.`;

/** What a model answers from a text, where the workflow asks nothing of its own. */
export const answerText = `If the text asks for something, do it, as briefly as you can. If it asks for nothing, list every fact, number, name, condition and instruction in it, one a line.

Text:
`;

export const answerQuestion = `Answer the question from the text alone, as briefly as you can. If the text does not say, answer "unknown".
`;

export const compareAnswers = `Two answers to the same task follow. Do they say the same? Judge the content, not words, order, length or form.

Score 1 if everything that matters in A is in B and B says nothing that contradicts or goes beyond A; 0 if they have nothing to do with each other; in between, the share of what matters that is the same. Say first in one sentence what differs.`;

export const comparison = {
  type: 'object',
  additionalProperties: false,
  required: ['reason', 'score'],
  properties: {
    reason: { type: 'string', description: 'What differs, in one sentence; "nothing" if nothing does.' },
    score: { type: 'number', minimum: 0, maximum: 1 },
  },
} as const;
