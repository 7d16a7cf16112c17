import { join } from "node:path";
import { expect } from "vitest";
import { makeDisk } from "../../../lab/disk.ts";
import { stateFolder } from "../../../image/paths.ts";
import { MachineEndedError } from "../../../lab/problems.ts";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";
import { guestosBoot, troublesOf } from "./chain.ts";
import { type InjectedNode } from "./injected-node.ts";
import { configMedium } from "./media.ts";
import { BOOT_TIMEOUT, kernelBoot, untilBooted } from "./node.ts";
import { type Cut, type CutPhase, type Pace, withCuts } from "./power-cuts.ts";
import {
  diskOver,
  kept,
  newDisk,
  serve,
  Snapshots,
  start,
  startedByGrub,
  type TestImage,
  testImage,
  type UpgradeDocument,
  upgradeOf,
} from "./upgrade.ts";
import { filled, installFromAddress } from "../../support/documented/elsewhere.ts";

const ROOT = "/dev/disk/by-partlabel/B_root";
const MOUNTED = `mkdir -p /run/b && mount -t ext4 ${ROOT} /run/b`;
/** As the command line of an image from before there was a root hash: what is changed in the root is then what runs. */
const UNVERIFIED = `mkdir -p /run/b && mount -t ext4 /dev/disk/by-partlabel/B_boot /run/b && sed -i -E 's/ root_hash[^ ]*//g' /run/b/boot_args && umount /run/b`;
/** A bit of the first block of systemd's own program, whose number it prints. */
const FLIP = `block=$(debugfs -R 'blocks /usr/lib/systemd/systemd' ${ROOT} | cut -d ' ' -f 1) && at=$((block * 4096 + 100)) &&
  byte=$(dd if=${ROOT} bs=1 skip=$at count=1 status=none | od -An -tu1) &&
  printf "\\\\$(printf %03o $((byte ^ 1)))" | dd of=${ROOT} bs=1 seek=$at conv=notrunc,fsync status=none && echo $block`;

/** How the system in B can be broken: what does it, and what undoes it again. The first is found by its hash, the others run without one. */
const BREAKING = {
  "a flipped bit": [FLIP, FLIP],
  "a chain that fails": [
    `${UNVERIFIED} && ${MOUNTED} && mv /run/b/usr/sbin/cryptsetup /run/b/cryptsetup && umount /run/b`,
    `${MOUNTED} && mv /run/b/cryptsetup /run/b/usr/sbin/cryptsetup && umount /run/b`,
  ],
  "no program": [`${MOUNTED} && mv /run/b/usr/bin/guestos-boot /run/b/program && umount /run/b`, "true"],
} as const;
type Broken = keyof typeof BREAKING;

export interface UpgradeNode {
  readonly image: TestImage;
  /** What must still be so at the end of every story. */
  readonly before: Readonly<Record<string, string>>;
  /** Of the first boot, on A. */
  readonly bootId: string;
  /** After its first boot, and nothing installed. */
  readonly provisioned: string;
  /** B is installed and committed, and not booted yet: the disk at the moment at which the commit was done. */
  readonly committed: string;
  /** The same, and B is broken in that way. */
  readonly broken: Readonly<Record<Broken, string>>;
  readonly cuts: readonly Cut[];
}

/**
 * A new node, after its first boot on A: it has taken version 0.2.0 into B, from the network, and committed it. Its disk was kept on the way.
 *
 * @param cutAt the part of the image, between 0 and 1, after which the power goes; the machine is switched on again, and goes on. Not at
 *   all when absent
 */
export async function upgradeNode(name: string, injected: InjectedNode, pace: Pace, cutAt?: number): Promise<UpgradeNode> {
  const image = await testImage("0.2.0");
  const server = await serve(image);
  const disk = await newDisk(name);
  const media = [{ id: "config", image: await configMedium(name, injected.config) }];
  let vm = await start(name, disk, { media, boot: await kernelBoot() });
  try {
    expect(await untilBooted(vm)).toBe("running");
    await vm.shell.ok("echo of the node >/var/lib/ic/data/kept && sync");
    const before = await kept(vm);
    const bootId = (await vm.shell.ok("journalctl --sync && sync && cat /proc/sys/kernel/random/boot_id")).trim().replaceAll("-", "");
    const snapshots = new Snapshots(vm, name, disk);
    const provisioned = await snapshots.take();
    const script = `${filled(installFromAddress, { HASH: image.sha256, "https://host/update.tar.zst": server.url })} --json`;
    if (cutAt !== undefined) {
      const installing = vm.shell.run(script, { timeout: BOOT_TIMEOUT });
      const early = installing.then(({ status, stderr }) => {
        throw new Error(`the install ended before the power was cut, with ${status}: ${stderr}`);
      });
      await Promise.race([server.sent(cutAt * image.bytes), early]);
      await vm.powerCut();
      await expect(early).rejects.toThrow(MachineEndedError);
      vm = await start(name, snapshots.file);
      snapshots.restarted(vm);
      expect(await cameBack(vm, "install", before)).toMatchObject({ running: "A", slots: { B: { kind: "incomplete" } } });
    }
    const [install, installCuts] = await withCuts("install", snapshots, pace, async () => vm.shell.run(script, { timeout: BOOT_TIMEOUT }));
    expect(install.status, install.stderr).toBe(0);
    const beginning = cutAt === undefined ? "fresh" : "resumed";
    expect(JSON.parse(install.stdout)).toMatchObject({ slot: "B", version: "0.2.0", beginning, hasManifest: true });
    expect(await upgradeOf(vm)).toMatchObject({ running: "A", phase: "stable", slots: { B: { kind: "installed", sha256: image.sha256 } } });
    const [commit, commitCuts] = await withCuts("commit", snapshots, pace, async () =>
      guestosBoot(vm, "upgrade commit --no-reboot --json"),
    );
    const committed = await snapshots.take();
    expect(JSON.parse(commit.stdout), commit.stderr).toEqual({ next: "B", restart: false });
    expect(await upgradeOf(vm)).toMatchObject({ phase: "committed", next: "B", toDo: [] });
    const broken = await breakInTurn(vm, snapshots);
    return { image, before, bootId, provisioned, committed, broken, cuts: [...installCuts, ...commitCuts] };
  } finally {
    server.close();
    await vm.powerCut();
  }
}

async function breakInTurn(vm: VirtualMachine, snapshots: Snapshots): Promise<UpgradeNode["broken"]> {
  const broken = { "a flipped bit": "", "a chain that fails": "", "no program": "" };
  for (const how of ["a flipped bit", "a chain that fails", "no program"] as const) {
    const [breaking, repairing] = BREAKING[how];
    await vm.shell.ok(`${breaking} && sync`);
    broken[how] = await snapshots.take();
    await vm.shell.ok(repairing);
  }
  return broken;
}

/**
 * Boots what is committed, by GRUB, and keeps the disk on the way.
 *
 * @returns the machine, on trial; the caller ends it
 */
export async function trialBoot(
  name: string,
  disk: string,
  pace: Pace,
  options: Parameters<typeof start>[2] = {},
): Promise<{ readonly vm: VirtualMachine; readonly snapshots: Snapshots; readonly cuts: readonly Cut[] }> {
  const vm = await start(name, disk, options);
  try {
    const snapshots = new Snapshots(vm, name, disk);
    const [, cuts] = await withCuts("first boot", snapshots, pace, async () => {
      expect(await startedByGrub(vm)).toBe("B (failsafe_check)");
      expect(await untilBooted(vm)).toBe("running");
    });
    return { vm, snapshots, cuts };
  } catch (error) {
    await vm.powerCut();
    throw error;
  }
}

/** What a cut of each kind may lead to, by what GRUB then starts. */
const OUTCOMES: Readonly<Record<Cut["phase"], RegExp>> = {
  install: /^A \(stable\)$/,
  commit: /^(?:A \(stable\)|B \(failsafe_check\))$/,
  "first boot": /^(?:A \(stable\)|B \(failsafe_check\))$/,
  confirm: /^(?:A|B) \(stable\)$/,
};

/** Sees to it that a machine that was switched on after a power cut comes up, as one of those that may, and that nothing is lost. @returns its upgrade's state */
async function cameBack(vm: VirtualMachine, phase: CutPhase, before: UpgradeNode["before"]): Promise<UpgradeDocument> {
  const started = await startedByGrub(vm);
  expect(started).toMatch(OUTCOMES[phase]);
  await untilBooted(vm);
  expect(await troublesOf(vm)).toEqual({});
  const now = await upgradeOf(vm);
  expect(now).toMatchObject({ running: started[0], toDo: [], grubenv: { faults: [] } });
  expect(now.phase).toBe(started === "B (failsafe_check)" ? "trial" : "stable");
  expect(await kept(vm)).toEqual(before);
  return now;
}

/**
 * Switches a machine on again after a power cut: it comes up on the old or the new system, nothing is lost, and the upgrade can be done
 * again, up to where B is to be booted, or stays.
 *
 * @returns in words, what came of it
 */
export async function afterCut(name: string, cut: Cut, node: Pick<UpgradeNode, "image" | "before">): Promise<string> {
  const { image, before } = node;
  // Of its own, because other machines may have the same image at the same time.
  const medium = await makeDisk({ backing: image.path, path: join(stateFolder(name), "update.qcow2") });
  const vm = await start(name, await diskOver(cut.disk, name), { extraDisks: [{ path: medium }] });
  try {
    const now = await cameBack(vm, cut.phase, before);
    const found = `${now.running} (${now.phase}), B ${now.slots.B.kind}`;
    if (now.running === "B") {
      expect((await guestosBoot(vm, "upgrade confirm")).status).toBe(0);
      expect(await upgradeOf(vm)).toMatchObject({ running: "B", phase: "stable", next: "B" });
      return `${found}; confirmed`;
    }
    if (now.slots.B.kind === "failed") expect((await guestosBoot(vm, `upgrade forget ${image.sha256}`)).status).toBe(0);
    if (now.slots.B.kind !== "installed") {
      const script = `guestos-boot upgrade install --json --sha256 ${image.sha256} /dev/vdb`;
      const install = await vm.shell.run(script, { timeout: BOOT_TIMEOUT });
      expect(install.status, install.stderr).toBe(0);
    }
    expect((await guestosBoot(vm, "upgrade commit --no-reboot")).status).toBe(0);
    expect(await upgradeOf(vm)).toMatchObject({ running: "A", phase: "committed", next: "B", slots: { B: { kind: "installed" } } });
    return `${found}; committed${now.slots.B.kind === "installed" ? "" : ", installed"} again`;
  } finally {
    await vm.powerCut();
  }
}
