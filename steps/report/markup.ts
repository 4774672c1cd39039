/**
 * HTML that is escaped unless it says otherwise: every value put into an `html` template is text, unless it is itself
 * `Markup`. Nothing that comes from data can become an element, an attribute or a script.
 */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** What may stand in a template: `null`, `undefined` and `false` give nothing, lists are joined. */
export type Content = Markup | string | number | null | undefined | false | readonly Content[];

/** `html\`<p title="${text}">${text}</p>\``: attributes must be quoted, since only quotes and brackets are escaped. */
export function html(strings: TemplateStringsArray, ...values: Content[]): Markup {
  let text = strings[0]!;
  for (let index = 0; index < values.length; index++) text += render(values[index]) + strings[index + 1]!;
  return new Markup(text);
}

/** Text that is markup already: a stylesheet, a drawing of our own. Never anything that comes from data. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

function render(content: Content): string {
  if (content === null || content === undefined || content === false) return '';
  if (content instanceof Markup) return content.text;
  if (typeof content === 'number') return String(content);
  if (typeof content === 'string') return escapeHtml(content);
  return content.map(render).join('');
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Text for an element or a quoted attribute, of HTML and of XML alike. Control characters, which neither may hold,
 * are shown by their pictures (U+2400…); lone surrogates become U+FFFD.
 */
export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"']/g, (character) => entities[character]!);
}

/** The text with control characters as pictures and whole surrogate pairs only. */
export function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters meant
  const shown = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, (character) =>
    character === '\u007f' ? '\u2421' : String.fromCharCode(0x2400 + character.charCodeAt(0)),
  );
  return shown.replace(/[\ufffe\uffff]/g, '\ufffd').toWellFormed();
}

/** Made of two pieces: bundlers rewrite templates in which the end of a script stands whole. */
export const scriptEnd = trusted(`<${'/script>'}`);

/** Data for the page's script. `<` is escaped, so that no text can end the element or open a comment. */
export function jsonScript(value: unknown, attribute: string): Markup {
  const json = JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return html`<script type="application/json" ${trusted(attribute)}>${trusted(json)}${scriptEnd}`;
}

/** At most `length` UTF-16 code units, cut at a space where one is near; an ellipsis shows the cut. */
export function clip(text: string, length: number): string {
  if (text.length <= length) return text;
  const half = /[\ud800-\udbff]$/; // a pair is not cut in two
  const cut = text.slice(0, Math.max(1, length - 1)).replace(half, '');
  const space = cut.lastIndexOf(' ');
  return `${(space > length * 0.7 ? cut.slice(0, space) : cut).trimEnd()}…`;
}

/** `9,996` */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** A number as a person reads it: whole numbers with separators, others with three significant decimals. */
export function figure(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return count(value).replace('-', '−');
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return String(value);
  if (size >= 1000) return count(value).replace('-', '−');
  if (size < 0.0005) return value.toExponential(1).replace('-', '−');
  return value.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : 3).replace('-', '−');
}

/** `12.3 %` of a share in [0, 1]. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return '–';
  if (share > 0 && share < 0.001) return '<0.1%';
  return `${(share * 100).toFixed(1)}%`;
}
