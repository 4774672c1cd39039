import type { Json } from '../json.ts';

/** What stands where a secret stood. */
export const redacted = '[secret]';

/** A line of a secret of several lines counts by itself from so many characters on: `}` and the like are no secret. */
const leastLine = 8;

/**
 * Takes secrets out of what is written: records, events, patches. A secret is found as it is, as JSON and as a URL
 * write it, in base64 (also with a name before it, as `Authorization: Basic` has it), and one of several lines also
 * line by line.
 */
export class Redaction {
  readonly #pattern: RegExp | null;
  /** Bytes of the longest form of a secret. */
  readonly #longest: number;

  constructor(secrets: Iterable<string> = []) {
    const forms = new Set<string>();
    for (const secret of secrets) {
      const lines = secret.split(/\r?\n/).map((line) => line.trim());
      const long = lines.length > 1 ? lines.filter((line) => line.length >= leastLine) : [];
      for (const text of [secret, ...long]) {
        if (text.trim() === '') continue;
        forms.add(text);
        forms.add(JSON.stringify(text).slice(1, -1));
        for (const form of encodedForms(text.toWellFormed())) forms.add(form);
      }
    }
    // The longest first, so that a secret within another one leaves no rest of it.
    const alternatives = [...forms].sort((a, b) => b.length - a.length).map(pattern);
    this.#longest = Math.max(0, ...[...forms].map((form) => Buffer.byteLength(form)));
    this.#pattern = alternatives.length === 0 ? null : new RegExp(alternatives.join('|'), 'g');
  }

  /** True if there is nothing to take out, ever. */
  get none(): boolean {
    return this.#pattern === null;
  }

  text(text: string): string {
    return this.#pattern === null || isDigest(text) ? text : text.replace(this.#pattern, redacted);
  }

  /** The same value with every text in it redacted, keys included; digests are left as they are. */
  json<T>(value: T): T {
    return this.#pattern === null ? value : (this.#json(value as Json) as T);
  }

  /** Bytes of any encoding that contains ASCII; the very same bytes if there is nothing in them. */
  bytes(bytes: Uint8Array): Uint8Array {
    if (this.#pattern === null) return bytes;
    // latin1 maps bytes to characters one to one; a secret beyond ASCII is looked for by its UTF-8 bytes.
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    const pattern = new RegExp(Buffer.from(this.#pattern.source, 'utf8').toString('latin1'), 'g');
    const clean = text.replace(pattern, redacted);
    return clean === text ? bytes : Buffer.from(clean, 'latin1');
  }

  /** Whether there is a secret in bytes that come in pieces. */
  async isIn(pieces: AsyncIterable<Uint8Array>): Promise<boolean> {
    if (this.#pattern === null) return false;
    let rest: Uint8Array = new Uint8Array();
    for await (const piece of pieces) {
      const bytes = Buffer.concat([rest, piece]);
      if (this.bytes(bytes) !== bytes) return true;
      // A secret may lie across two pieces.
      rest = bytes.subarray(Math.max(0, bytes.length - this.#longest));
    }
    return false;
  }

  /** Bytes that come in pieces, without secrets, also where one lies across pieces. */
  async *pieces(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    let rest: Uint8Array = new Uint8Array();
    for await (const piece of pieces) {
      const bytes = this.bytes(Buffer.concat([rest, piece]));
      // What follows may complete a secret that begins here.
      const sure = Math.max(0, bytes.length - this.#longest);
      if (sure > 0) yield bytes.subarray(0, sure);
      rest = bytes.subarray(sure);
    }
    if (rest.length > 0) yield rest;
  }

  #json(value: Json | undefined): Json | undefined {
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.#json(item) as Json);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [this.text(name), this.#json(member)]),
    ) as Json;
  }
}

/** A secret as a URL, a form and base64 write it. Base64 that is shorter than eight characters may be anything. */
function encodedForms(secret: string): string[] {
  const url = encodeURIComponent(secret);
  const forms = [url, url.replaceAll(/%../g, (code) => code.toLowerCase()), url.replaceAll('%20', '+')];
  const bytes = Buffer.from(secret);
  // What stands before it shifts it by 0, 1 or 2 bytes; characters that it shares with its neighbours are left out.
  for (const shift of [0, 1, 2]) {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const whole = Math.floor(((shift + bytes.length) * 8) / 6);
    const own = text.slice(Math.ceil((shift * 8) / 6), whole);
    if (own.length < 8) continue;
    forms.push(own, own.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return forms;
}

/** A short secret counts only as a word of its own: taking every `a` out would leave nothing to read. */
function pattern(form: string): string {
  const escaped = RegExp.escape(form);
  return form.length < 4 ? `(?<![A-Za-z0-9])${escaped}(?![A-Za-z0-9])` : escaped;
}

/** A short secret of hex digits would otherwise tear digests apart. */
function isDigest(text: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}
