import { foreignText } from "../base/foreign-words.ts";
import type { Host } from "../system/host.ts";

/** What the guest has said of its boot on its serial port: nothing yet, or how it ended. */
export type Said = "nothing" | "success" | "failure";

/** Bytes that are read at a time, and at most in one go: a guest that floods its console holds no one up. */
const PIECE = 64 * 1024;
const AT_ONCE = 8 * 1024 * 1024;
/** Characters of a line that are kept while its end has not come, and of one that a listener gets. */
const LONGEST_LINE = 4096;
/** The last lines are shown where a guest fails; each is cut shorter. */
const LAST = 20;
const SHOWN = 200;
/** Escape sequences of terminals (ECMA-48): of a control sequence, or of two characters. */
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])/g;

/** What a watch begins with: the first byte to read, what is known already, and a listener that gets each line without control characters. */
export interface SerialWatchOptions {
  readonly from?: number;
  readonly said?: Said;
  readonly heard?: (line: string) => void;
}

/**
 * Reads what a guest writes to its serial port, from the file of that name, and knows how its boot went (interface of IC-OS:
 * dfinity/ic, guest_vm_runner). The guest may write anything, without end.
 */
export class SerialWatch {
  readonly #host: Pick<Host, "stat" | "readAt">;
  readonly #file: string;
  readonly #heard: ((line: string) => void) | undefined;
  #reading: Promise<void> = Promise.resolve();
  #offset: number;
  #rest = "";
  #lines: readonly string[] = [];
  #said: Said;

  constructor(host: Pick<Host, "stat" | "readAt">, file: string, { from = 0, said = "nothing", heard }: SerialWatchOptions = {}) {
    this.#host = host;
    this.#file = file;
    this.#offset = from;
    this.#said = said;
    this.#heard = heard;
  }

  get said(): Said {
    return this.#said;
  }

  /** The last lines, for people: without control characters. */
  get lastLines(): readonly string[] {
    return [...this.#lines, this.#rest]
      .filter((line) => line.trim() !== "")
      .slice(-LAST)
      .map((line) => shown(line, SHOWN));
  }

  /** What came behind the last line end, such as a prompt: without control characters. */
  get rest(): string {
    return shown(this.#rest, LONGEST_LINE);
  }

  /**
   * Reads what has come since, but no more than 8 MiB. A file that has become shorter is another one: its writer, virtlogd, moved the one before
   * it to `.0` at a size of 2 MiB and began again (virtlogd.conf, `max_size`). While another call reads, it waits for that one: no byte is
   * taken twice, and what was there when it was called is read.
   *
   * @throws Error of the file system
   */
  async read(): Promise<void> {
    const reading = this.#reading.then(async () => this.#readOn());
    // This caller gets the error. The next one only waits, and reads for itself.
    this.#reading = reading.catch(() => undefined);
    return reading;
  }

  async #readOn(): Promise<void> {
    const size = await this.#size(this.#file);
    if (size >= this.#offset) return this.#readFrom(this.#file, size);
    const moved = `${this.#file}.0`;
    await this.#readFrom(moved, await this.#size(moved));
    this.#offset = 0;
    await this.#readFrom(this.#file, size);
  }

  async #size(file: string): Promise<number> {
    return (await this.#host.stat(file))?.size ?? 0;
  }

  async #readFrom(file: string, size: number): Promise<void> {
    for (const end = Math.min(size, this.#offset + AT_ONCE); this.#offset < end;) {
      const piece = await this.#host.readAt(file, this.#offset, Math.min(PIECE, end - this.#offset));
      if (piece === undefined || piece.length === 0) return;
      this.#offset += piece.length;
      this.#take(Buffer.from(piece).toString("latin1"));
    }
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = (lines.pop() ?? "").slice(-LONGEST_LINE);
    for (const line of [...lines, this.#rest]) {
      if (line.includes("GUESTOS BOOT SUCCESS")) this.#said = "success";
      else if (line.includes("GUESTOS BOOT FAILURE")) this.#said = "failure";
    }
    if (this.#heard !== undefined) for (const line of lines) this.#heard(shown(line, LONGEST_LINE));
    if (lines.length > 0) this.#lines = [...this.#lines, ...lines.slice(-LAST)].slice(-LAST);
  }
}

function shown(line: string, most: number): string {
  return foreignText(line.slice(-LONGEST_LINE).replaceAll(ESCAPES, "").replaceAll("\r", "").slice(0, most));
}
