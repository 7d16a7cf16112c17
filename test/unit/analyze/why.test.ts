import { expect, test } from "vitest";
import { whyDocument, whyLines } from "../../../src/analyze/why.ts";
import { EventScript } from "../../support/record-events.ts";
import { bootOfEvents } from "../../support/recorded-boots.ts";

function failedBoot(): EventScript {
  const script = new EventScript(
    [
      { name: "mount-boot" },
      { name: "store-key", requires: ["mount-boot"] },
      { name: "var", requires: ["store-key"] },
      { name: "volumes", requires: ["var"] },
      { name: "never" },
    ],
    { stage: "early", at: 10 },
  );
  script.unit(10, "mount-boot");
  script.ended(12, "mount-boot", { kind: "unchanged", activated: ["mount it"] });
  const unit = script.unit(12.01, "store-key");
  const plan = script.start(12.02, { kind: "plan" }, unit);
  script.end(12.1, plan, { kind: "planned", actions: ["open the store"] });
  const action = script.start(12.1, { kind: "action", description: "open the store", effect: "activate" }, unit);
  const tool = script.start(12.2, { kind: "tool", argv: ["/usr/sbin/cryptsetup", "open", "/dev/vda10"] }, action);
  script.end(14, tool, { kind: "tool", ending: { kind: "exited", status: 2 }, stderr: "No key available with this passphrase.\n" });
  const problem = { code: "test-problem", what: "the key does not open /dev/vda10", found: "No key available", todo: "restore the key" };
  script.end(14, action, { kind: "failed", problem });
  script.ended(14, "store-key", { kind: "failed", problem });
  script.ended(14, "var", { kind: "skipped", because: ["store-key"] });
  script.ended(14, "volumes", { kind: "skipped", because: ["var"] });
  return script.finish(14.1, "failed");
}

function told(name: string): string {
  const document = whyDocument(bootOfEvents(failedBoot().events), name) ?? expect.unreachable();
  return whyLines(document, "Open the store").join("\n");
}

test("of a unit that failed: what released it, why it failed, what it saw and ran, and what it cost", () => {
  expect(told("store-key")).toBe(`boot 6f3c1a5e of 2026-10-05 10:15:00 UTC, slot A, version 1.2.3
store-key: Open the store

early at 2026-10-05 10:15:00 UTC: failed in 1.99 s
  asked  part of the run
  start  at 12.01 s, released by mount-boot, which ended at 12.00 s
  why    the key does not open /dev/vda10
         found    No key available
         to do    restore the key
  did    12.02 s  inspect what is there (0.08 s)
                  missing: open the store
         12.10 s  open the store (1.90 s)
                  failed
                  the key does not open /dev/vda10
                  found No key available
                  to do restore the key
           12.20 s  cryptsetup open /dev/vda10 (1.80 s)
                    ended with 2
                    No key available with this passphrase.
  cost   skipped because of it: var, volumes
  next   once repaired: guestos-boot --unit store-key`);
});

test("of a unit that was skipped: for want of what", () => {
  expect(told("var")).toContain("early at 2026-10-05 10:15:00 UTC: skipped\n");
  expect(told("var")).toContain("  why    store-key: failed");
});

test("of a unit that the run did not come to: that", () => {
  expect(told("never")).toContain("not reached\n  the run ended, or was cut off, before the unit started");
});

test("of a unit that no run had: nothing", () => {
  expect(whyDocument(bootOfEvents(failedBoot().events), "unheard-of")).toBeUndefined();
});

test("a wait is evidence: for what, and that it checked again", () => {
  const script = new EventScript([{ name: "network", prerequisite: true }]);
  const unit = script.unit(1, "network");
  const wait = script.start(
    1,
    { kind: "retry", problem: { code: "test-problem", what: "there is no network interface to configure" } },
    unit,
  );
  script.end(3, wait, { kind: "done" });
  script.ended(3, "network", { kind: "unchanged", activated: [] });
  const document = whyDocument(bootOfEvents(script.finish(3, "done").events), "network") ?? expect.unreachable();
  const text = whyLines(document, undefined).join("\n");
  expect(text).toContain("wait for device: there is no network interface to configure");
  expect(text).toContain("then it checked again");
  expect(text).toContain("asked  not requested; another unit of the run requires it");
});
