/**
 * What is wrong with an answer that cannot be cleaned: it ends within what goes before it, it speaks in another's turn, or
 * its characters were broken on their way.
 */
export type Dirt = 'unfinished' | 'foreign-turn' | 'broken-characters';

/** The text of an answer, or why there is none. */
export type Sanitized = { readonly text: string } | { readonly dirt: Dirt };

/** Blocks in which models think aloud or write of tools, each family under one of its names. */
const families = ['think|thinking|thought|reasoning|reflection', 'tool_call|function_call'] as const;
const mark = (names: string, slash: string) => `[<◁]\\s*${slash}(?:${names})(?:\\s[^<>◁▷]*)?[>▷]`;
const blocks = families.map((names) => ({
  opening: new RegExp(`^\\s*${mark(names, '')}`, 'iu'),
  any: new RegExp(mark(names, '(/?)\\s*'), 'giu'),
}));
/** A block that is empty, or the end of one of which nothing else is there. */
const alone = new RegExp(
  `^\\s*(?:[<◁]\\s*(?:${families.join('|')})\\s*/[>▷]|${mark(families.join('|'), '/\\s*')})`,
  'iu',
);
/** The end of thinking whose beginning stands in the prompt, as some chat templates have it: a line of its own. */
const orphan = new RegExp(`(?:^|\\n)[ \\t]*${mark(`(${families[0]})`, '/\\s*')}[ \\t]*(?:\\r?\\n|$)`, 'iu');

/** Marks of chat templates (ChatML, Llama 3, Gemma, Mistral, Phi, Zephyr) that stand where a turn begins or ends. */
const header =
  /^\s*(?:<s>|<\|begin_of_text\|>)?\s*(?:<\|im_start\|>\s*([a-z]+)|<\|start_header_id\|>\s*([a-z]+)\s*<\|end_header_id\|>|<start_of_turn>\s*([a-z]+)|<\|(user|system|assistant|tool)\|>)[ \t]*(?:\r?\n)*/i;
const own = new Set(['assistant', 'model']);
const endOfTurn = /<\|(?:im_end|eot_id|eom_id|end|endoftext|end_of_text|return)\|>|<end_of_turn>|<\/s>/g;
const headerAhead =
  /^\s*(?:<\|im_start\|>|<\|start_header_id\|>|<start_of_turn>|<\|(?:user|system|tool)\|>|<s>|\[INST\])/i;

/** Channels of OpenAI's harmony format: the answer is the last that is `final`. */
const channel = /^\s*(?:<\|start\|>assistant)?<\|channel\|>/;
const final = '<|channel|>final<|message|>';

/** Controls that no text has, tab and line ends aside. */
const controls = /[^\P{Cc}\t\n\r\u0085]/gu;
const broken = /\ufffd/;

/**
 * The text without what is no part of the answer: blocks in marks before it, marks of the chat template around it, control
 * characters. The same marks within the answer (of code, of a text about them) are part of it.
 *
 * @param question what was asked: characters that were broken there may be repeated
 */
export function sanitized(raw: string, question = ''): Sanitized {
  if ((broken.test(raw) || !raw.isWellFormed()) && !broken.test(question) && question.isWellFormed())
    return { dirt: 'broken-characters' };
  let text = raw.replace(controls, '');
  if (channel.test(text)) {
    const at = text.lastIndexOf(final);
    if (at === -1) return { dirt: 'unfinished' };
    text = text.slice(at + final.length);
  }
  const turn = ownTurn(text);
  if (turn === null) return { dirt: 'foreign-turn' };
  const answer = withoutBlocks(turn);
  return answer === null ? { dirt: 'unfinished' } : { text: answer };
}

/** What stands between the marks of the model's own turn; null where the text begins with the turn of somebody else. */
function ownTurn(text: string): string | null {
  let rest = text;
  for (let found = header.exec(rest); found !== null; found = header.exec(rest)) {
    const [whole, ...roles] = found;
    if (!own.has((roles.find((role) => role !== undefined) ?? '').toLowerCase())) return null;
    rest = rest.slice(whole.length);
  }
  const ends = [...rest.matchAll(endOfTurn)];
  let close = rest.length;
  for (const { 0: end, index } of ends.toReversed()) {
    if (rest.slice(index + end.length, close).trim() !== '') break;
    close = index;
  }
  let seen = 0;
  let fences = 0;
  for (const { 0: end, index } of ends) {
    if (index >= close) break;
    fences += rest.slice(seen, index).split('```').length - 1;
    seen = index;
    if (fences % 2 === 0 && headerAhead.test(rest.slice(index + end.length))) return rest.slice(0, index);
  }
  return rest.slice(0, close);
}

/** The text after the blocks that it begins with; null if one of them does not end, so that nobody can tell the rest. */
function withoutBlocks(text: string): string | null {
  let rest = text;
  for (;;) {
    const block = blocks.find(({ opening }) => opening.test(rest));
    const lone = alone.exec(rest)?.[0].length;
    if (lone !== undefined) rest = rest.slice(lone);
    else if (block !== undefined) {
      const end = endOf(rest, block.any);
      if (end === null) return null;
      rest = rest.slice(end);
    } else break;
  }
  if (rest === text) {
    const end = orphan.exec(rest);
    // One whose beginning stands before it closes a block that the answer shows.
    if (end !== null && !new RegExp(mark(end[1] ?? '', ''), 'iu').test(rest.slice(0, end.index)))
      rest = rest.slice(end.index + end[0].length);
  }
  return rest.trim();
}

/** Where the block that a text begins with has its end; blocks of the same family within it are part of it. */
function endOf(text: string, marks: RegExp): number | null {
  let depth = 0;
  for (const { 0: found, 1: closing, index } of text.matchAll(marks)) {
    depth += closing === '' ? 1 : -1;
    if (depth === 0) return index + found.length;
  }
  return null;
}
