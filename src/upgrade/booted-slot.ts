import type { Slot } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { type Problem, ProblemError } from "../base/problem.ts";

/**
 * The slot whose system is running, from the kernel argument `dfinity.system`, which GRUB sets. The command line says which slot was
 * booted; grubenv only says which is to be booted.
 *
 * @returns `undefined` when the argument is absent, as on a machine that is no GuestOS
 * @throws ProblemError when it is neither A nor B
 */
export async function bootedSlot(host: Host): Promise<Slot | undefined> {
  // Like the kernel, take the last occurrence.
  const value = (await kernelArguments(host)).findLast((word) => word.startsWith("dfinity.system="))?.slice("dfinity.system=".length);
  if (value === undefined || value === "A" || value === "B") return value;
  throw unknownSystem({
    found: `dfinity.system=${value}`,
    expected: "A or B",
    todo: "repair the boot loader's configuration on the grub partition",
  });
}

function unknownSystem(rest: Omit<Problem, "code" | "what">): ProblemError {
  const where = { file: "/proc/cmdline" };
  return new ProblemError({ code: "booted-system-unknown", what: "cannot tell which system was booted", where, ...rest });
}

/** The same for callers that cannot go on without the slot. @throws ProblemError when the argument is absent, or neither A nor B */
export async function requireBootedSlot(host: Host): Promise<Slot> {
  const slot = await bootedSlot(host);
  if (slot !== undefined) return slot;
  throw unknownSystem({
    found: "no argument dfinity.system",
    expected: "dfinity.system=A or dfinity.system=B",
    todo: "is this a GuestOS? the boot loader's configuration sets the argument",
  });
}

/** The words of the kernel's command line. */
export async function kernelArguments(host: Host): Promise<readonly string[]> {
  return ((await host.readText("/proc/cmdline")) ?? "").trim().split(/\s+/);
}
