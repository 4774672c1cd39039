/** Kinds of personal or secret data that are found in texts. */
export const piiTypes = ['email', 'phone', 'card', 'ip', 'key'] as const;
export type PiiType = (typeof piiTypes)[number];

interface Detector {
  type: PiiType;
  pattern: RegExp;
  /** What a pattern cannot say. */
  valid?: (match: string) => boolean;
}

/** In the order in which they are looked for: what one has found is not looked at by the next. */
const detectors: readonly Detector[] = [
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
    // Bounded as RFC 5321 bounds the parts, which also bounds the time.
    pattern:
      /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}_%+-][\p{L}\p{N}._%+'-]{0,63}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}[\p{L}]{2,24}(?![\p{L}\p{N}])/gu,
  },
  {
    type: 'card',
    pattern: /(?<![\d.,-])\d(?:[ -]?\d){12,18}(?![\d-])/g,
    valid: (match) => isCard(match.replace(/[ -]/g, '')),
  },
  {
    type: 'ip',
    pattern:
      /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?!\.?\d)|(?<![\p{L}\p{N}:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\p{L}\p{N}:])/gu,
    valid: (match) => !match.includes(':') || isIpv6(match),
  },
  {
    type: 'phone',
    // With a country code, or with the marks that people write between the parts; a bare number may be anything.
    pattern:
      /(?<![\p{L}\p{N}.,+-])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){1,4}|\(\d{2,4}\) ?\d{2,4}(?:[ .-]?\d{2,4}){1,3}|[78] ?\(?\d{3}\)?[ -]\d{3}[ -]\d{2}[ -]\d{2}|(?:1[ .-])?\d{3}[ .-]\d{3}[ .-]\d{4})(?![\p{L}\p{N}])/gu,
    valid: (match) => {
      const digits = match.replace(/\D/g, '').length;
      return digits >= 7 && digits <= 15;
    },
  },
];

/** Calls `found` for each piece, and puts what it gives in the place of it. */
export function replacePii(
  text: string,
  types: readonly PiiType[],
  found: (type: PiiType, match: string) => string,
): string {
  let parts: (string | { masked: string })[] = [text];
  for (const { type, pattern, valid } of detectors) {
    if (!types.includes(type)) continue;
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
