import type { Host } from "../host.ts";

/** An entry of the firmware's boot menu. */
export interface BootEntry {
  /** Four hexadecimal digits. */
  readonly number: string;
  readonly label: string;
  /** The device path, as efibootmgr shows it. */
  readonly path: string;
}

export interface BootMenu {
  readonly entries: readonly BootEntry[];
  /** Numbers of entries, in the order in which the firmware tries them. */
  readonly order: readonly string[];
}

/** Variables of the firmware; not there on a machine that was started in another way (efivarfs, Documentation/filesystems/efivarfs.rst). */
const VARIABLES = "/sys/firmware/efi/efivars";

/** Whether this machine was started by UEFI, and the kernel shows its variables. */
export async function hasBootMenu(host: Host): Promise<boolean> {
  return ((await host.list(VARIABLES)) ?? []).length > 0;
}

/** Milliseconds. Some firmware takes seconds for a variable. */
const LIMIT = 30_000;

/** The firmware's boot menu. @throws CommandError where there is none */
export async function bootMenu(host: Host): Promise<BootMenu> {
  const { stdout } = await host.run({ program: "efibootmgr", args: ["--verbose"], timeout: LIMIT });
  return menuIn(stdout);
}

/** The same, from its output. Between label and path is a tab. */
export function menuIn(output: string): BootMenu {
  const lines = output.split("\n");
  const order = lines.find((line) => line.startsWith("BootOrder: "))?.slice("BootOrder: ".length) ?? "";
  return {
    order: order.split(",").filter((number) => number !== ""),
    entries: lines.flatMap((line) => {
      const [, number, label, path = ""] = /^Boot([\dA-F]{4})[* ] (.*?)(?:\t(.*))?$/.exec(line) ?? [];
      return number === undefined || label === undefined ? [] : [{ number, label, path }];
    }),
  };
}

export async function removeBootEntry(host: Host, number: string): Promise<void> {
  await host.run({ program: "efibootmgr", args: ["--quiet", "--delete-bootnum", "--bootnum", number], timeout: LIMIT });
}

/** Makes an entry for a program on the first partition of a drive, and puts it first. */
export async function addBootEntry(host: Host, drive: string, label: string, loader: string): Promise<void> {
  const place = ["--disk", drive, "--part", "1", "--label", label, "--loader", loader];
  await host.run({ program: "efibootmgr", args: ["--quiet", "--create", ...place], timeout: LIMIT });
}
