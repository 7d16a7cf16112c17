import { inspect } from "node:util";

/** Characters. A shorter value is not taken out: it would match a part of many ordinary words. */
const SHORTEST = 4;
/** The secrets that this process has held, as text and in the encodings that may appear in output. `withoutSecrets` searches for these. */
const known = new Set<string>();

/**
 * Bytes that must not be seen. They print, serialise and inspect as `[secret]`, and go to tools by standard input only. `expose` is the one
 * way out, so that a reader finds every use of the bytes by its name.
 */
export class Secret {
  readonly #bytes: Uint8Array;

  /** @param parts parts of the bytes, as text, that are secret by themselves */
  constructor(bytes: Uint8Array, parts: readonly string[] = []) {
    this.#bytes = bytes;
    for (const form of [...formsOf(bytes), ...parts]) if (form.length >= SHORTEST) known.add(form);
  }

  expose(): Uint8Array {
    return this.#bytes;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}

/** The text with `[secret]` in the place of each secret that this process has held. */
export function withoutSecrets(text: string): string {
  // The longest first: a short one may be part of it, and the rest of the long one would stay visible.
  const found = [...known].filter((form) => text.includes(form)).toSorted((a, b) => b.length - a.length);
  return found.reduce((rest, form) => rest.replaceAll(form, "[secret]"), text);
}

/**
 * The forms that a tool may print: a line of its input, or all of it as hexadecimal digits or base64. The first and last line of PEM are
 * not secret.
 */
function formsOf(bytes: Uint8Array): readonly string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lines = buffer.toString("utf8").split(/\r?\n/);
  const whole = [buffer.toString("hex"), buffer.toString("base64")];
  return [...lines.map((line) => line.trim()).filter((line) => !line.startsWith("-----")), ...whole];
}
