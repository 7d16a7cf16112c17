import { argumentsFor, laidOut, type Partition } from "../layout.ts";
import type { LayoutName } from "../options.ts";

/** "Basic data" (UEFI specification): a computer with Windows or macOS shows such a partition. */
const BASIC_DATA = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7";

/** The partitions of an installer's stick: names, UUIDs and the sizes of `prod` are those of IC-OS (ic-os/setupos/partitions.csv). */
export function stickPartitions(layout: LayoutName): readonly Partition[] {
  return laidOut(
    [
      ["esp", "B78084E2-3363-1346-8C25-D426F26B8928", { lab: 32, prod: 100 }],
      ["grub", "6788E4CF-F456-104E-9A34-A2C58CFB0EE6", { lab: 32, prod: 100 }],
      ["config", "A5BA3816-BEAA-D74D-993E-CFA5AA6BA1F6", { lab: 50, prod: 50 }],
      ["data", "E97BF7B1-9400-439F-93D0-13276111F989", { lab: 768, prod: 3500 }],
      ["boot", "DDF618FE-7244-B446-A175-3296E6B9D02E", { lab: 160, prod: 100 }],
      ["root", "7C0A626E-E5EA-E543-B5C5-300EB8304DB7", { lab: 1024, prod: 1750 }],
    ],
    layout,
  ).map((partition) => (partition.name === "config" ? { ...partition, type: BASIC_DATA } : partition));
}

/** The kernel command line. A kernel that panics stays, so that what it says can be read; screens of a BMC know no other modes. */
export function stickArguments(): string {
  return argumentsFor(undefined, ["root=PARTUUID=7c0a626e-e5ea-e543-b5c5-300eb8304db7", "nomodeset"]);
}
