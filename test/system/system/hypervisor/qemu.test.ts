import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { deadlineIn, pause, systemClock } from "../../../../src/base/clock.ts";
import { qemu } from "../../../../src/system/hypervisor/qemu.ts";
import type { MachineState } from "../../../../src/system/hypervisor/hypervisor.ts";
import { systemHost } from "../../../../src/system/host.ts";
import { namespaceRoot } from "../../../support/namespace.ts";
import { problemOf } from "../../../support/problem-of.ts";
import { type LastAct, tinyKernel, tinyMachine } from "../../../support/tiny-guest.ts";

const NAME = "tiny";
let root: string;
let stop: AbortController;

beforeEach(() => {
  root = namespaceRoot();
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await qemu(systemHost(), join(root, "run")).destroy(NAME);
});

const hypervisor = () => qemu(systemHost(), join(root, "run"));
const pidOf = (): number => Number(readFileSync(join(root, "run", `${NAME}.pid`), "utf8"));
const serial = (): string => readFileSync(join(root, "serial.log"), "latin1");

async function started(last: LastAct): Promise<void> {
  writeFileSync(join(root, "kernel"), tinyKernel("GUESTOS BOOT SUCCESS\n", last));
  await hypervisor().start(tinyMachine(root, NAME));
}

async function until(is: () => Promise<boolean> | boolean, within = 20_000): Promise<void> {
  const left = deadlineIn(within);
  while (!(await is())) {
    if (left() === 0) throw new Error(`not within ${within} ms`);
    await pause(systemClock, 20);
  }
}

const is = (state: MachineState) => async () => (await hypervisor().state(NAME)) === state;

test.each(["power off", "reset", "panic"] as const)("a machine is absent after its guest's %s", async (last) => {
  await started(last);
  await until(is("absent"));
  expect(serial()).toContain("GUESTOS BOOT SUCCESS\n");
});

test("a guest that heeds the power button ends by it; the events say so", async () => {
  let changes = 0;
  await started("obey");
  const followed = hypervisor().follow(NAME, stop.signal, () => (changes += 1));
  await until(() => serial().includes("SUCCESS") && changes > 0);
  expect(await hypervisor().state(NAME)).toBe("running");
  const before = changes;
  await hypervisor().shutdown(NAME);
  await until(is("absent"));
  await until(() => changes > before);
  stop.abort();
  await followed;
});

test("a guest that hangs is destroyed; a second time nothing happens", async () => {
  await started("hang");
  await until(() => serial().includes("SUCCESS"));
  await hypervisor().shutdown(NAME);
  expect(await hypervisor().state(NAME)).toBe("running");
  await hypervisor().destroy(NAME);
  expect(await hypervisor().state(NAME)).toBe("absent");
  await hypervisor().destroy(NAME);
});

test("a machine whose process is killed is absent", async () => {
  await started("hang");
  process.kill(pidOf(), "SIGKILL");
  await until(is("absent"));
  expect(await hypervisor().state(NAME)).toBe("absent");
});

test("a process that does not answer is no state; destroy ends it all the same", async () => {
  await started("hang");
  process.kill(pidOf(), "SIGSTOP");
  const problem = await problemOf(async () => hypervisor().state(NAME));
  expect(problem).toMatchObject({ code: "qemu-not-answering" });
  await hypervisor().destroy(NAME);
  expect(await hypervisor().state(NAME)).toBe("absent");
});

test.each([
  ["is not QEMU's", "220 smtp.example.org ESMTP\r\n"],
  ["greets with an answer", '{"return": {}}\n'],
  ["never ends its line", "x".repeat(70_000)],
  ["greets and refuses", '{"QMP": {}}\n{"error": {"class": "CommandNotFound", "desc": "no \u001b[2J such"}}\n'],
  ["has a status that is none", '{"QMP": {}}\n{"return": {}}\n{"return": {"status": 7}}\n'],
])("a monitor that %s is no state", async (_, words) => {
  const folder = join(root, "run");
  mkdirSync(folder);
  // A process that lives, with the machine's file among its words.
  const pid = join(folder, `${NAME}.pid`);
  const living = spawn(process.execPath, ["-e", "setTimeout(() => undefined, 60_000)", pid], { stdio: "ignore" });
  writeFileSync(pid, `${living.pid}\n`);
  const server: Server = createServer((socket) => void socket.on("error", () => undefined).write(words));
  await new Promise<void>((resolve) => void server.listen(join(folder, `${NAME}.qmp`), resolve));
  try {
    const problem = await problemOf(async () => hypervisor().state(NAME));
    expect(["qemu-not-answering", "qemu-status-unclear"]).toContain(problem.code);
    expect(problem.found ?? "").not.toContain("\u001b");
  } finally {
    server.close();
    living.kill("SIGKILL");
    rmSync(pid);
  }
});

test("a machine that cannot start says why", async () => {
  writeFileSync(join(root, "kernel"), "no kernel");
  const problem = await problemOf(async () => hypervisor().start(tinyMachine(root, NAME)));
  expect(problem).toMatchObject({ code: "tool-failed" });
  expect(problem.found).toContain("kernel too old");
  expect(await hypervisor().state(NAME)).toBe("absent");
});
