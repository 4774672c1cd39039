/**
 * A number of any number of digits (`-12`, `0.10`): the number if a double has the same digits, as it has all integers up to
 * 2^53 and all 15 significant digits of a fraction; else its digits in a text.
 */
export function exactNumber(digits: string): number | string {
  const number = Number(digits);
  const isExact = digits.includes('.')
    ? digits.replace(/^-?0*\.?0*|\D/g, '').length <= 15
    : Number.isSafeInteger(number);
  return isExact ? number : digits;
}
