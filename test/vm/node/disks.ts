import { describe, expect, test } from "vitest";
import * as z from "../../../src/base/schema.ts";
import { guestosLayout, volumeBytes } from "../../../src/config/layout/layout.ts";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";
import { node } from "./story.ts";

const BlockDevices = z.object({
  blockdevices: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      size: z.number(),
      fstype: z.nullable(z.string()),
      partlabel: z.nullable(z.string()),
      mountpoint: z.nullable(z.string()),
    }),
  ),
});

async function blockDevices(vm: VirtualMachine): Promise<z.infer<typeof BlockDevices>["blockdevices"]> {
  const columns = "NAME,TYPE,SIZE,FSTYPE,PARTLABEL,MOUNTPOINT";
  return BlockDevices.parse(await vm.shell.json(`lsblk --json --list --bytes --output ${columns} /dev/vda`)).blockdevices;
}
const MIB = 1024 ** 2;
const FileSystems = z.object({ filesystems: z.array(z.object({ target: z.string(), fstype: z.string(), options: z.string() })) });
const Intent = z.object({ phase: z.string(), uuid: z.string() });

describe("disks", () => {
  test("the disk has the ten partitions, two encrypted devices and four volumes", () =>
    node.use(async (vm) => {
      const devices = await blockDevices(vm);
      const rows = devices.map(({ name, type, fstype, partlabel, mountpoint }) =>
        [name, type, fstype ?? "-", partlabel ?? "-", mountpoint ?? "-"].join(" "),
      );
      expect(rows.toSorted()).toEqual(
        [
          "vda disk - - -",
          "vda1 part vfat esp /boot/efi",
          "vda2 part vfat grub /boot/grub",
          "vda3 part ext4 config /boot/config",
          "vda4 part ext4 A_boot /boot",
          "vda5 part ext4 A_root -",
          // Opened before udev runs, so lsblk does not know what is in it.
          "vroot crypt - - /",
          "vda6 part crypto_LUKS A_var -",
          "vda7 part - B_boot -",
          "vda8 part - B_root -",
          "vda9 part - B_var -",
          "vda10 part crypto_LUKS store -",
          "var_crypt crypt ext4 - /var",
          "vda10-crypt crypt LVM2_member - -",
          "store-shared--crypto lvm ext4 - /var/lib/ic/crypto",
          "store-shared--swap lvm swap - [SWAP]",
          "store-shared--backup lvm ext4 - /var/lib/ic/backup",
          "store-shared--data lvm xfs - /var/lib/ic/data",
        ].toSorted(),
      );
      expect(await vm.shell.ok("cryptsetup luksDump /dev/vda6 | grep Version; cryptsetup luksDump /dev/vda10 | grep Version")).toMatch(
        /^Version:\s+2\nVersion:\s+2\n$/,
      );
    }));

  test("the store takes the rest of the enlarged disk, and the volumes their shares of it", () =>
    node.use(async (vm) => {
      const devices = await blockDevices(vm);
      const size = (name: string): number => devices.find((device) => device.name === name)?.size ?? 0;
      const parts = devices.filter(({ type }) => type === "part").reduce((sum, part) => sum + part.size, 0);
      expect(size("vda")).toBe(8 * 1024 ** 3);
      expect(size("vda") - parts).toBeLessThan(4 * MIB);
      const group = Number(await vm.shell.ok("vgs --noheadings --nosuffix --units b --options vg_size store"));
      for (const volume of guestosLayout.volumes) {
        const actual = size(`store-${volume.name.replaceAll("-", "--")}`);
        // LVM counts in extents of 4 MiB.
        expect(Math.abs(actual - volumeBytes(volume.size, group)), volume.name).toBeLessThanOrEqual(4 * MIB);
      }
    }));

  test("everything is mounted with no more rights than it needs", () =>
    node.use(async (vm) => {
      const { filesystems } = FileSystems.parse(await vm.shell.json("findmnt --json --list --output TARGET,FSTYPE,OPTIONS"));
      const optionsOf = (target: string): readonly string[] =>
        filesystems.findLast((fileSystem) => fileSystem.target === target)?.options.split(",") ?? [];
      const restricted = ["nodev", "nosuid", "noexec"];
      const wanted: Readonly<Record<string, readonly string[]>> = {
        "/": ["ro"],
        "/boot": ["ro", ...restricted],
        "/boot/efi": ["ro", "fmask=0077", "dmask=0077", ...restricted],
        "/boot/grub": ["rw", "gid=4", "fmask=0027", "dmask=0027", ...restricted],
        "/boot/config": ["rw", "sync", ...restricted],
        "/var": ["rw", "nodev", "nosuid"],
        "/var/lib/ic/data": ["rw", ...restricted],
        "/var/lib/ic/crypto": ["rw", ...restricted],
        "/var/lib/ic/backup": ["rw", ...restricted],
        "/etc/ssh": ["ro", ...restricted],
        "/etc/node_exporter": ["ro", ...restricted],
        "/etc/hostname": ["ro", ...restricted],
      };
      for (const [target, options] of Object.entries(wanted))
        expect(optionsOf(target), target).toEqual(expect.arrayContaining([...options]));
      const onDisks = filesystems.filter(({ fstype }) => ["ext4", "xfs", "vfat"].includes(fstype));
      expect(onDisks.map(({ target }) => target).toSorted()).toEqual(
        Object.keys(wanted)
          .filter((target) => !target.startsWith("/etc/"))
          .toSorted(),
      );
      expect(await vm.shell.ok("swapon --show=TYPE --noheadings")).toBe("partition\n");
    }));

  test("what was made is noted as complete, under the identity that it has", () =>
    node.use(async (vm) => {
      const lines = await vm.shell.ok(
        'for file in /boot/config/intents/*; do echo "$(basename $file .json)"; tr -d "\\n" <$file; echo; done',
      );
      const [intents, names]: [z.infer<typeof Intent>[], string[]] = [[], []];
      for (const [index, line] of lines.trimEnd().split("\n").entries()) {
        if (index % 2 === 0) names.push(line);
        else intents.push(Intent.parse(JSON.parse(line)));
      }
      expect(names).toEqual([
        ...["backup", "crypto", "data", "swap"].map((name) => `filesystem-shared-${name}`),
        ...["store", "var-A", "volumes"],
      ]);
      expect(intents.map(({ phase }) => phase)).toEqual(names.map(() => "complete"));
      const uuids = await vm.shell.ok("lsblk --list --noheadings --output UUID /dev/vda");
      for (const { uuid } of intents) expect(uuids).toContain(uuid);
    }));
});
