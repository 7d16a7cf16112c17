import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, mkdirSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Fixture } from "../../support/fixture-process.ts";

const CLI = join(import.meta.dirname, "../../support/fixture-cli.ts");

/** A boot as guestos-boot.service starts it: systemd's socket as an open descriptor, and the FIFO open at both ends. */
function bootOf(fixture: Fixture, { descriptor = true, awaited = true } = {}) {
  mkdirSync(fixture.path("run"), { recursive: true });
  execFileSync("mkfifo", ["--mode=600", fixture.path("run/ended")]);
  const fifo = openSync(fixture.path("run/ended"), constants.O_RDWR | constants.O_NONBLOCK);
  writeFileSync(fixture.path("notify"), "");
  const notify = openSync(fixture.path("notify"), "a");
  onTestFinished(() => {
    closeSync(fifo);
    closeSync(notify);
  });
  const script = descriptor ? 'LISTEN_PID=$$ exec "$@"' : 'exec "$@"';
  const child = spawn("sh", ["-c", script, "sh", process.execPath, CLI, "run", "--stage", "boot"], {
    stdio: ["ignore", "ignore", "pipe", notify],
    env: {
      ...process.env,
      FIXTURE_ROOT: fixture.root,
      LISTEN_FDS: "1",
      LISTEN_FDNAMES: "notify",
      ...(awaited ? { NOTIFY_SOCKET: fixture.path("no-socket") } : {}),
    },
  });
  let complaints = "";
  child.stderr?.on("data", (data: Buffer) => (complaints += data.toString()));
  const ended = once(child, "close").then(([status]) => ({ status: Number(status), complaints }));
  return { ended, said: () => readFileSync(fixture.path("notify"), "utf8"), hasEndedWell: () => bytesIn(fifo) };
}

function bytesIn(fifo: number): number {
  try {
    return readSync(fifo, Buffer.alloc(8));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return 0;
    throw error;
  }
}

// sd_notify(3): READY=1 is what a service of Type=notify is waited for with.
test("a boot is ready when all has ended that does not wait for the bus, and not before; and says so once, and its end at its end", async () => {
  const fixture = new Fixture();
  fixture.touch("hold");
  fixture.touch("no-bus");
  const boot = bootOf(fixture);
  await fixture.appears("holding");
  expect(boot.said()).toBe("");
  rmSync(fixture.path("hold"));
  await fixture.appears("waits-for-the-bus");
  expect(boot.said()).toBe("READY=1");
  expect(boot.hasEndedWell()).toBe(0);
  rmSync(fixture.path("no-bus"));
  expect(await boot.ended).toEqual({ status: 0, complaints: "" });
  expect(boot.said()).toBe("READY=1");
  expect(boot.hasEndedWell()).toBe(1);
});

test("a boot that failed lets the rest of the system start all the same, and never says that it has ended well", async () => {
  const fixture = new Fixture();
  fixture.touch("in-the-way");
  const boot = bootOf(fixture);
  expect(await boot.ended).toMatchObject({ status: 3 });
  expect(boot.said()).toBe("READY=1");
  expect(boot.hasEndedWell()).toBe(0);
});

test("a degraded boot has ended well enough", async () => {
  const fixture = new Fixture();
  fixture.touch("bad");
  const boot = bootOf(fixture);
  expect(await boot.ended).toMatchObject({ status: 10 });
  expect(boot.hasEndedWell()).toBe(1);
});

test("who runs a boot by hand tells systemd nothing", async () => {
  const boot = bootOf(new Fixture(), { awaited: false });
  expect(await boot.ended).toEqual({ status: 0, complaints: "" });
  expect(boot.said()).toBe("");
  expect(boot.hasEndedWell()).toBe(0);
});

test("a systemd that cannot be told is said, and stops nothing", async () => {
  const boot = bootOf(new Fixture(), { descriptor: false });
  const { status, complaints } = await boot.ended;
  expect(status).toBe(0);
  expect(complaints).toContain("systemd was not notified of the boot's state: ");
});
