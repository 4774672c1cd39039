/** Bytes of the characters that a single-byte encoding has beyond ASCII. */
function bytesOf(encoding: string): Map<number, number> {
  const decoder = new TextDecoder(encoding);
  const bytes = new Map<number, number>();
  for (let byte = 0x80; byte < 0x100; byte++) {
    bytes.set(decoder.decode(Uint8Array.of(byte)).charCodeAt(0), byte);
    // Where the encoding has no character, readers leave the control character of that number.
    if (byte < 0xa0 && !bytes.has(byte)) bytes.set(byte, byte);
  }
  return bytes;
}

const encodings = ['windows-1252', 'windows-1251'] as const;
let tables: Map<number, number>[] | undefined;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const beyondAscii = /[^\0-\x7f]/;
/** Times that a text may have been broken. */
const mostRounds = 3;

/**
 * Repairs mojibake: UTF-8 that was read as windows-1252 (cafÃ© for café) or windows-1251 (РџСЂРёРІРµС‚ for Привет), up to
 * three times over. Each run of characters beyond ASCII is taken back to bytes, and replaced if those are UTF-8, which letters
 * of real words hardly ever are. Those that can be (É», её») are told apart by what UTF-8 they would be: see `plausible`.
 */
export function repairEncoding(text: string): string {
  let current = text;
  for (let round = 0; round < mostRounds && beyondAscii.test(current); round++) {
    const repaired = repairOnce(current);
    if (repaired === current) break;
    current = repaired;
  }
  return current;
}

function repairOnce(text: string): string {
  tables ??= encodings.map(bytesOf);
  for (const [index, table] of tables.entries()) {
    const repaired = text.replace(/[^\0-\x7f]+/g, (run) => repairRun(run, table, encodings[index]!));
    if (repaired !== text) return repaired;
  }
  return text;
}

function repairRun(run: string, table: Map<number, number>, encoding: (typeof encodings)[number]): string {
  if (run.length < 2) return run;
  const bytes = new Uint8Array(run.length);
  for (let at = 0; at < run.length; at++) {
    const byte = table.get(run.charCodeAt(at));
    if (byte === undefined) return run;
    bytes[at] = byte;
  }
  if (!plausible(bytes, encoding)) return run;
  try {
    return utf8.decode(bytes);
  } catch {
    return run;
  }
}

/**
 * A single sequence counts only if it is a Latin letter or sign (first byte C2 or C3), a mark such as a quotation mark or dash
 * (E2), or an emoji (F0). In Cyrillic all must be those or Cyrillic (D0, D1), and a single one a mark or an emoji.
 */
function plausible(bytes: Uint8Array, encoding: (typeof encodings)[number]): boolean {
  const leads = bytes.filter((byte) => byte >= 0xc0);
  const first = leads[0] ?? 0;
  if (encoding === 'windows-1252') return leads.length > 1 || [0xc2, 0xc3, 0xe2, 0xf0].includes(first);
  const known = leads.every((lead) => [0xc2, 0xc3, 0xd0, 0xd1, 0xe2, 0xf0].includes(lead));
  const marks = bytes.every(
    (byte, at) => byte !== 0xe2 || (bytes[at + 1]! >= 0x80 && bytes[at + 1]! <= 0x84),
  );
  return known && marks && (leads.length > 1 || first === 0xe2 || first === 0xf0);
}
