import { type Problem, ProblemError } from "../../base/problem.ts";
import type { Host } from "../host.ts";
import { mappings } from "./block-devices.ts";
import { mountAt } from "./mounts.ts";

/** As the initramfs names it (etc/common/initramfs-tools/scripts/local-premount/guestos-verity), and veritysetup too. */
const UUID_PREFIX = "CRYPT-VERITY-";

/** `none`: nothing verifies the root. `corrupted`: since the start the kernel has read a block that does not match the root hash. */
export type RootVerity = "none" | "intact" | "corrupted";

/**
 * What dm-verity says of the mounted root, as far as it was read.
 *
 * @throws ProblemError where the kernel's answer is not understood
 */
export async function rootVerity(host: Host): Promise<RootVerity> {
  const root = await mountAt(host, "/");
  const mapping = [...(await mappings(host)).values()].find(({ deviceNumber }) => deviceNumber === root?.device);
  if (mapping?.uuid.startsWith(UUID_PREFIX) !== true) return "none";
  const { stdout } = await host.run({ program: "dmsetup", args: ["status", mapping.name], timeout: 10_000 });
  // Documentation/admin-guide/device-mapper/verity.rst, "Status": V until a check failed, then C.
  const [, status] = /^\d+ \d+ verity ([VC])\b/.exec(stdout) ?? [];
  if (status !== undefined) return status === "V" ? "intact" : "corrupted";
  throw new ProblemError({
    code: "verity-status-unknown",
    what: `cannot tell whether the root ${mapping.device} is intact`,
    found: stdout.trim(),
    expected: "a status of the target verity, V or C",
    todo: `dmsetup status ${mapping.name}`,
  });
}

export const corruptedRoot: Problem = {
  code: "root-corrupted",
  what: "a block of the root that was read does not match the root hash",
  found: "dm-verity's status C",
  expected: "V",
  todo: "journalctl --dmesg --grep verity names the block; inspect the disk, and install an image into the other slot",
};
