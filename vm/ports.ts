import { once } from "node:events";
import { createServer } from "node:net";

/**
 * So many TCP ports of 127.0.0.1 that nobody listens on, no two of them the same: each is held until all are found.
 *
 * Somebody else may take one before QEMU does; QEMU then refuses to start and says so.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  try {
    return await Promise.all(
      servers.map(async (server) => {
        await once(server, "listening");
        const address = server.address();
        if (address === null || typeof address === "string") throw new Error("a TCP server has no port");
        return address.port;
      }),
    );
  } finally {
    for (const server of servers) server.close();
  }
}
