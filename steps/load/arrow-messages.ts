/** What a message of Arrow IPC holds. */
export interface ArrowMessage {
  kind: 'schema' | 'dictionary' | 'batch' | undefined;
  /** The whole message: its prefix, its head and its body. */
  bytes: Uint8Array;
}

const kinds: { readonly [header: number]: ArrowMessage['kind'] } = {
  1: 'schema',
  2: 'dictionary',
  3: 'batch',
};

/**
 * The encapsulated message at an offset (Arrow Columnar Format, "Encapsulated message format"), with its body; undefined at
 * the end of the stream. What is no message is an Error.
 *
 * @param read reads so many bytes from an offset
 * @param end size of the file
 */
export async function messageAt(
  read: (start: number, length: number) => Promise<Uint8Array>,
  at: number,
  end: number,
): Promise<ArrowMessage | undefined> {
  const start = await read(at, Math.min(8, end - at));
  const view = new DataView(start.buffer);
  // Before Arrow 0.15 there was no marker in front of the length.
  const marked = view.getInt32(0, true) === -1;
  if (marked && start.length < 8) throw new Error(`it ends at byte ${end}`);
  const prefix = marked ? 8 : 4;
  const length = view.getInt32(prefix - 4, true);
  if (length === 0) return undefined;
  if (length < 0 || at + prefix + length > end) throw new Error(`there is no message at byte ${at}`);
  const head = Buffer.from(await read(at + prefix, length));
  const message = tableAt(head, head.readUInt32LE(0));
  const [kind, body] = [message(1), message(3)];
  const bodyLength = body === 0 ? 0 : Number(head.readBigInt64LE(body));
  const total = prefix + length + bodyLength;
  if (bodyLength < 0 || at + total > end) throw new Error(`it ends at byte ${end}, within a record batch`);
  return { kind: kinds[kind === 0 ? 0 : head.readUInt8(kind)], bytes: await read(at, total) };
}

/** The binary type that is laid out as a type of texts is: Utf8, LargeUtf8, Utf8View by their numbers in `Schema.fbs`. */
const binaryOf: { readonly [text: number]: number } = { 5: 4, 20: 19, 24: 23 };

/**
 * A schema's message with binary columns for those of texts: the reader decodes texts as a browser does, without a byte
 * order mark at the start and with what is no UTF-8 replaced.
 */
export function withBinaryTexts(schema: Uint8Array): Uint8Array {
  const bytes = Buffer.from(schema);
  const prefix = bytes.readInt32LE(0) === -1 ? 8 : 4;
  const head = bytes.subarray(prefix);
  const header = tableAt(head, head.readUInt32LE(0))(2);
  const visit = (field: number): void => {
    const member = tableAt(head, field);
    const type = member(2);
    const binary = type === 0 ? undefined : binaryOf[head.readUInt8(type)];
    if (binary !== undefined) head.writeUInt8(binary, type);
    for (const child of vectorAt(head, member(5))) visit(child);
  };
  for (const field of vectorAt(head, tableAt(head, header + head.readUInt32LE(header))(1))) visit(field);
  return new Uint8Array(bytes);
}

/** Of a FlatBuffer's table: where its fields are, by their numbers; 0 for one that is left out. */
function tableAt(buffer: Buffer, table: number): (field: number) => number {
  const virtual = table - buffer.readInt32LE(table);
  const size = buffer.readUInt16LE(virtual);
  return (field) => {
    const slot = 4 + 2 * field;
    const offset = slot < size ? buffer.readUInt16LE(virtual + slot) : 0;
    return offset === 0 ? 0 : table + offset;
  };
}

/** Where the tables of a vector are; none for a vector that is left out. */
function vectorAt(buffer: Buffer, at: number): number[] {
  if (at === 0) return [];
  const start = at + buffer.readUInt32LE(at);
  return Array.from({ length: buffer.readUInt32LE(start) }, (_, index) => {
    const slot = start + 4 + 4 * index;
    return slot + buffer.readUInt32LE(slot);
  });
}
