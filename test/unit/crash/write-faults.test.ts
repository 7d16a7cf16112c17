import { expect, test } from "vitest";
import { consoleEvents } from "../../../lab/console.ts";
import { blkdebugRules, failureFaults, faultName, faultNamed, spreadFaults } from "../../crash/write-faults.ts";

test("faults of both kinds are spread over all writes", () => {
  const faults = [...spreadFaults(1000).take(16)];
  for (const which of ["one", "all"]) {
    const places = faults.filter((fault) => fault.which === which).map(({ write }) => write);
    expect(places.filter((write) => write <= 500).length, which).toBe(4);
    expect(places.length, which).toBe(8);
  }
  expect([...spreadFaults(50)].map(({ write }) => write).toSorted((one, two) => one - two)).toEqual(
    Array.from({ length: 50 }, (_, n) => n + 1),
  );
});

test("a fault is found again by its name", () => {
  for (const fault of spreadFaults(20)) expect(faultNamed(faultName(fault))).toEqual(fault);
  expect(() => faultNamed("0 all")).toThrow(/no fault/);
});

test("each write leads to the next state, and only the last one fails", () => {
  const rules = blkdebugRules({ write: 3, which: "all" });
  expect(rules.match(/\[set-state\]/g)?.length).toBe(2);
  expect(rules).toMatch(/\[inject-error\]\nevent = "pwritev"\nstate = "3"\niotype = "write"\nerrno = "5"\nonce = "off"\n$/);
  expect(blkdebugRules({ write: 1, which: "one" })).toMatch(/^\[inject-error\][^[]*state = "1"[^[]*once = "on"\n$/);
});

const end = "boot: 3 units: 1 changed, 1 unchanged, 0 degraded, 1 failed, 0 skipped in 2.0 s";
const said = (...lines: readonly string[]) => consoleEvents([...lines.map((line) => `guestos-boot[1]: ${line}`), ""].join("\n"));
const box = "store-key: cryptsetup ended with status 1: IO error: Input/output error";

test("a boot that ends with words about the disk has no fault", () => {
  expect(failureFaults(said("store-key failed 1.0 s — cryptsetup ended with status 1", box, end))).toEqual([]);
});

test.each([
  ["a boot that never ends", ["store-key failed 1.0 s — broken", box], "the boot did not end"],
  ["no words", ["store-key failed 1.0 s", box, end], "store-key does not say why it failed"],
  ["no cause", ["store-key failed 1.0 s — broken", end], "nothing says that the disk failed"],
  ["a defect", [box, "var: a defect in guestos-boot", end], "it is called a defect in guestos-boot"],
])("found: %s", (_, lines, fault) => {
  expect(failureFaults(said(...lines))).toEqual([fault]);
});
