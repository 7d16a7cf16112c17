import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { foreignWords } from "../base/foreign-words.ts";
import { ProblemError } from "../base/problem.ts";
import { CONTENT_TYPE } from "./exposition.ts";
import type { ListenAddress } from "./listen-address.ts";

export interface HttpEndpoint {
  /** The real port, even where 0 was requested. */
  readonly address: ListenAddress;
  /** Closes the port and every connection. */
  readonly stop: () => Promise<void>;
}

/** Simultaneous connections. A scraper needs one; a further client waits in the kernel, or is turned away. */
const CONNECTIONS = 8;
/** A request is a line and a few headers. */
const HEADER_BYTES = 4096;
/** Milliseconds until the whole request must have arrived, and again as long for the answer to be taken. */
const TIME_LIMIT = 5_000;

/**
 * Serves metrics at /metrics, and nothing else. The cost of clients is bounded: connections, bytes, time; clients that come at the same
 * time share one rendering.
 *
 * @param render the current metrics in Prometheus' text format
 * @throws ProblemError when the address cannot be listened on
 */
export async function startHttpEndpoint({ host, port }: ListenAddress, render: () => Promise<string>): Promise<HttpEndpoint> {
  let rendering: Promise<string> | undefined;
  const shared = async (): Promise<string> => {
    rendering ??= render().finally(() => (rendering = undefined));
    return rendering;
  };
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: TIME_LIMIT,
      requestTimeout: TIME_LIMIT,
      keepAlive: false,
      connectionsCheckingInterval: TIME_LIMIT,
    },
    (request, response) => void answer(request, response, shared),
  );
  server.maxConnections = CONNECTIONS;
  server.maxRequestsPerSocket = 1;
  // Closes an idle connection, also one that does not take its answer.
  server.setTimeout(TIME_LIMIT, (socket) => socket.destroy());
  await listening(server, { host, port });
  const bound = server.address();
  return {
    address: { host, port: typeof bound === "object" && bound !== null ? bound.port : port },
    stop: async () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, render: () => Promise<string>): Promise<void> {
  const reply = (status: number, type: string, body: string, headers: Readonly<Record<string, string>> = {}): void => {
    response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(body), Connection: "close", ...headers });
    // For HEAD, Node leaves out the body.
    response.end(body);
  };
  if (request.url?.split("?")[0] !== "/metrics") return reply(404, "text/plain", "only /metrics is here\n");
  if (request.method !== "GET" && request.method !== "HEAD") return reply(405, "text/plain", "only GET and HEAD\n", { Allow: "GET, HEAD" });
  try {
    reply(200, CONTENT_TYPE, await render());
  } catch {
    // The cause is for the node's own log, not for any client that can connect.
    reply(500, "text/plain", "the metrics cannot be read now\n");
  }
}

async function listening(server: Server, { host, port }: ListenAddress): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      reject(
        new ProblemError({
          code: "metrics-not-served",
          what: `cannot serve metrics at ${host} port ${port}`,
          found: foreignWords(error),
          todo: "choose another address: --metrics-address ADDRESS:PORT",
        }),
      );
    });
    server.listen({ host, port }, resolve);
  });
}
