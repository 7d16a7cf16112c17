import { parseRecord } from "../../src/boot/record/read-record.ts";
import { bootReport, consoleEvents, hasEnded, hasSucceeded } from "../../lab/console.ts";
import type { Accelerator } from "../../lab/accelerator.ts";
import type { BootWay, DiskAttachment } from "../../lab/qemu-command.ts";
import { startVirtualMachine } from "../../lab/start-virtual-machine.ts";
import type { VirtualMachine } from "../../lab/virtual-machine.ts";
import { kernelBoot } from "../vm/support/node.ts";

/** How a boot without a person ended. */
export interface Recovered {
  /** What was wrong, in the words of the console; absent when the target was reached. */
  readonly failure?: string;
  /** Lines about everything that lasts, without what is random, by what they tell of. */
  readonly state: Readonly<Record<string, readonly string[]>>;
  /** SHA-256 of each file of the config partition. */
  readonly files: ReadonlyMap<string, string>;
  /** UUIDs of all that is on the disk. */
  readonly uuids: readonly string[];
  /** The runs of the chain in this boot, as they were recorded. */
  readonly record: string;
  /** What lasts and was done by this boot, in its own words: "unit: action". */
  readonly redone: readonly string[];
}

/** Only ends what hangs. */
const TIMEOUT = 600_000;
const FAILED = "not reached";

/** Words of the kernel's command line for a boot that goes no further than the boot chain. */
export const SHORT_BOOT: readonly string[] = ["systemd.unit=guestos-boot.target", "systemd.mask=ssh.service"];

/** Straight into the kernel, and no further than the boot chain. */
export async function shortBoot(): Promise<BootWay> {
  return kernelBoot(SHORT_BOOT);
}

/** The whole disk, however the machine calls it. */
const DISK = '"$(lsblk --noheadings --nodeps --paths --output PKNAME /dev/disk/by-partlabel/grub)"';

/** Everything that lasts, in one script: a script costs an emulated guest more than what it does. */
const PARTS: Readonly<Record<string, string>> = {
  record: "cat /run/guestos-boot/record.jsonl",
  digests: "cd /boot/config && find . -type f -exec sha256sum {} +",
  uuids: `lsblk --list --noheadings --output UUID ${DISK}`,
  "the config partition": "cd /boot/config && find . -printf '%p %y %m %U:%G\\n' | sort",
  // Without the device on which the medium was found.
  "what was injected": `sed 's/"device": *"[^"]*"/"device": ""/' /boot/config/injection.json`,
  intents: "cd /boot/config/intents && grep -H phase *.json",
  grubenv: "cat /boot/grub/grubenv",
  "keys in use": "cd /etc && find ssh node_exporter -printf '%p %y %m %U:%G\\n' | sort",
  "the node's data": "cd /var/lib/ic && find . -printf '%p %y %m %U:%G\\n' | sort && find . -type f -exec sha256sum {} + | sort -k 2",
  "file systems and partitions": `lsblk --list --noheadings --output NAME,TYPE,SIZE,FSTYPE,PARTLABEL,MOUNTPOINT ${DISK} | sort; swapon --show=TYPE --noheadings`,
  // What services keep there comes and goes.
  "/var":
    "cd /var && find . -xdev \\( -path ./log -o -path ./lib/systemd -o -path ./lib/guestos-boot -o -path ./tmp -o -path ./cache \\) -prune -o -printf '%p %y %m %U:%G\\n' | sort",
};

/**
 * Files whose bytes are random, or tell of random ones, of times or of the machine: their names are compared, their bytes are not. The note on
 * the network card has the boot's id and the card's place.
 */
const RANDOM = /^(store\.keyfile|machine-id|ssh\/|node_exporter\/|intents\/|slots\/|network-card\.json|injection\.json)/;

/** Boots the disk until the chain has ended, inspects it, and pulls the plug. @param credentials further system credentials */
export async function recovered(
  name: string,
  disk: DiskAttachment,
  medium: string,
  accelerator: Accelerator,
  credentials: Readonly<Record<string, string>> = {},
): Promise<Recovered> {
  await using vm = await startVirtualMachine({
    ...{ name, disk, accelerator, credentials, boot: await shortBoot() },
    media: [{ id: "config", image: medium }],
  });
  return await inspectedAt(vm);
}

/** Waits until the chain has ended, and inspects the machine. */
export async function inspectedAt(vm: VirtualMachine): Promise<Recovered> {
  const report = await vm.waitFor("the boot chain to end", TIMEOUT, () => {
    const now = bootReport(consoleEvents(vm.serial.text));
    return hasEnded(now) ? now : undefined;
  });
  const script = Object.values(PARTS).map((part) => `( ${part} ) 2>&1; printf '\\x1e'`);
  const output = (await vm.shell.ok(script.join("\n"), { timeout: TIMEOUT, readyTimeout: TIMEOUT })).split("\x1e");
  const parts = new Map(Object.keys(PARTS).map((part, index) => [part, (output[index] ?? "").trimEnd()]));
  const take = (part: string): string => {
    const text = parts.get(part) ?? "";
    parts.delete(part);
    return text;
  };
  const record = `${take("record")}\n`;
  const files = new Map(
    take("digests")
      .split("\n")
      .map((line): [string, string] => [line.slice(66).replace("./", ""), line.slice(0, 64)]),
  );
  const uuids = take("uuids").split("\n");
  const known = [...files].filter(([file]) => !RANDOM.test(file)).map(([file, digest]) => `${file} ${digest}`);
  return {
    ...(hasSucceeded(report) ? {} : { failure: `${FAILED}:\n${vm.serial.tail(40)}` }),
    ...{ files, uuids, record, redone: redone(record) },
    state: {
      ...Object.fromEntries([...parts].map(([part, text]) => [part, text.split("\n")])),
      "files of the config partition": known.toSorted(),
    },
  };
}

function redone(record: string): readonly string[] {
  const { runs } = parseRecord(record, "record.jsonl");
  return runs.flatMap(({ units }) =>
    units.flatMap(({ name, result }) => (result?.kind === "changed" ? result.provisioned.map((action) => `${name}: ${action}`) : [])),
  );
}
