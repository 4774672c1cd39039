import { StepError } from '../../engine/problems.ts';
import type { TableInput } from '../../engine/step.ts';

/** A piece that was masked, and what stands for it. */
export interface Pseudonym {
  token: string;
  type: string;
  value: string;
  occurrences: number;
}

/** Gives each piece a token of its own, the same wherever it occurs: `<email_1>`, in the order in which they are met. */
export class Pseudonyms {
  private readonly byValue = new Map<string, Pseudonym>();
  private readonly counts = new Map<string, number>();
  private readonly form: string;
  private readonly pattern: RegExp;

  /** `form`: with {type} and, if pieces are to be told apart, {n}. */
  constructor(form: string) {
    this.form = form;
    const parts = form.split(/(\{type\}|\{n\})/).map((part) => {
      if (part === '{n}') return '\\d+';
      return part === '{type}' ? '[a-z]+' : RegExp.escape(part);
    });
    this.pattern = new RegExp(parts.join(''), 'u');
  }

  looksLikeToken(text: string): boolean {
    return this.pattern.test(text);
  }

  /** What stands for a piece. Pieces are remembered only where they have tokens of their own. */
  tokenOf(type: string, value: string): string {
    if (!this.form.includes('{n}')) return this.form.replaceAll('{type}', type);
    const key = `${type} ${value}`;
    let known = this.byValue.get(key);
    if (!known) {
      const number = (this.counts.get(type) ?? 0) + 1;
      this.counts.set(type, number);
      const token = this.form.replaceAll('{type}', type).replaceAll('{n}', String(number));
      known = { token, type, value, occurrences: 0 };
      this.byValue.set(key, known);
    }
    known.occurrences++;
    return known.token;
  }

  list(): Pseudonym[] {
    return [...this.byValue.values()];
  }
}

/** Puts back what tokens stand for, from the output `map` of an earlier step. */
export async function openRestorer(map: TableInput): Promise<(text: string) => string> {
  const values = new Map<string, string>();
  for await (const row of map.read()) {
    const { token, value } = row;
    if (typeof token !== 'string' || token === '' || typeof value !== 'string')
      throw new StepError(
        'bad-map',
        `row ${row.id} of map has no token and value`,
        'bind the output `map` of clean',
      );
    values.set(token, value);
  }
  if (values.size === 0) return (text) => text;
  const tokens = [...values.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(tokens.map(RegExp.escape).join('|'), 'g');
  return (text) => text.replace(pattern, (token) => values.get(token) ?? token);
}
