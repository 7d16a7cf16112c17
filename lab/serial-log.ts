import { closeSync, type FSWatcher, openSync, readSync, watch } from "node:fs";
import { StringDecoder } from "node:string_decoder";

/** The end of a log that an error shows: enough to see the last unit, little enough to read. */
const TAIL_LINES = 25;

/** Follows the file into which QEMU writes what the guest says on its serial console. */
export class SerialLog {
  readonly path: string;
  readonly #file: number;
  readonly #watcher: FSWatcher;
  readonly #decoder = new StringDecoder("utf8");
  readonly #listeners = new Set<() => void>();
  #text = "";
  #closed = false;

  /** The file must exist. */
  constructor(path: string) {
    this.path = path;
    this.#file = openSync(path, "r");
    this.#watcher = watch(path, () => this.#read());
    this.#watcher.unref();
    this.#read();
  }

  /** All that was said since QEMU started, over all boots. */
  get text(): string {
    return this.#text;
  }

  /** The last lines, for an error message. */
  tail(lines: number = TAIL_LINES): string {
    return printable(this.#text).trimEnd().split("\n").slice(-lines).join("\n");
  }

  /** Calls after each piece of new text; the function it returns ends that. */
  onText(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watcher.close();
    this.#read();
    this.#listeners.clear();
    closeSync(this.#file);
  }

  #read(): void {
    const buffer = Buffer.alloc(64 * 1024);
    let news = "";
    for (let size = readSync(this.#file, buffer); size > 0; size = readSync(this.#file, buffer)) {
      news += this.#decoder.write(buffer.subarray(0, size));
    }
    if (news === "") return;
    this.#text += news;
    for (const listener of this.#listeners) listener();
  }
}

/** Without the escape sequences that firmware and systemd send to a terminal, and with plain line ends. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is searched for
  return text
    .replaceAll(/\x1b(?:\[[0-9;?=]*[ -/]*[@-~]|[()][A-Z0-9]|[=>c78M])/g, "")
    .replaceAll(/\r+\n?/g, "\n")
    .replaceAll(/[\x00-\x08\x0b-\x1f]/g, "");
}
