export const domains = ['text', 'code', 'json'] as const;
export type Domain = (typeof domains)[number];

/** Endings and beginnings of lines that code has and prose has not. */
const codeLine = new RegExp(
  [
    /[;{}]\s*(?:\/\/.*|#.*)?$/.source,
    /^\s*(?:\/\/|\/\*|\*\/|#include|#define|#!)/.source,
    /^\s*(?:import|from|export|package|using|namespace|public|private|protected|static|const|let|var|def|func|fn|function|class|struct|interface|type|enum|impl|async|await|return|if|elif|else|for|while|switch|case|try|except|catch|finally|with|raise|throw|yield|SELECT|INSERT|UPDATE|CREATE|FROM|WHERE)\b.*[:({;=>,]\s*$/
      .source,
    /^\s*(?:import\s+[\w.{*]|from\s+[\w.]+\s+import\b|return\b.*[\w)\]'"]$|@\w+)/.source,
    /^\s*[\w.[\]]+\s*(?:[-+*/|&]?=|:=)\s*\S/.source,
    /^\s*[\w.]+\([^)]*\)\s*;?$/.source,
    /^\s*[)\]}]+[,;]?\s*$/.source,
  ].join('|'),
);

/** What a text is, by its form: JSON if it can be read as such, code if most of its lines look so. */
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
  // What stands in fences is code within a text.
  const lines = trimmed.split('\n').filter((line) => line.trim() !== '');
  if (lines.some((line) => /^\s*(?:```|~~~)/.test(line))) return 'text';
  const code = lines.filter((line) => codeLine.test(line)).length;
  return code > 0 && code >= 0.5 * lines.length ? 'code' : 'text';
}
