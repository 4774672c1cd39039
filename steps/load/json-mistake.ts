/** Where a text stops being JSON, and why. */
export interface JsonMistake {
  /** Offset in UTF-16 code units. */
  offset: number;
  message: string;
}

const literals = ['true', 'false', 'null'];
/** What other languages write and JSON does not have. */
const strangers: [RegExp, string][] = [
  [/NaN\b/y, 'NaN is not JSON; write null'],
  [/-?Infinity\b/y, 'Infinity is not JSON; write null'],
  [/None\b/y, 'None is Python; JSON has null'],
  [/True\b|False\b/y, 'JSON has true and false in lower case'],
  [/undefined\b/y, 'undefined is not JSON; write null'],
  [/'/y, "texts stand in double quotes in JSON, not in '…'"],
  [/\/\/|\/\*|#/y, 'JSON has no comments'],
];

/**
 * Finds the first mistake in a text that JSON.parse refuses. It walks the grammar of RFC 8259 with a stack of its
 * own, so that no nesting overflows.
 */
export function findJsonMistake(text: string): JsonMistake {
  const open: ('[' | '{')[] = [];
  let at = 0;
  const space = (): void => {
    while (at < text.length && ' \t\r\n'.includes(text[at]!)) at++;
  };
  const ends = (what: string): JsonMistake => ({ offset: text.length, message: `it ends ${what}` });

  space();
  if (at === text.length) return { offset: at, message: 'it is empty' };
  let expect: 'value' | 'value or ]' | 'key' | 'key or }' | 'after' = 'value';
  for (;;) {
    space();
    if (at >= text.length) {
      if (open.length > 0) return ends(open.at(-1) === '[' ? 'inside an array' : 'inside an object');
      return { offset: at, message: 'it cannot be parsed' };
    }
    const unit = text[at]!;
    if (expect === 'after') {
      const within = open.at(-1);
      if (within === undefined)
        return { offset: at, message: `text after the end of the value: ${show(text, at)}` };
      if (unit === ',') {
        at++;
        expect = within === '[' ? 'value' : 'key';
      } else if (unit === (within === '[' ? ']' : '}')) {
        at++;
        open.pop();
      } else {
        const close = within === '[' ? ']' : '}';
        return { offset: at, message: `, or ${close} expected, found ${show(text, at)}` };
      }
      continue;
    }
    if (expect === 'key' || expect === 'key or }') {
      if (unit === '}') {
        if (expect === 'key') return { offset: at, message: 'a comma before }' };
        at++;
        open.pop();
        expect = 'after';
        continue;
      }
      if (unit !== '"')
        return { offset: at, message: `a key in double quotes expected, found ${show(text, at)}` };
      const key = stringEnd(text, at);
      if (typeof key !== 'number') return key;
      at = key;
      space();
      if (at >= text.length) return ends('after a key');
      if (text[at] !== ':')
        return { offset: at, message: `: expected after the key, found ${show(text, at)}` };
      at++;
      expect = 'value';
      continue;
    }
    if (unit === ']' && expect === 'value or ]') {
      at++;
      open.pop();
      expect = 'after';
    } else if (unit === ']' && open.at(-1) === '[') {
      return { offset: at, message: 'a comma before ]' };
    } else if (unit === '[' || unit === '{') {
      at++;
      open.push(unit);
      expect = unit === '[' ? 'value or ]' : 'key or }';
    } else {
      const end = unit === '"' ? stringEnd(text, at) : scalarEnd(text, at);
      if (typeof end !== 'number') return end;
      at = end;
      expect = 'after';
    }
  }
}

function stringEnd(text: string, start: number): number | JsonMistake {
  for (let at = start + 1; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22) return at + 1;
    if (unit < 0x20) {
      const code = unit.toString(16).padStart(4, '0');
      return { offset: at, message: `a control character (U+${code}) in a text; write \\u${code}` };
    }
    if (unit !== 0x5c) continue;
    at++;
    const escaped = text[at];
    if (escaped === undefined) break;
    if (escaped === 'u') {
      if (!/^[0-9a-fA-F]{4}$/.test(text.slice(at + 1, at + 5)))
        return { offset: at - 1, message: 'four hex digits expected after \\u' };
      at += 4;
    } else if (!'"\\/bfnrt'.includes(escaped)) {
      return { offset: at - 1, message: `\\${escaped} is no escape` };
    }
  }
  return { offset: text.length, message: 'it ends inside a text' };
}

function scalarEnd(text: string, start: number): number | JsonMistake {
  for (const literal of literals) if (text.startsWith(literal, start)) return start + literal.length;
  for (const [pattern, message] of strangers) {
    pattern.lastIndex = start;
    if (pattern.test(text)) return { offset: start, message };
  }
  const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
  number.lastIndex = start;
  if (number.test(text)) {
    const end = number.lastIndex;
    if (/[0-9.eE+-]/.test(text[end] ?? ''))
      return { offset: start, message: `no number of JSON: ${show(text, start)}` };
    return end;
  }
  return { offset: start, message: `a value expected, found ${show(text, start)}` };
}

function show(text: string, at: number): string {
  const word = /[\p{L}\p{N}_.+-]{1,20}/uy;
  word.lastIndex = at;
  const found = word.exec(text)?.[0] ?? String.fromCodePoint(text.codePointAt(at)!);
  return found.isWellFormed() && found > ' '
    ? found
    : `U+${found.codePointAt(0)!.toString(16).padStart(4, '0')}`;
}
