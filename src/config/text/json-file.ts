import { isUtf8 } from "node:buffer";
import { type Finding, refuseFindings } from "../../base/finding.ts";
import { quoted } from "../../base/quoted.ts";
import { placeAt, requireLength } from "./text-lines.ts";
import { type JsonPath, type JsonRange, pathKey, scanJson } from "./json-scan.ts";

/** Bounds of a JSON text from outside. */
export interface JsonBounds {
  /** Bytes. */
  readonly longest: number;
  /** Objects and lists within each other. */
  readonly deepest: number;
  /** Makes a value fit to be shown. By default `quoted` does. */
  readonly fit?: (value: string) => string;
}

/** A JSON text from outside, and the places of its values. */
export class JsonFile {
  readonly value: unknown;
  /** Without a byte order mark. */
  readonly text: string;
  readonly hasByteOrderMark: boolean;
  /** See `JsonBounds`. */
  readonly fit: (value: string) => string;
  readonly #ranges: ReadonlyMap<string, JsonRange>;

  /**
   * @param file its name in error messages
   * @throws ProblemError with line and column: too long or too deep, not UTF-8, not JSON (RFC 8259), a name twice in an object. Of the text
   *   it shows one character at most: there may be a secret in it
   */
  constructor(content: Uint8Array, file: string, { longest, deepest, fit = quoted }: JsonBounds) {
    this.fit = fit;
    requireLength(content, file, longest);
    const decoded = Buffer.from(content).toString("utf8");
    this.hasByteOrderMark = decoded.startsWith(BYTE_ORDER_MARK);
    this.text = this.hasByteOrderMark ? decoded.slice(BYTE_ORDER_MARK.length) : decoded;
    if (!isUtf8(content)) {
      refuseFindings(file, [this.#notJson(this.#firstForeign(content), "bytes that are not UTF-8", "UTF-8")]);
    }
    const { fault, ranges } = scanJson(this.text, deepest);
    if (fault !== undefined) {
      const character = this.text.charAt(fault.offset);
      refuseFindings(file, [
        this.#notJson(fault.offset, character === "" ? "the end of the file" : quoted(character), `${fault.expected} (JSON, RFC 8259)`),
      ]);
    }
    this.#ranges = ranges;
    this.value = JSON.parse(this.text);
  }

  /** The range of a value; `undefined` when there is none. */
  range(path: JsonPath): JsonRange | undefined {
    return this.#ranges.get(pathKey(path));
  }

  /** The place of a value, or of the nearest one above it that exists. */
  place(path: JsonPath): Pick<Finding, "line" | "column"> {
    return placeAt(this.text, this.#above(path).start);
  }

  /** A value as it is written, fit to be shown. */
  shown(path: JsonPath): string {
    const range = this.range(path);
    return range === undefined ? "nothing" : this.fit(this.text.slice(range.start, range.end));
  }

  /** The text with another value in that place. The text itself where there is no such value. */
  withValue(path: JsonPath, value: string): string {
    const range = this.range(path);
    return range === undefined ? this.text : `${this.text.slice(0, range.start)}${value}${this.text.slice(range.end)}`;
  }

  #above(path: JsonPath): JsonRange {
    return this.range(path) ?? (path.length === 0 ? { start: 0, end: 0 } : this.#above(path.slice(0, -1)));
  }

  #notJson(offset: number, found: string, expected: string): Finding {
    return { ...placeAt(this.text, offset), code: "not-json", what: "the file is not JSON", found, expected };
  }

  /** The offset of the first character whose bytes are not UTF-8. */
  #firstForeign(content: Uint8Array): number {
    // Each wrong byte becomes a replacement character, whose own bytes are others.
    const bytes = Buffer.from(this.text);
    const start = this.hasByteOrderMark ? Buffer.byteLength(BYTE_ORDER_MARK) : 0;
    let same = 0;
    while (same < bytes.length && bytes[same] === content[start + same]) same += 1;
    return bytes.toString("utf8", 0, same).replace(/\ufffd+$/, "").length;
  }
}

const BYTE_ORDER_MARK = "\ufeff";
