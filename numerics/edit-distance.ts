/**
 * Levenshtein's distance of two sequences of UTF-16 code units: the least number of units put in, taken out or
 * replaced. Bit-parallel, 32 rows of the table at a time (Myers 1999; blocks and carries as in Hyyrö 2003): n·m/32 steps.
 */
export function editDistance(a: Uint16Array, b: Uint16Array): number {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let aEnd = a.length;
  let bEnd = b.length;
  while (aEnd > start && bEnd > start && a[aEnd - 1] === b[bEnd - 1]) {
    aEnd--;
    bEnd--;
  }
  const [pattern, text] =
    aEnd - start >= bEnd - start
      ? [a.subarray(start, aEnd), b.subarray(start, bEnd)]
      : [b.subarray(start, bEnd), a.subarray(start, aEnd)];
  if (text.length === 0) return pattern.length;

  const blocks = Math.ceil(pattern.length / 32);
  // Vertical differences of each block's rows: bits that are +1, and bits that are −1.
  const plus = new Int32Array(blocks).fill(-1);
  const minus = new Int32Array(blocks);
  const last = 1 << ((pattern.length - 1) % 32);
  let distance = pattern.length;
  const places = new Map<number, Int32Array>();
  for (let i = 0; i < pattern.length; i++) {
    const bits = places.get(pattern[i]!) ?? new Int32Array(blocks);
    bits[i >> 5]! |= 1 << (i & 31);
    places.set(pattern[i]!, bits);
  }
  const none = new Int32Array(blocks);
  for (const unit of text) {
    const bits = places.get(unit) ?? none;
    // The horizontal difference that enters a block from above: the first row grows by one with every column.
    let carry = 1;
    for (let block = 0; block < blocks; block++) {
      const vp = plus[block]!;
      const vn = minus[block]!;
      const equal = bits[block]! | (carry < 0 ? 1 : 0);
      const xv = bits[block]! | vn;
      const xh = ((((equal & vp) + vp) | 0) ^ vp) | equal;
      let hp = vn | ~(xh | vp);
      let hn = vp & xh;
      const bottom = block === blocks - 1 ? last : 1 << 31;
      const leaving = (hp & bottom) !== 0 ? 1 : (hn & bottom) !== 0 ? -1 : 0;
      hp = (hp << 1) | (carry > 0 ? 1 : 0);
      hn = (hn << 1) | (carry < 0 ? 1 : 0);
      plus[block] = hn | ~(xv | hp);
      minus[block] = hp & xv;
      carry = leaving;
    }
    distance += carry;
  }
  return distance;
}
