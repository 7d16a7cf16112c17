import { inspect } from "node:util";

/**
 * Bytes that must not be seen: prints, serialises and inspects as `[secret]`. Goes to tools by standard input only.
 * `expose` is the one way out, so that a reader finds every use of the bytes by its name.
 */
export class Secret {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
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
