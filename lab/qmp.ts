import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { ProblemError } from "../src/base/problem.ts";

export interface QmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** QEMU's machine protocol (docs/interop/qmp-spec): one JSON object a line, answers in the order of the commands. */
export class QmpClient {
  /** Settles when QEMU closes the connection: it has ended. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  #greeted: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    // A connection that breaks is closed as well, and `closed` tells that: nothing is lost by not naming the error.
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.once("close", () => {
      const error = new ProblemError({ code: "qemu-ended", what: "QEMU has ended while a command was under way" });
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
    createInterface({ input: socket })
      .on("line", (line) => this.#onLine(line))
      .on("error", () => {});
  }

  /** Connects to QEMU's socket and leaves the negotiation mode. @throws when no one listens there */
  static async connect(path: string): Promise<QmpClient> {
    const socket = connect(path);
    await once(socket, "connect");
    const client = new QmpClient(socket);
    await Promise.race([
      new Promise<void>((resolve) => (client.#greeted = resolve)),
      client.closed.then(() => Promise.reject(new ProblemError({ code: "qemu-closed-socket", what: `QEMU closed ${path} at once` }))),
    ]);
    await client.execute("qmp_capabilities");
    return client;
  }

  /** Runs one command and returns what QEMU returned. @throws ProblemError with QEMU's own words */
  async execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    try {
      return await answer;
    } catch (error) {
      throw new ProblemError({
        code: "qemu-refused",
        what: `QEMU refuses ${command}`,
        found: error instanceof Error ? error.message : String(error),
      });
    }
  }

  /** Tells every event from now on; the function it returns ends that. */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#socket.destroy();
  }

  #onLine(line: string): void {
    const message: unknown = JSON.parse(line);
    if (!isRecord(message)) return;
    if ("QMP" in message) this.#greeted?.();
    else if (typeof message["event"] === "string") {
      const data = isRecord(message["data"]) ? message["data"] : {};
      for (const listener of this.#listeners) listener({ event: message["event"], data });
    } else if (isRecord(message["error"])) this.#waiting.shift()?.reject(new Error(String(message["error"]["desc"])));
    else if ("return" in message) this.#waiting.shift()?.resolve(message["return"]);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
