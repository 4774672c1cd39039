import type { Random } from '../../engine/step.ts';
import { drawnCount, drawnIndices } from './typos.ts';

/** Brackets, commas, colons, and whole texts, numbers and words between them. */
const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * Breaks JSON in a share of its tokens, once at least, in ways that people and models do: brackets, commas, colons and quotation marks left
 * out, apostrophes in their place, commas too many, an end that is missing. Null if the text is no JSON; what is given never is.
 */
export function malformed(
  text: string,
  share: number,
  random: Random,
): { text: string; edits: number } | null {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  const found = [...text.matchAll(tokens)].map(({ 0: token, index }) => ({ token, index }));
  const count = Math.min(found.length, Math.max(1, drawnCount(share, found.length, random)));
  const chosen = new Set(drawnIndices(count, found.length, random));
  let out = '';
  let at = 0;
  for (const [place, { token, index }] of found.entries()) {
    out += text.slice(at, index) + (chosen.has(place) ? broken(token, random) : token);
    at = index + token.length;
  }
  out += text.slice(at);
  const edits = chosen.size;
  try {
    JSON.parse(out);
  } catch {
    return { text: out, edits };
  }
  // A text without its quotes may be a number; nothing may stand behind a value.
  return { text: `${out},`, edits };
}

function broken(token: string, random: Random): string {
  if (token.startsWith('"')) {
    const inside = token.slice(1, -1);
    return [`'${inside}'`, inside === '' ? '"' : inside, `"${inside}`, `${inside}"`][random.int(4)]!;
  }
  if (token === ',') return random.int(2) === 0 ? '' : ',,';
  if (token === ':') return random.int(2) === 0 ? '' : '=';
  if (token === '}' || token === ']') return random.int(2) === 0 ? '' : `,${token}`;
  if (token === '{' || token === '[') return '';
  return [`${token}'`, `"${token}`, token === 'true' ? 'True' : token === 'null' ? 'None' : `${token},`][
    random.int(3)
  ]!;
}
