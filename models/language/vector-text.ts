/** A vector as the text of an answer: little-endian float32 in base64. */
export function vectorText({ buffer, byteOffset, byteLength }: Float32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

/** The numbers of such a text; undefined if its bytes are none. */
export function textVector(text: string): Float32Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length % Float32Array.BYTES_PER_ELEMENT === 0
    ? new Float32Array(Uint8Array.from(bytes).buffer)
    : undefined;
}
