/** One header and its content, byte for byte as given: this is how lies are written. */
export interface RawEntry {
  readonly name: string;
  /** The type flag: "0" file, "5" folder, "1" hard link, "2" symbolic link, "3" and "4" devices, "6" FIFO, "x" pax, "L" GNU long name. */
  readonly type?: string;
  readonly content?: string | Uint8Array;
  /** What the header says of the size, where it lies: a number, or the field as it is. */
  readonly size?: number | string | Uint8Array;
  readonly linkname?: string;
  /** Raw bytes of the name, where text cannot say it. */
  readonly rawName?: Uint8Array;
  readonly badChecksum?: boolean;
}

/** A tar (ustar), ended as it should be unless `end` says otherwise. */
export function rawTar(entries: readonly RawEntry[], { end = true }: { readonly end?: boolean } = {}): Buffer {
  return Buffer.concat([...entries.map(entryBytes), ...(end ? [Buffer.alloc(1024)] : [])]);
}

function entryBytes(entry: RawEntry): Buffer {
  const { name, type = name.endsWith("/") ? "5" : "0", content = "", linkname = "", rawName, badChecksum = false } = entry;
  const bytes = Buffer.from(content);
  const size = entry.size ?? bytes.length;
  const header = Buffer.alloc(512);
  header.set(rawName ?? Buffer.from(name), 0);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.set(typeof size === "number" ? Buffer.from(`${size.toString(8).padStart(11, "0")}\0`) : Buffer.from(size), 124);
  header.write("00000000000\0", 136);
  header.write("        ", 148);
  header.write(type, 156);
  header.write(linkname, 157);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, badChecksum ? 1 : 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** A pax record: its length counts itself. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

/** Bytes as a stream, in pieces of that size. */
export async function* pieces(bytes: Uint8Array, size: number = bytes.length): AsyncIterable<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += Math.max(1, size)) yield bytes.subarray(offset, offset + Math.max(1, size));
}
