import { afterEach, expect, test, vi } from "vitest";
import { consoleSink } from "../../../../src/boot/show/console.ts";
import { EventScript } from "../../../support/record-events.ts";

afterEach(() => {
  vi.useRealTimers();
});

function shown(script: EventScript): string {
  const lines: string[] = [];
  const sink = consoleSink({ print: (line) => lines.push(line), now: () => 0, ascii: false });
  for (const event of script.events) sink(event);
  return lines.join("\n");
}

test("a boot in which nothing failed is a line a unit, and a last line that counts", () => {
  const script = new EventScript([{ name: "mount-boot" }, { name: "store-key" }, { name: "network" }], { stage: "boot" });
  script.unit(0.1, "mount-boot");
  script.ended(0.52, "mount-boot", { kind: "unchanged", activated: ["mount a", "mount b"] });
  script.unit(0.52, "store-key");
  script.unit(0.53, "network");
  script.ended(0.55, "network", { kind: "unchanged", activated: [] });
  script.ended(12.906, "store-key", { kind: "changed", provisioned: ["make the key"], activated: ["open it"] });
  expect(shown(script.finish(12.91, "done"))).toBe(
    `mount-boot           unchanged 0.42 s — 2 activated
network              unchanged 0.02 s
store-key            changed   12.39 s — 1 provisioned, 1 activated
boot: 3 units: 1 changed, 2 unchanged, 0 degraded, 0 failed, 0 skipped in 12.9 s`,
  );
});

test("a failure ends in a block that says what was found, what to do and what was skipped for it", () => {
  const script = new EventScript(
    [
      { name: "store-key" },
      { name: "var", requires: ["store-key"] },
      { name: "volumes", requires: ["store-key"] },
      { name: "volume-filesystems", requires: ["volumes"] },
      { name: "journalbeat", onFailure: "degrade" },
    ],
    { stage: "boot" },
  );
  script.unit(1, "store-key");
  script.ended(3.5, "store-key", {
    kind: "failed",
    problem: {
      code: "test-problem",
      what: "cryptsetup luksFormat --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/vda10: failed with exit status 1",
      found: "Device /dev/vda10 is in use. Cannot proceed with format operation.\nCommand failed with code -1",
      todo: "find out who uses it: lsblk /dev/vda10",
    },
  });
  script.ended(3.5, "var", { kind: "skipped", because: ["store-key"] });
  script.ended(3.5, "volumes", { kind: "skipped", because: ["store-key"] });
  script.ended(3.5, "volume-filesystems", { kind: "skipped", because: ["volumes"] });
  script.unit(3.5, "journalbeat");
  script.ended(3.6, "journalbeat", {
    kind: "degraded",
    problem: { code: "test-problem", what: "bad value", where: { file: "/boot/config/journalbeat.conf", line: 2, column: 9 } },
  });
  const text = shown(script.finish(3.61, "failed"));
  expect(text).toBe(
    `store-key            failed    2.50 s — cryptsetup luksFormat --type luks2 --pb…
var                  skipped   0.00 s — requires store-key
volumes              skipped   0.00 s — requires store-key
volume-filesystems   skipped   0.00 s — requires volumes
journalbeat          degraded  0.10 s — bad value
+-----------------------------------------------------------------------------+
| BOOT FAILED: store-key                                                      |
|                                                                             |
| store-key failed                                                            |
|   cryptsetup luksFormat --type luks2 --pbkdf pbkdf2                         |
|   --pbkdf-force-iterations 1000 /dev/vda10: failed with exit status 1       |
|   found    Device /dev/vda10 is in use. Cannot proceed with format          |
|            operation.                                                       |
|            Command failed with code -1                                      |
|   to do    find out who uses it: lsblk /dev/vda10                           |
|   code     test-problem                                                     |
|   skipped  var, volumes, volume-filesystems                                 |
|                                                                             |
| journalbeat degraded                                                        |
|   bad value                                                                 |
|   at       /boot/config/journalbeat.conf:2:9                                |
|   code     test-problem                                                     |
|                                                                             |
| what happens next                                                           |
|   - The boot continues without it. Nothing is retried automatically.        |
|   - If this system is on trial after an upgrade, the machine restarts in    |
|     about a minute, and the boot loader starts the other system. Otherwise  |
|     this system stays up.                                                   |
|   - Log in, do what "to do" says, then run: guestos-boot                    |
|   - To show this again: guestos-boot status. For the details of a unit:     |
|     guestos-boot why UNIT                                                   |
+-----------------------------------------------------------------------------+
boot: 5 units: 0 changed, 0 unchanged, 1 degraded, 1 failed, 3 skipped in 3.6 s`,
  );
  expect(text.split("\n").filter((line) => [...line].length > 80)).toEqual([]);
});

test("a run by hand that failed ends in the same words without a box: someone is watching", () => {
  const script = new EventScript([{ name: "strict" }]);
  script.ended(1, "strict", { kind: "failed", problem: { code: "test-problem", what: "something is in the way", todo: "remove it" } });
  expect(shown(script.finish(1, "failed"))).toBe(
    `strict               failed    0.00 s — something is in the way

strict failed
  something is in the way
  to do    remove it
  code     test-problem

run: 1 unit: 0 changed, 0 unchanged, 0 degraded, 1 failed, 0 skipped in 1.0 s`,
  );
});

test("what no one asked for is shown and counted only when something had to be done for it", () => {
  const script = new EventScript([{ name: "quiet", prerequisite: true }, { name: "mounted", prerequisite: true }, { name: "asked" }]);
  script.ended(1, "quiet", { kind: "unchanged", activated: [] });
  script.ended(1, "mounted", { kind: "unchanged", activated: ["mount it"] });
  script.ended(1, "asked", { kind: "unchanged", activated: [] });
  expect(shown(script.finish(1, "done"))).toBe(
    `mounted              unchanged 0.00 s — 1 activated
  activate mount it
asked                unchanged 0.00 s
run: 2 units: 0 changed, 2 unchanged, 0 degraded, 0 failed, 0 skipped in 1.0 s`,
  );
});

test("a unit that a stopped run did not reach says so", () => {
  const script = new EventScript([{ name: "late-comer" }]);
  script.ended(1, "late-comer", { kind: "skipped", because: [] });
  expect(shown(script.finish(1, "stopped"))).toContain("late-comer           skipped   0.00 s — the run was stopped");
});

test("a note is shown when it is made, on lines of its own", () => {
  const script = new EventScript([{ name: "config-injection" }]);
  const unit = script.unit(0, "config-injection");
  const action = script.start(0, { kind: "action", description: "store it", effect: "provision" }, unit);
  script.note(0.2, action, "ignored 2 entries of ic-bootstrap.tar that are not on the list: etc/shadow,\netc/passwd");
  expect(shown(script)).toBe(
    `note from config-injection: ignored 2 entries of ic-bootstrap.tar that are not
  on the list: etc/shadow, etc/passwd`,
  );
});

test("every ten seconds the console says what the slowest unit is doing, until the run ends", () => {
  vi.useFakeTimers();
  const lines: string[] = [];
  let now = 0;
  const sink = consoleSink({ print: (line) => lines.push(line), now: () => now });
  const script = new EventScript([{ name: "var" }, { name: "network" }]);
  const unit = script.unit(0, "var");
  script.unit(1, "network");
  script.start(1, { kind: "action", description: "format /dev/vda6", effect: "provision" }, unit);
  for (const event of script.events) sink(event);
  now = 10.2;
  vi.advanceTimersByTime(10_000);
  const mkfs = script.start(12, { kind: "tool", argv: ["mkfs.ext4", "/dev/vda6"] }, 4);
  sink(script.events.at(-1) ?? script.events[0] ?? expect.unreachable());
  now = 20.9;
  vi.advanceTimersByTime(10_000);
  sink({ event: "ended", span: mkfs, at: 21, outcome: { kind: "tool", ending: { kind: "exited", status: 0 }, stderr: "" } });
  now = 30;
  vi.advanceTimersByTime(10_000);
  sink({ event: "ended", span: unit, at: 31, outcome: { kind: "unit", result: { kind: "unchanged", activated: [] } } });
  now = 40;
  vi.advanceTimersByTime(10_000);
  script.finish(41, "stopped");
  sink(script.events.at(-1) ?? expect.unreachable());
  vi.advanceTimersByTime(60_000);
  expect(lines).toEqual([
    "waiting for var: format /dev/vda6 (10 s)",
    "waiting for var: format /dev/vda6: mkfs.ext4 (20 s)",
    "waiting for var: format /dev/vda6 (30 s)",
    "var                  unchanged 31.00 s",
    "waiting for network: starting (39 s)",
    "run: 2 units: 0 changed, 1 unchanged, 0 degraded, 0 failed, 0 skipped in 41.0 s",
  ]);
});

test("a run by hand shows what was done, an action a line", () => {
  const script = new EventScript([{ name: "network" }]);
  script.ended(1, "network", {
    kind: "changed",
    provisioned: ["store network.conf"],
    activated: ["write /run/systemd/network/10-enp1s0.network: address 192.0.2.17/24, gateway 192.0.2.1", "have systemd-networkd apply it"],
  });
  expect(shown(script.finish(1, "done"))).toBe(
    `network              changed   0.00 s — 1 provisioned, 2 activated
  provision store network.conf
  activate write /run/systemd/network/10-enp1s0.network: address 192.0.2.17/24,
    gateway 192.0.2.1
  activate have systemd-networkd apply it
run: 1 unit: 1 changed, 0 unchanged, 0 degraded, 0 failed, 0 skipped in 1.0 s`,
  );
});
