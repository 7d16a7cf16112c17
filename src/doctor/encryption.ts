import { readIntent } from "../config/state/intent.ts";
import type { Layout, Slot } from "../config/layout/layout.ts";
import { requirePartition } from "../system/disks/block-devices.ts";
import type { Host } from "../system/host.ts";
import { type LuksHeader, readLuksHeader } from "../system/disks/luks-header.ts";
import { requireMounted } from "../system/disks/mounts.ts";
import { readSignature } from "../system/disks/signature.ts";
import { recoveryState } from "../units/disks/recovery-slot.ts";
import { type Check, couldNotInspect, type Finding, notice, part, type Seen, wrong } from "./check.ts";

/**
 * Each unit compares the header of its device with the intent. No unit inspects the /var of the system that does not run. Nor does one
 * inspect the second copy of a header, which still opens a device when the first copy is damaged.
 */
export const encryptionCheck: Check = {
  name: "encryption",
  title: "each encrypted device has both copies of its header, and is the recorded one",
  about: ["store-key", "var"],
  seen: "lsblk --output NAME,PARTLABEL,FSTYPE,UUID",
  async inspect({ layout }, host) {
    await requireMounted(host, layout.mountPoints.config);
    const devices = encryptedDevices(layout);
    const findings = await Promise.all(
      devices.map(async (device) => part(`lsblk --output NAME,PARTLABEL,FSTYPE,UUID`, async () => inspectDevice(layout, host, device))),
    );
    const recovery = await inspectRecovery(layout, host);
    return {
      fact: [`${devices.map(({ label }) => label).join(", ")}: as recorded`, recovery.fact].filter((fact) => fact !== "").join("; "),
      findings: [...findings.flat(), ...recovery.findings],
    };
  },
};

interface EncryptedPlace {
  /** Of the partition. */
  readonly label: string;
  readonly intent: string;
}

function encryptedDevices({ partitions }: Layout): readonly EncryptedPlace[] {
  const slots: readonly Slot[] = ["A", "B"];
  return [{ label: partitions.store, intent: "store" }, ...slots.map((slot) => ({ label: partitions.var(slot), intent: `var-${slot}` }))];
}

async function inspectDevice(layout: Layout, host: Host, { label, intent: name }: EncryptedPlace): Promise<readonly Finding[]> {
  const intent = await readIntent(host, layout.config.intents, name);
  const { device } = await requirePartition(host, label);
  const isLuks = (await readSignature(host, device))?.type === "crypto_LUKS";
  // Blank, or begun and not finished: it holds no data yet.
  if (intent?.phase !== "complete" && !isLuks) return [];
  return judgeHeader(
    `${device} (${label})`,
    device,
    intent?.phase === "complete" ? intent.uuid : undefined,
    await readLuksHeader(host, device),
  );
}

/** The operator decides whether there is a recovery passphrase: neither state is wrong. */
async function inspectRecovery(layout: Layout, host: Host): Promise<Seen> {
  const seen = "guestos-boot recovery-passphrase";
  try {
    const { device } = await requirePartition(host, layout.partitions.store);
    // A store without a header is already reported above.
    if ((await readSignature(host, device))?.type !== "crypto_LUKS") return { fact: "no recovery passphrase", findings: [] };
    const state = await recoveryState(host, device);
    if (state !== "unfinished") return { fact: state === "set" ? "a recovery passphrase is set" : "no recovery passphrase", findings: [] };
    const todo = "set or remove it again: guestos-boot recovery-passphrase set";
    return {
      fact: "",
      findings: notice(seen, { code: "passphrase-change-cut-off", what: "a change of the recovery passphrase was cut off", todo }),
    };
  } catch (error) {
    return { fact: "", findings: couldNotInspect(seen, error) };
  }
}

/** @param place the device, for people. @param uuid of the intent; absent where no intent is complete */
export function judgeHeader(place: string, device: string, uuid: string | undefined, { first, second }: LuksHeader): readonly Finding[] {
  const seen = `cryptsetup luksDump ${device}`;
  const any = first ?? second;
  if (any === undefined) {
    return wrong(seen, {
      code: "luks-headers-gone",
      what: `both copies of the LUKS header of ${place} are missing`,
      expected: uuid === undefined ? "a LUKS header" : `the LUKS device ${uuid}`,
      todo: `do not restart; write nothing to it; restore the header from a backup: cryptsetup luksHeaderRestore ${device}`,
    });
  }
  if (uuid !== undefined && any.uuid !== uuid) {
    return wrong(seen, {
      code: "luks-device-differs",
      what: `${place} is not the recorded device`,
      found: `the LUKS device ${any.uuid}`,
      expected: uuid,
      todo: "was the disk or the config partition replaced? docs/operator.md, 'Conflicts'",
    });
  }
  if (first !== undefined && second !== undefined) return [];
  return wrong(seen, {
    code: "luks-header-copy-damaged",
    what: `one of the two copies of the LUKS header of ${place} is damaged`,
    found: `the ${first === undefined ? "second" : "first"} one alone is whole`,
    todo: `back it up first: cryptsetup luksHeaderBackup ${device} --header-backup-file FILE; then repair it: cryptsetup repair ${device}`,
  });
}
