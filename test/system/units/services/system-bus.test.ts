import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemHost } from "../../../../src/system/host.ts";
import { systemBus } from "../../../../src/units/services/system-bus.ts";
import { namespaceRoot } from "../../../support/namespace.ts";
import { privateBus, type PrivateBus } from "../../../support/private-bus.ts";
import { testMachine } from "../../../support/test-machine.ts";

let bus: PrivateBus;

beforeEach(async () => {
  bus = await privateBus();
});
afterEach(async () => bus.stop());

const SYSTEMD = "org.freedesktop.systemd1";

test("a bus that answers is not enough: the unit ends when systemd is on it, and not before", async () => {
  let ended = false;
  const plan = systemBus.plan(testMachine(systemHost())).finally(() => (ended = true));
  await pause(1_000);
  expect(ended).toBe(false);
  await bus.serve(SYSTEMD, () => "empty");
  expect(await plan).toEqual([]);
});

test("where systemd is on the bus already, nothing is waited for", async () => {
  await bus.serve(SYSTEMD, () => "empty");
  expect(await systemBus.plan(testMachine(systemHost()))).toEqual([]);
});

test("without a bus it is an error that is tried again", async () => {
  // Set back by the bus's own stop.
  process.env["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=/run/no-bus-is-here";
  await expect(systemBus.plan(testMachine(systemHost()))).rejects.toMatchObject({
    retryable: true,
    problem: { code: "bus-not-answering" },
  });
});

test("a bus that is lost while it is asked is an error that is tried again", async () => {
  const folder = namespaceRoot();
  const path = join(folder, "bus");
  const server = createServer((connection) => connection.destroy());
  server.listen(path);
  await once(server, "listening");
  process.env["DBUS_SYSTEM_BUS_ADDRESS"] = `unix:path=${path}`;
  try {
    await expect(systemBus.plan(testMachine(systemHost()))).rejects.toMatchObject({
      retryable: true,
      problem: { code: expect.stringMatching(/^bus-/) },
    });
  } finally {
    server.close();
  }
});
