import { expect, test } from "vitest";
import { GuestPanicError, guestPanic, KernelPanicError } from "../../../lab/problems.ts";

test("a breakpoint in the kernel's own text patching is the emulator's defect, and names its line", () => {
  const log =
    "[    1.0] booting\r\n[   12.512999] Oops: int3: 0000 [#1] PREEMPT SMP NOPTI\r\n[   12.6] Kernel panic - not syncing: Fatal exception\r\n";
  const error = guestPanic(log, "serial.log");
  expect(error).toBeInstanceOf(GuestPanicError);
  expect(error?.problem.where).toEqual({ file: "serial.log", line: 2 });
});

test("so are timer interrupts that stay away while the host is busy", () => {
  const log = "[ 0.5] Kernel panic - not syncing: IO-APIC + timer doesn't work!  Boot with apic=debug and send a report.\r\n";
  expect(guestPanic(log, "serial.log")).toBeInstanceOf(GuestPanicError);
});

test("any other panic is not, and is never retried", () => {
  const error = guestPanic("[ 2.0] Kernel panic - not syncing: VFS: Unable to mount root fs\r\n", "serial.log");
  expect(error).toBeInstanceOf(KernelPanicError);
  expect(error).not.toBeInstanceOf(GuestPanicError);
  expect(error?.problem.found).toBe("Kernel panic - not syncing: VFS: Unable to mount root fs");
});

test("a log without a panic shows none", () => {
  expect(guestPanic("[ 2.0] all is well\r\nroot@node:~# grep -c int3 file\r\n", "serial.log")).toBeUndefined();
});
