export const domains = ['text', 'code', 'json'] as const;
export type Domain = (typeof domains)[number];

/** Comments and strings of documentation: words within code. */
const blocks = /\/\*[\s\S]*?(?:\*\/|$)|"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)/g;
const commentLine =
  /^\s*(?:\/\/|#(?!\s*(?:include|define|undef|ifn?def|if|else|elif|endif|pragma)\b|!)|--\s|\*(?:\s|$))/;
/** What lines of code have and prose has not. */
const codeLine = new RegExp(
  [
    /[;{}[\]()=|&\\,]\s*$/.source,
    /=>|->|::|==|!=|&&|\|\||\+=|-=|<\/|\/>|\$\(|\$\{|\(\)/.source,
    /^\s*#(?:\s*(?:include|define|undef|ifn?def|if|else|elif|endif|pragma)\b|!)/.source,
    /^\s*(?:import|from|export|package|using|namespace|public|private|protected|static|const|let|var|def|func|fn|function|class|struct|interface|impl|async|return|if|elif|else|for|while|switch|case|default|try|except|catch|finally|with|raise|throw|yield|pass|break|continue|then|fi|do|done|esac|end|SELECT|INSERT|UPDATE|CREATE|FROM|WHERE)\b(?:.*[:({;=>,)\]'"\]]|[\w\s.*]{0,40})$/
      .source,
    /^\s*[\w.[\]$"'*&<>-]{1,60}\s*(?:[-+*/|&:]?=|:)\s*\S/.source,
    /^\s*[\w.>:-]{1,60}\(.*\)\s*;?\s*$/.source,
    /^\s*@[\w.]+(?:\(.*\))?\s*$/.source,
    /^\s*(?:from\s+[\w.]+\s+)?import\s+[\w.*{]/.source,
    /^\s*["'`].*["'`]\)*$/.source,
  ].join('|'),
);
/** Six words or more in a row, with the marks that prose has. */
const prose = /^[^\p{L}\p{N}]*(?:[\p{L}\p{N}][\p{L}\p{N}'’-]*[,.;:!?)"”»]{0,2}\s+["“«(]?){5,}[\p{L}\p{N}]/u;
const markdownLink = /\]\((?:https?:|mailto:|#|\.{0,2}\/)[^\s)]*\)|^\s*!?\[[^\]]*\](?:\[|:\s)/;
/** Of longer texts and lines the beginning tells. */
const mostCharacters = 100_000;
const longestLine = 1000;
const codeShare = 0.6;
const proseShare = 0.1;

/** What a text is, by its form: JSON if it can be read as such, code if most of its lines look so and hardly one is prose. */
export function domainOf(text: string): Domain {
  const trimmed = text.trim();
  if (/^[[{]/.test(trimmed)) {
    try {
      JSON.parse(trimmed);
      return 'json';
    } catch {
      // It only begins like it.
    }
  }
  const bare = trimmed.replace(blocks, '');
  // What stands in fences is code within a text.
  if (/^[ \t]*(?:```|~~~(?!~))/m.test(bare)) return 'text';
  const lines = bare
    .slice(0, mostCharacters)
    .split('\n')
    .map((line) => line.slice(0, longestLine))
    .filter((line) => line.trim() !== '' && !commentLine.test(line));
  if (lines.length === 0) return /\/\*|^\s*\/\//m.test(trimmed) ? 'code' : 'text';
  let code = 0;
  let words = 0;
  for (const line of lines) {
    if (isProse(line)) words++;
    else if (codeLine.test(line)) code++;
  }
  // One line alone must be without doubt.
  if (lines.length === 1)
    return code === 1 &&
      words === 0 &&
      /[;{}]\s*$|^\s*(?:const|let|var|def|import|return)\b.*[=(;]/.test(lines[0]!)
      ? 'code'
      : 'text';
  // A question before or behind a piece of code is what the text is about.
  if (isProse(lines[0]!) || isProse(lines.at(-1)!)) return 'text';
  return code >= codeShare * lines.length && words <= proseShare * lines.length ? 'code' : 'text';
}

/** Plain words, or a link as Markdown has it. */
function isProse(line: string): boolean {
  if (markdownLink.test(line)) return true;
  if (!prose.test(line)) return false;
  const plain = line.match(/[\p{L}\p{M}\s'’,.!?-]/gu)?.length ?? 0;
  return plain >= 0.9 * line.length;
}
