import * as z from "../../base/schema.ts";
import type { Host } from "../host.ts";
import { parseToolJson, toolText } from "../tool-json.ts";

/** What tells a format, and where it is. A device may have several: a table and its copy, or the remains of an older format. */
export interface Signature {
  /** As libblkid calls it: "gpt", "LVM2_member", "linux_raid_member", "zfs_member", "ext4". */
  readonly type: string;
  /** Bytes from the beginning of the device. */
  readonly offset: number;
  readonly uuid: string | undefined;
}

const Answer = z.object({
  signatures: z.array(z.object({ offset: z.string().check(z.regex(/^0x[\da-f]{1,16}$/)), type: z.string(), uuid: toolText })),
});

/**
 * Every signature on a device that libblkid knows, also those that contradict each other. It only reads: nothing is wiped without --all.
 *
 * @throws CommandError where the device cannot be read, or ProblemError: that is not the same as no signatures
 */
export async function signaturesOn(host: Host, device: string): Promise<readonly Signature[]> {
  const { stdout } = await host.run({ program: "wipefs", args: ["--json", "--no-act", device] });
  return parseToolJson("wipefs", stdout, Answer).signatures.map(({ type, offset, uuid }) => ({ type, offset: Number(offset), uuid }));
}

/** Wipes every signature that libblkid knows, also of a device that others have open. @throws CommandError */
export async function wipeSignatures(host: Host, device: string): Promise<void> {
  await host.run({ program: "wipefs", args: ["--all", "--force", "--quiet", device] });
}
