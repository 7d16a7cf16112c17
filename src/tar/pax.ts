import { quoted } from "../base/quoted.ts";
import { BadTar } from "./bad-tar.ts";

/**
 * The records of a pax header: "LENGTH KEY=VALUE\n", where the length counts the whole record (pax(1), "pax Extended Header").
 *
 * @throws BadTar for a damaged record, or a key that occurs twice
 */
export function parsePax(bytes: Buffer): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  const bad = (found: string): BadTar =>
    new BadTar("other", { code: "pax-header-damaged", what: "a pax header of the tar is damaged", found });
  for (let offset = 0; offset < bytes.length;) {
    const blank = bytes.indexOf(0x20, offset);
    const digits = bytes.toString("latin1", offset, blank === -1 ? offset : blank);
    const end = offset + Number(digits);
    if (!/^\d{1,7}$/.test(digits) || end > bytes.length || end <= blank + 1 || bytes[end - 1] !== 0x0a) {
      throw bad(`a record at byte ${offset} with the length ${quoted(digits)}`);
    }
    const text = bytes.toString("utf8", blank + 1, end - 1);
    const equals = text.indexOf("=");
    if (equals < 1) throw bad(`a record without a key at byte ${offset}`);
    const key = text.slice(0, equals);
    // With two sizes or two names, the one that counts would depend on the reading program.
    if (records.has(key)) throw bad(`${quoted(key)} twice`);
    records.set(key, text.slice(equals + 1));
    offset = end;
  }
  return records;
}
