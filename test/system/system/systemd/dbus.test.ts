import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BusError, call, type MethodCall, withSystemBus, withSystemBusIfThere } from "../../../../src/system/systemd/dbus.ts";
import { subscribe } from "../../../../src/system/systemd/dbus-signals.ts";
import { systemHost } from "../../../../src/system/host.ts";
import { ProblemError } from "../../../../src/base/problem.ts";
import { type PrivateBus, privateBus } from "../../../support/private-bus.ts";

const folder = mkdtempSync(join(tmpdir(), "guestos-boot-dbus-"));
const started = join(folder, "started");
const host = systemHost({ signal: new AbortController().signal });
const ECHO = { destination: "org.example.Echo", path: "/org/example", interface: "org.example.Echo" };
let bus: PrivateBus;

beforeAll(async () => {
  bus = await privateBus({ "org.example.Sleeping": `/usr/bin/touch ${started}` });
  await bus.serve("org.example.Echo", (member, body) => {
    if (member === "Echo") return { signature: "s", body };
    if (member === "Refuse") return { error: "org.example.Error.No", text: "not today" };
    return "silent";
  });
});

afterAll(async () => {
  await bus.stop();
  rmSync(folder, { recursive: true });
});

async function ask(method: Partial<MethodCall> & { member: string }, timeout?: number): Promise<readonly unknown[]> {
  return withSystemBus(host, async (open) => call(open, { ...ECHO, ...method }, timeout));
}

test("a call returns the body of the reply", async () => {
  expect(await ask({ member: "Echo", signature: "s", body: ["hello"] })).toEqual(["hello"]);
});

test("a service that refuses is an error with its name and its words", async () => {
  const error: unknown = await ask({ member: "Refuse" }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(BusError);
  expect(error).toMatchObject({
    errorName: "org.example.Error.No",
    problem: { what: "org.example.Echo refused Refuse", found: "org.example.Error.No: not today" },
  });
});

test("a service that is not there is an error, and one that could be started is not started by asking", async () => {
  for (const destination of ["org.example.Absent", "org.example.Sleeping"]) {
    await expect(ask({ destination, member: "Echo" })).rejects.toThrow(`${destination} is not running`);
  }
  expect(existsSync(started)).toBe(false);
});

test("a service that does not answer is given up", async () => {
  await expect(ask({ member: "Silence" }, 50)).rejects.toThrow("org.example.Echo did not answer Silence within 0.05 s");
});

test("the work on the bus ends at its deadline", async () => {
  const work = withSystemBus(host, async (open) => call(open, { ...ECHO, member: "Silence" }), { deadline: 100 });
  await expect(work).rejects.toThrow("did not end within 0.1 s");
});

test("the work on the bus ends when the unit must", async () => {
  const controller = new AbortController();
  const work = withSystemBus(systemHost({ signal: controller.signal }), async (open) => call(open, { ...ECHO, member: "Silence" }));
  setTimeout(() => controller.abort(), 50);
  await expect(work).rejects.toThrow("stopped because the unit was");
  await expect(withSystemBus(systemHost({ signal: controller.signal }), async () => 1)).rejects.toThrow("stopped because the unit was");
});

test("signals are those of the sender alone, also when they come before anyone waits for them", async () => {
  const real = await bus.serve("org.example.Notifier", () => "empty");
  const impostor = await bus.serve("org.example.Impostor", () => "empty");
  const rule = { destination: "org.example.Notifier", path: "/notifier", interface: "org.example.Notifier", member: "Rang" };
  const rung = await withSystemBus(host, async (open) => {
    const signals = await subscribe(open, rule);
    expect(await signals.next(20)).toBe(false);
    impostor.signal("/notifier", "org.example.Notifier", "Rang", "s", ["forged"]);
    real.signal("/notifier", "org.example.Notifier", "Rang", "s", ["one"]);
    real.signal("/notifier", "org.example.Notifier", "Other", "s", ["other"]);
    real.signal("/notifier", "org.example.Notifier", "Rang", "s", ["two"]);
    while (signals.received.length < 2 && (await signals.next(5_000)));
    return signals.received.map(({ body }) => body[0]);
  });
  expect(rung).toEqual(["one", "two"]);
});

/** Runs with another bus address in force. */
async function at<T>(address: string, work: () => Promise<T>): Promise<T> {
  process.env["DBUS_SYSTEM_BUS_ADDRESS"] = address;
  try {
    return await work();
  } finally {
    process.env["DBUS_SYSTEM_BUS_ADDRESS"] = bus.address;
  }
}

test("a machine without a bus is an answer to those who ask, and an error to the others", async () => {
  await at(`unix:path=${join(folder, "none")}`, async () => {
    expect(await withSystemBusIfThere(host, async () => "there")).toBeUndefined();
    await expect(withSystemBus(host, async () => "there")).rejects.toThrow("cannot reach the system bus");
  });
});

test("a socket behind which no one answers does not hold us up for longer than the deadline, and leaves nothing open", async () => {
  const server = createServer();
  server.listen(join(folder, "mute"));
  await once(server, "listening");
  const connected = once(server, "connection");
  await at(`unix:path=${join(folder, "mute")}`, async () => {
    await expect(withSystemBus(host, async () => "there", { deadline: 200 })).rejects.toThrow("did not end within 0.2 s");
  });
  const [socket] = (await connected) as [NodeJS.EventEmitter & { destroyed: boolean; resume: () => void }];
  socket.resume();
  if (!socket.destroyed) await once(socket, "close");
  server.close();
});

test("a bus that goes away in the middle ends the call at once", async () => {
  const mortal = await privateBus();
  try {
    await mortal.serve("org.example.Echo", () => "silent");
    const work = withSystemBus(host, async (open) => {
      const reply = call(open, { ...ECHO, member: "Silence" });
      mortal.daemon.kill("SIGKILL");
      return reply;
    });
    const error: unknown = await work.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ProblemError);
    expect(String(error)).toMatch(/closed the connection|connection to the system bus failed/);
  } finally {
    await mortal.stop();
  }
});
