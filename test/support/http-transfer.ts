import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { RequestHeader } from "../../src/system/files/header-file.ts";
import { httpSource } from "../../src/system/network/http-source.ts";
import { noise } from "./update-images.ts";

export const file = noise(300_000, "http");
export const limits = { idle: 500, attempts: 4, firstPause: 5, longestPause: 20, leastRate: 1000, slack: 10_000 };

export type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => unknown;

export interface Transferred {
  /** The bytes, or what went wrong. */
  readonly result: Buffer | Error;
  /** What was asked for, each time. */
  readonly ranges: readonly (string | undefined)[];
  readonly requests: readonly IncomingMessage[];
}

export interface TransferOptions {
  readonly path?: string;
  readonly secret?: readonly RequestHeader[];
  readonly limits?: Partial<typeof limits>;
  /** Milliseconds that the reader takes for each piece. */
  readonly reader?: number;
  readonly serve?: (listener: RequestListener) => Server;
  /** Of the address; that of the server when absent. */
  readonly origin?: (port: number) => string;
}

/** Fetches through a server that answers so. */
export async function transfer(answer: Answer, options: TransferOptions = {}): Promise<Transferred> {
  const requests: IncomingMessage[] = [];
  const server = (options.serve ?? createServer)((request, response) => {
    requests.push(request);
    answer(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const url = new URL(options.path ?? "/update.tar", options.origin?.(port) ?? `http://127.0.0.1:${port}`);
  const result = await received(url, options);
  server.closeAllConnections();
  server.close();
  return { result, requests, ranges: requests.map(({ headers }) => headers.range) };
}

async function received(url: URL, options: TransferOptions): Promise<Buffer | Error> {
  try {
    const { chunks } = httpSource(url, new AbortController().signal, options.secret, { ...limits, ...options.limits });
    const got: Buffer[] = [];
    for await (const chunk of chunks) {
      got.push(Buffer.from(chunk));
      if (options.reader !== undefined) await new Promise((resolve) => setTimeout(resolve, options.reader));
    }
    return Buffer.concat(got);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Sends from where the range begins, and breaks the connection after so many bytes. */
export const partly =
  (bytes: number, etag: (count: number) => string | undefined = () => '"one"', content: (count: number) => Buffer = () => file): Answer =>
  (request, response, count) => {
    const whole = content(count);
    const mark = etag(count);
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
    const ifRange = request.headers["if-range"];
    const from = range !== undefined && (ifRange === undefined || ifRange === mark) ? Number(range) : 0;
    response.writeHead(from > 0 ? 206 : 200, {
      "content-length": whole.length - from,
      ...(mark === undefined ? {} : { etag: mark }),
      ...(from > 0 ? { "content-range": `bytes ${from}-${whole.length - 1}/${whole.length}` } : {}),
    });
    const piece = whole.subarray(from, from + bytes);
    if (from + piece.length === whole.length) response.end(piece);
    else breakAfter(response, piece);
  };

/** Sends that, and breaks the connection when it has gone out. */
export function breakAfter(response: ServerResponse, bytes: Uint8Array): void {
  response.write(bytes, () => setTimeout(() => response.destroy(), 20));
}
