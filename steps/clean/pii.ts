/** Kinds of personal or secret data that are found in texts. */
export const piiTypes = ['email', 'phone', 'card', 'ip', 'key'] as const;
export type PiiType = (typeof piiTypes)[number];

/** Looks for pieces of one kind. */
export interface Detector<T extends string = string> {
  type: T;
  pattern: RegExp;
  /** What a pattern cannot say. */
  valid?: (match: string) => boolean;
}

/** In the order in which they are looked for: what one has found is not looked at by the next. */
const detectors: readonly Detector<PiiType>[] = [
  {
    type: 'key',
    pattern: new RegExp(
      [
        // A private key, whole.
        String.raw`-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[\s\S]*?-----END (?:[A-Z]+ )*PRIVATE KEY-----`,
        // OpenAI and Anthropic, AWS, GitHub, GitLab, Slack, Google, Stripe, Hugging Face, npm.
        String.raw`\bsk-[A-Za-z0-9_-]{20,}`,
        String.raw`\b(?:AKIA|ASIA)[A-Z0-9]{16}\b`,
        String.raw`\bgh[pousr]_[A-Za-z0-9]{36,}`,
        String.raw`\bgithub_pat_[A-Za-z0-9_]{22,}`,
        String.raw`\bglpat-[A-Za-z0-9_-]{20,}`,
        String.raw`\bxox[abprs]-[A-Za-z0-9-]{10,}`,
        String.raw`\bAIza[A-Za-z0-9_-]{35}`,
        String.raw`\b[rsp]k_(?:live|test)_[A-Za-z0-9]{16,}`,
        String.raw`\bhf_[A-Za-z0-9]{30,}`,
        String.raw`\bnpm_[A-Za-z0-9]{36}`,
        // A JSON web token.
        String.raw`\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}`,
      ].join('|'),
      'g',
    ),
  },
  {
    type: 'email',
    // Bounded as RFC 5321 bounds the parts, which also bounds the time. Of a spelled-out one a plain dot has no space beside it.
    pattern:
      /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}_%+-][\p{L}\p{N}._%+'-]{0,63}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}(?:xn--[a-z0-9-]{1,59}|\p{L}{2,24})(?![\p{L}\p{N}])|(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}_%+-][\p{L}\p{N}._%+-]{0,63} ?[([] ?at ?[)\]] ?[\p{L}\p{N}-]{1,63}(?:(?:\.| ?[([] ?dot ?[)\]] ?)[\p{L}\p{N}-]{1,63}){0,3}(?:\.| ?[([] ?dot ?[)\]] ?)(?:xn--[a-z0-9-]{1,59}|\p{L}{2,24})(?![\p{L}\p{N}])/giu,
  },
  {
    type: 'card',
    pattern: /(?<![\d.,-])\d(?:[ -]?\d){12,18}(?![\d-])/g,
    valid: (match) => isCard(match.replace(/[ -]/g, '')),
  },
  {
    type: 'ip',
    pattern:
      /(?<![\d.])(?:(?<![\p{L}\p{N}:])::ffff:)?(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?!\.?\d)|(?<![\p{L}\p{N}:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\p{L}\p{N}:])/gu,
    valid: (match) => match.includes('.') || isIpv6(match),
  },
  {
    type: 'phone',
    // With a country code, or with the marks that people write between the parts; a bare number may be anything.
    pattern: new RegExp(
      String.raw`(?<![\p{L}\p{N}.,+-])(?:${[
        String.raw`\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){1,4}`,
        String.raw`\(\d{2,4}\) ?\d{2,4}(?:[ .-]?\d{2,4}){1,3}`,
        // Russian, with a bare mobile number too.
        String.raw`[78][ -]?\(?\d{3}\)?[ -]\d{3}[ -]\d{2}[ -]\d{2}`,
        String.raw`[78]9\d{9}`,
        // Within most of Europe: a 0 and the code, then one part or more; in France pairs.
        String.raw`0[1-9]\d{1,3}[ /-]\d{3,4}[ -]\d{3,4}`,
        String.raw`0[1-9]\d{1,3}[ /-]\d{6,8}`,
        String.raw`0[1-9](?:[ .-]\d{2}){4}`,
        String.raw`(?:1[ .-])?\d{3}[ .-]\d{3}[ .-]\d{4}`,
      ].join('|')})(?:,? ?(?:ext\.?|доб\.?) ?\d{1,5})?(?![\p{L}\p{N}])`,
      'gu',
    ),
    valid: (match) => {
      const digits = match.replace(/\D/g, '').length;
      return digits >= 7 && digits <= 15;
    },
  },
];

/** A detector of the names of a list: whole words as they are written there, or in capitals; names in a row are one. */
export function nameDetector(names: readonly string[]): Detector<'name'> | undefined {
  const listed = [...new Set(names.flatMap((name) => [name, name.toUpperCase()]))].filter(
    (name) => name !== '',
  );
  if (listed.length === 0) return undefined;
  const any = listed
    .sort((a, b) => b.length - a.length)
    .map((name) => name.split(/\s+/).map(RegExp.escape).join('\\s+'))
    .join('|');
  return {
    type: 'name',
    pattern: new RegExp(`(?<![\\p{L}\\p{N}])(?:${any})(?:[ \\u00a0](?:${any}))*(?![\\p{L}\\p{N}])`, 'gu'),
  };
}

/** Calls `found` for each piece of the types, in the order of the detectors, and puts what it gives in the place of it. */
export function replacePii(
  text: string,
  types: readonly PiiType[],
  found: (type: PiiType, match: string) => string,
): string {
  return replacePieces(text, piiDetectors(types), found);
}

/** The detectors of the types. */
export function piiDetectors(types: readonly string[]): Detector<PiiType>[] {
  return detectors.filter(({ type }) => types.includes(type));
}

/** Calls `found` for each piece that a detector finds; the next one does not look at what is in the place of it. */
export function replacePieces<T extends string>(
  text: string,
  among: readonly Detector<T>[],
  found: (type: T, match: string) => string,
): string {
  let parts: (string | { masked: string })[] = [text];
  for (const { type, pattern, valid } of among) {
    parts = parts.flatMap((part) => {
      if (typeof part !== 'string') return [part];
      const pieces: (string | { masked: string })[] = [];
      let end = 0;
      for (const match of part.matchAll(pattern)) {
        if (valid && !valid(match[0])) continue;
        pieces.push(part.slice(end, match.index), { masked: found(type, match[0]) });
        end = match.index + match[0].length;
      }
      pieces.push(part.slice(end));
      return pieces;
    });
  }
  return parts.map((part) => (typeof part === 'string' ? part : part.masked)).join('');
}

/** Digits of a card: one of the networks' first digits, and Luhn's check digit. */
function isCard(digits: string): boolean {
  if (!/^(?:[3-6]|2[2-7])/.test(digits) || /^(\d)\1*$/.test(digits)) return false;
  let sum = 0;
  for (let place = 0; place < digits.length; place++) {
    const digit = Number(digits[digits.length - 1 - place]);
    const value = place % 2 === 1 ? 2 * digit : digit;
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
}

function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (groups.some((group) => !/^[0-9A-Fa-f]{1,4}$/.test(group))) return false;
  // A time such as 12:30:05 has no group of letters and too few groups.
  return halves.length === 2 ? groups.length >= 2 && groups.length <= 7 : groups.length === 8;
}
