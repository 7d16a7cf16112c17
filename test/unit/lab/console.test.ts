import { expect, test } from "vitest";
import { bootReport, bootTable, consoleEvents, hasEnded, hasSucceeded } from "../../../lab/console.ts";

const END = "[   17.277052] guestos-boot[293]: boot: 3 units: 1 changed, 2 unchanged, 0 degraded, 0 failed, 0 skipped in 4.2 s\r\n";

function units(log: string) {
  return consoleEvents(log).filter((event) => event.kind === "unit");
}

test("a unit's line is read with and without the kernel's time in front", () => {
  const log =
    "[   12.512999] guestos-boot[231]: mount-boot           unchanged 8.94 s — 4 activated\r\n" +
    "guestos-boot[231]: hostname             changed   0.41 s\r\n";
  expect(units(log)).toEqual([
    { kind: "unit", name: "mount-boot", outcome: "unchanged", seconds: 8.94, detail: "4 activated" },
    { kind: "unit", name: "hostname", outcome: "changed", seconds: 0.41 },
  ]);
});

test("escape sequences and a prompt before the line do no harm", () => {
  const log = "\x1b[?7h\x1b[6n# [   12.51] guestos-boot[231]: var  \x1b[0;32mchanged\x1b[0m   2.00 s\r\n";
  expect(units(log)).toMatchObject([{ name: "var", outcome: "changed", seconds: 2 }]);
});

test("a line into which the kernel wrote is put together again", () => {
  const log =
    "[   37.9] guestos-boot[293]: machine-id           chan[   38.001122] usb 1-1: new high-speed USB device\r\n" +
    "ged   0.41 s — 1 provisioned\r\n[   39.000000] EXT4-fs (vda3): mounted\r\n";
  expect(units(log)).toEqual([{ kind: "unit", name: "machine-id", outcome: "changed", seconds: 0.41, detail: "1 provisioned" }]);
});

test("a whole line with the kernel's behind it swallows nothing of the next one", () => {
  const log =
    "guestos-boot[293]: machine-id           changed   0.41 s[   38.001122] usb 1-1: new device\r\n" +
    "guestos-boot[293]: var                  failed    1.00 s — requires store-key\r\n";
  expect(units(log)).toMatchObject([
    { name: "machine-id", outcome: "changed" },
    { name: "var", outcome: "failed", detail: "requires store-key" },
  ]);
});

test("a broken line that cannot be repaired is text, and no unit", () => {
  const log = "guestos-boot[293]: machine-id    chan\r\n[   38.001122] guestos-boot[293]: nonsense changed often\r\n";
  expect(consoleEvents(log).map(({ kind }) => kind)).toEqual(["text", "text"]);
});

test("half a line at the end counts only once it is whole", () => {
  const line = "guestos-boot[293]: var                  changed   1.00 s — 12 activated\r\n";
  for (let length = 0; length < line.length; length += 1)
    expect(consoleEvents(line.slice(0, length))).toEqual(length === line.length - 1 ? units(line) : []);
  expect(units(line)).toHaveLength(1);
});

test("other programs' lines and the kernel's are no events", () => {
  const log = "[    1.000000] Linux version 6.12\r\n[  OK  ] Reached target sysinit.target.\r\nsystemd[1]: changed 1 s\r\n";
  expect(consoleEvents(log)).toEqual([]);
});

test("what a unit waits for is read", () => {
  expect(consoleEvents("guestos-boot[1]: waiting for var: format /dev/vda6: mkfs.ext4 (12 s)\n")).toEqual([
    { kind: "waiting", unit: "var", text: "format /dev/vda6: mkfs.ext4 (12 s)" },
  ]);
});

test("a boot has ended with its last line, and a unit that ran twice counts as it ended last", () => {
  const begun = "guestos-boot[293]: var failed 1.00 s — no\r\nguestos-boot[293]: volumes unchanged 0.10 s\r\n";
  expect(hasEnded(bootReport(consoleEvents(begun)))).toBe(false);
  const report = bootReport(consoleEvents(`${begun}guestos-boot[469]: var changed 0.10 s\r\n${END}`));
  expect(report.units.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual(["var changed", "volumes unchanged"]);
  expect(hasEnded(report)).toBe(true);
  expect(hasSucceeded(report)).toBe(true);
});

test("one failed unit is no success, also where a run before went well", () => {
  const report = bootReport(consoleEvents(END + END.replace("0 failed", "1 failed")));
  expect(hasEnded(report)).toBe(true);
  expect(hasSucceeded(report)).toBe(false);
});

test("the table names each unit with outcome and time, and says what the console lost", () => {
  const log = "guestos-boot[293]: volumes unchanged 0.10 s\r\nguestos-boot[293]: node-exporter unchanged 0.1 s\r\n" + END;
  expect(bootTable(bootReport(consoleEvents(log)))).toEqual([
    "unit           outcome        time",
    "volumes        unchanged    0.10 s",
    "node-exporter  unchanged    0.10 s",
    "",
    "boot: 3 units: 1 changed, 2 unchanged, 0 degraded, 0 failed, 0 skipped in 4.2 s",
    "boot: the console shows 2 of them; guestos-boot status on the node knows all",
  ]);
});
