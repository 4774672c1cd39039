/** What directives of `strptime` (POSIX; Python's names) stand for, and how many digits each takes. */
const directives: { readonly [letter: string]: readonly [group: string, pattern: string] } = {
  Y: ['year', '\\d{4}'],
  y: ['short', '\\d{2}'],
  m: ['month', '\\d{1,2}'],
  d: ['day', '\\d{1,2}'],
  H: ['hour', '\\d{1,2}'],
  M: ['minute', '\\d{1,2}'],
  S: ['second', '\\d{1,2}'],
  f: ['fraction', '\\d{1,6}'],
  z: ['zone', 'Z|[+-]\\d{2}:?\\d{2}'],
};

/** What is wrong with a format of times; undefined if nothing is. */
export function formatMistake(format: string): string | undefined {
  const letters = Array.from(format.matchAll(/%(.?)/gsu), ({ 1: letter }) => letter ?? '');
  const unknown = letters.find((letter) => letter !== '%' && !Object.hasOwn(directives, letter));
  if (unknown !== undefined)
    return `%${unknown} is not known; there are ${Object.keys(directives)
      .map((letter) => `%${letter}`)
      .join(', ')}`;
  const twice = letters.find((letter, at) => letter !== '%' && letters.indexOf(letter) !== at);
  if (twice !== undefined) return `%${twice} stands there twice`;
  const year = letters.filter((letter) => letter === 'Y' || letter === 'y');
  return year.length === 1 ? undefined : 'it needs the year once, as %Y or %y';
}

/**
 * Rewrites times of a format of `strptime`, such as `%d/%m/%Y %H:%M`, in ISO 8601; undefined for a text that is not in it. A year
 * of two digits is of 1969 to 2068, as in POSIX.
 */
export function timesWritten(format: string): (text: string) => string | undefined {
  const pattern = format.replace(/%(.)|([^%]+)/gsu, (_, letter?: string, rest?: string) => {
    const [group, digits] = directives[letter ?? ''] ?? [];
    return group === undefined
      ? (rest ?? letter ?? '').replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
      : `(?<${group}>${digits})`;
  });
  const form = new RegExp(`^${pattern}$`, 'u');
  return (text) => {
    const parts = form.exec(text)?.groups;
    if (!parts) return undefined;
    const two = (name: string, usual: string) => (parts[name] ?? usual).padStart(2, '0');
    const short = Number(parts['short']);
    const year = parts['year'] ?? String(short + (short < 69 ? 2000 : 1900));
    const clock = `${two('hour', '00')}:${two('minute', '00')}:${two('second', '00')}.${parts['fraction'] ?? '0'}`;
    return `${year}-${two('month', '01')}-${two('day', '01')}T${clock}${parts['zone'] ?? ''}`;
  };
}
