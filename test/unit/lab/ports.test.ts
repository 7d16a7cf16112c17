import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { freePorts } from "../../../lab/ports.ts";

test("a machine's ports are never one port twice", async () => {
  // So many that, each taken and let go before the next, some would be the same.
  const names = Array.from({ length: 500 }, (_, index) => `port ${index}`);
  const ports = await freePorts(names);
  expect(Object.keys(ports)).toEqual(names);
  expect(new Set(Object.values(ports)).size).toBe(names.length);
});

test("what is found can be listened on afterwards", async () => {
  const { ssh } = await freePorts(["ssh"]);
  const server = createServer().listen(ssh, "127.0.0.1");
  await once(server, "listening");
  expect(server.listening).toBe(true);
  server.close();
});
