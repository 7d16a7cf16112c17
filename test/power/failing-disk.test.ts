import { expect, test, vi } from "vitest";
import { failingDisk } from "../crash/failing-disk.ts";
import { subjects } from "../crash/subjects.ts";
import { faultName, spreadFaults } from "../crash/write-faults.ts";
import { BOOT_TIMEOUT } from "../vm/support/node.ts";

/** A sample of the failing disks of `make test-crash`. */

const FAULTS = 3;
vi.setConfig({ testTimeout: (2 * FAULTS + 2) * BOOT_TIMEOUT });

test("a first boot on a disk that fails ends with clear words, and the next one on a good disk in the state of an undisturbed node", async ({
  annotate,
}) => {
  using subject = await subjects["first-boot"](console.log);
  const writes = subject.log.entries.filter(({ length, discard }) => length > 0 && !discard).length;
  const judge = await subject.judge();
  // The first one is the first write of all. Then: the one in the middle; the one at a quarter; from three quarters on all.
  for (const fault of spreadFaults(writes).drop(1).take(FAULTS)) {
    const { failed, redone, seconds, faults } = await failingDisk("crash-failing-sample", subject.recording, judge, fault);
    await annotate(`${faultName(fault)}: ${failed.length} units failed; ${redone.length} actions redone, ${seconds.boot} s`);
    expect(faults, `again: make test-crash FAULT="${faultName(fault)}"`).toEqual([]);
  }
});
