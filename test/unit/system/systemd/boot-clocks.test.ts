import { expect, test } from "vitest";
import { journalClocks, parseStartupFinished, unitPath } from "../../../../src/system/systemd/boot-clocks.ts";
import { fakeHost } from "../../../support/fake-host.ts";

/** As systemd 257 wrote it, without what no one reads. */
const ENTRY = '{"_PID":"1","KERNEL_USEC":"21319101","USERSPACE_USEC":"194952367","MESSAGE":"Startup finished in 21.319s (kernel) + …"}';

test("the journal's entry of an earlier boot tells kernel and user space", () => {
  expect(parseStartupFinished(`${ENTRY}\n`)).toEqual({ userspace: 21.319101, finished: 216.271468, services: {} });
});

test("and the initrd, where systemd ran in it", () => {
  const entry = '{"KERNEL_USEC":"2000000","INITRD_USEC":"3000000","USERSPACE_USEC":"5000000"}';
  expect(parseStartupFinished(entry)).toEqual({ initrd: 2, userspace: 5, finished: 10, services: {} });
});

test("of several, the last one counts; an entry without the fields is none", () => {
  expect(parseStartupFinished(`{"KERNEL_USEC":"1"}\n${ENTRY}\n`)?.userspace).toBe(21.319101);
  expect(parseStartupFinished('{"MESSAGE":"Startup finished"}')).toBeUndefined();
  expect(parseStartupFinished("")).toBeUndefined();
});

test("object paths of units are encoded as sd-bus does", () => {
  expect(unitPath("guestos-boot-late.service")).toBe("/org/freedesktop/systemd1/unit/guestos_2dboot_2dlate_2eservice");
  expect(unitPath("9p.mount")).toBe("/org/freedesktop/systemd1/unit/_39p_2emount");
});

const COMMAND = `journalctl --output=json --no-pager --quiet _BOOT_ID=f2fba2d229ad4d44877aafce5d24d0b8 MESSAGE_ID=b07a249cd024414a82dd00cd181378ff _PID=1`;
const BOOT = "f2fba2d2-29ad-4d44-877a-afce5d24d0b8";

test("an earlier boot is asked for by its id without dashes", async () => {
  expect(await journalClocks(fakeHost({ commands: { [COMMAND]: ENTRY } }), BOOT)).toMatchObject({ finished: 216.271468 });
});

test("a boot that the journal does not have has no clocks; a journal that cannot be read is an error", async () => {
  expect(await journalClocks(fakeHost({ commands: { [COMMAND]: { status: 1 } } }), BOOT)).toBeUndefined();
  await expect(journalClocks(fakeHost({ commands: { [COMMAND]: { status: 2, stderr: "Failed to open" } } }), BOOT)).rejects.toThrow(
    "exit status 2",
  );
});
