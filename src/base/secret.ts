import { inspect } from "node:util";

/** Characters. What is shorter is not taken out: it would be found in half of all words. */
const SHORTEST = 4;
/** What this process has had in its hands, as text and as it might be written: `withoutSecrets` finds it by that. */
const known = new Set<string>();

/**
 * Bytes that must not be seen: prints, serialises and inspects as `[secret]`. Goes to tools by standard input only.
 * `expose` is the one way out, so that a reader finds every use of the bytes by its name.
 */
export class Secret {
  readonly #bytes: Uint8Array;

  /** @param parts of the bytes, as text, that are secret by themselves */
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

/** The text with `[secret]` in the place of each secret that this process has had. */
export function withoutSecrets(text: string): string {
  // The longest first: a short one may be a part of it, and what is left of the long one would be seen.
  const found = [...known].filter((form) => text.includes(form)).toSorted((a, b) => b.length - a.length);
  return found.reduce((rest, form) => rest.replaceAll(form, "[secret]"), text);
}

/** A tool shows a line of what it was given, or all of it as hexadecimal digits or base64. The first and last line of PEM are nothing to hide. */
function formsOf(bytes: Uint8Array): readonly string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lines = buffer.toString("utf8").split(/\r?\n/);
  const whole = [buffer.toString("hex"), buffer.toString("base64")];
  return [...lines.map((line) => line.trim()).filter((line) => !line.startsWith("-----")), ...whole];
}
