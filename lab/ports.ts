import { once } from "node:events";
import { createServer } from "node:net";

/**
 * A TCP port of 127.0.0.1 for each name that no one listens on, no two of them the same: each is held until all are found.
 *
 * Someone else may take one before QEMU does; QEMU then refuses to start and says so.
 *
 * @throws the system's error when there is no port, or no file descriptor, for one of them
 */
export async function freePorts<Name extends string>(names: readonly Name[]): Promise<Readonly<Record<Name, number>>> {
  const servers = names.map(() => createServer().listen(0, "127.0.0.1"));
  try {
    await Promise.all(servers.map(async (server) => once(server, "listening")));
    const ports = servers.map((server) => {
      const address = server.address();
      if (address === null || typeof address === "string") throw new Error("a TCP server has no port");
      return address.port;
    });
    return Object.fromEntries(names.map((name, index) => [name, ports[index]])) as Record<Name, number>;
  } finally {
    for (const server of servers) server.close();
  }
}
