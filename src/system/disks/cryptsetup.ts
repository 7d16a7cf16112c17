import { CommandError } from "../command.ts";
import { announceContent } from "./device-event.ts";
import type { Host } from "../host.ts";
import { readLuksSlots } from "./luks-slots.ts";
import type { Secret } from "../../base/secret.ts";

/** cryptsetup(8)'s exit code 2, "no permission (bad passphrase)". */
const WRONG_KEY = 2;

/**
 * Makes a LUKS2 header of that UUID. Destroys the existing content: the caller has an intent and a blank probe.
 *
 * The key has full entropy, so stretching it would only cost boot time: PBKDF2 at its minimum of 1000 iterations (cryptsetup(8),
 * --pbkdf-force-iterations). The key goes in by standard input.
 */
export async function luksFormat(host: Host, device: string, uuid: string, key: Secret): Promise<void> {
  const pbkdf = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"];
  await host.run({
    program: "cryptsetup",
    args: ["luksFormat", "--batch-mode", "--type", "luks2", "--uuid", uuid, ...pbkdf, "--key-file", "-", device],
    input: key,
  });
  await announceContent(host, device);
}

/** Opens the device as /dev/mapper/NAME. `readOnly` for a device that must not change. @throws CommandError; see `isWrongKey` */
export async function luksOpen(
  host: Host,
  device: string,
  name: string,
  key: Secret,
  options: { readonly readOnly?: boolean } = {},
): Promise<void> {
  const flags = options.readOnly === true ? ["--readonly"] : [];
  await host.run({ program: "cryptsetup", args: ["open", "--type", "luks2", ...flags, "--key-file", "-", device, name], input: key });
}

/**
 * Tests whether the key opens the device, without opening it. No key opens a header without key slots, which a power cut can leave.
 *
 * @param slot the one key slot to try; all when absent
 */
export async function luksKeyFits(host: Host, device: string, key: Secret, slot?: number): Promise<boolean> {
  const which = slot === undefined ? [] : ["--key-slot", String(slot)];
  const args = ["open", "--test-passphrase", "--type", "luks", ...which, "--key-file", "-", device];
  try {
    const { status } = await host.run({ program: "cryptsetup", args, input: key, okStatuses: [0, WRONG_KEY] });
    return status === 0;
  } catch (error) {
    // Without a key slot, cryptsetup(8) exits with 1, "wrong parameters", as for many other errors. So the header itself is read.
    if (error instanceof CommandError && (await readLuksSlots(host, device)).slots.length === 0) return false;
    throw error;
  }
}

export async function luksClose(host: Host, name: string): Promise<void> {
  await host.run({ program: "cryptsetup", args: ["close", name] });
}

export function isWrongKey(error: CommandError): boolean {
  return error.ending.kind === "exited" && error.ending.status === WRONG_KEY;
}

/**
 * The UUID part of a mapping's device-mapper UUID: it names the LUKS header the mapping was opened from (libcryptsetup,
 * "CRYPT-LUKS2-<uuid>-<name>").
 */
export function luksUuidOfMapping(dmUuid: string): string | undefined {
  const hex = /^CRYPT-LUKS[12]-([0-9a-f]{32})-/.exec(dmUuid)?.[1];
  return hex === undefined ? undefined : [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
