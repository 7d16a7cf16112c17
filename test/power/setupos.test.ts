import { afterAll, expect, test, vi } from "vitest";
import { withPanicRetry } from "../../lab/panic-retry.ts";
import { startVirtualMachine } from "../../lab/start-virtual-machine.ts";
import type { VirtualMachine } from "../../lab/virtual-machine.ts";
import { hostos, setupos } from "../support/chains.ts";
import { guestosBoot, plannedUnits, runDocument, troublesOf } from "../vm/support/chain.ts";
import { BOOT_TIMEOUT, untilBooted } from "../vm/support/node.ts";
import { emptyDrives, newStick, startStick } from "../vm/support/stick.ts";

/** From a stick to a node, on two drives. Each test goes on with what the one before it left, as a person at a machine would. */

vi.setConfig({ testTimeout: 4 * BOOT_TIMEOUT });

const NAME = "setupos";
const drives = await emptyDrives(NAME, 2);
const stick = await newStick(NAME);
const running = new Set<VirtualMachine>();
afterAll(async () => {
  for (const vm of running) await vm.powerCut();
});

/** Runs a piece on a machine that started from the stick, and switches that off without a warning. */
async function onStick(
  piece: (vm: VirtualMachine) => Promise<void>,
  options: { readonly waits?: boolean; readonly firmware?: boolean } = {},
): Promise<void> {
  await withPanicRetry(async () => {
    const vm = await startStick(NAME, stick, drives, options);
    running.add(vm);
    try {
      await piece(vm);
    } finally {
      await vm.powerCut();
      running.delete(vm);
    }
  });
}

/** What is on the drives now, as a digest of the ends of each, and of LVM's own description. */
const DRIVES = "for drive in /dev/vda /dev/vdb; do head -c 8M $drive | sha256sum; tail -c 8M $drive | sha256sum; done";

/** Old contents, whatever nests in what: LVM in the partition of a volume of LVM, an array, plain partitions. */
const OLD = `set -e
  sfdisk --quiet /dev/vda <<'END'
label: gpt
start=1MiB, size=2GiB
size=2GiB
END
  udevadm settle
  mdadm --create /dev/md7 --run --level=1 --raid-devices=2 --metadata=1.0 /dev/vda2 missing
  mkfs.ext4 -q /dev/md7
  pvcreate -q --yes /dev/vda1
  vgcreate -q old /dev/vda1
  lvcreate -q --yes --size 1G --name guest old
  # LVM by itself makes none in a volume: that is what guests do.
  nested="--config devices/scan_lvs=1"
  pvcreate -q $nested --yes /dev/old/guest
  vgcreate -q $nested inner /dev/old/guest
  lvcreate -q $nested --yes --size 200M --name deep inner
  mkfs.ext4 -q /dev/inner/deep
  sfdisk --quiet /dev/vdb <<'END'
label: gpt
start=1MiB, size=1GiB
END
  udevadm settle
  # A copy of ceph's label, as older versions place it, on a partition whose beginning is empty.
  printf 'bluestore block device\\n' | dd of=/dev/vdb1 bs=512 seek=1953125 conv=notrunc status=none
  sync`;

test("a rehearsal says drive by drive what would be lost, and changes nothing", () =>
  onStick(
    async (vm) => {
      await vm.shell.ok(OLD, { timeout: BOOT_TIMEOUT });
      await vm.shell.ok("mount /dev/sda3 /config && echo rehearse=true >>/config/config.ini && umount /config");
      const before = await vm.shell.ok(DRIVES);
      await guestosBoot(vm, "run");
      const { units } = runDocument(await guestosBoot(vm, "status --json"));
      const disk = units.find(({ name }) => name === "setup-disk");
      expect(disk?.problem).toMatchObject({ code: "only-a-rehearsal" });
      // The array and what nests in LVM are active: each layer is named.
      expect(disk?.problem?.found).toMatch(/empty \/dev\/vda .*linux_raid|empty \/dev\/vda .*array \(md\)/);
      for (const words of ["taken as system drive", "taken as data drive", "physical volume of old", "physical volume of inner", "ext4"])
        expect(disk?.problem?.found).toContain(words);
      expect(disk?.problem?.found).toMatch(/\/dev\/sda .* is left: this system runs from it/);
      expect(await vm.shell.ok(DRIVES)).toBe(before);
      // A table whose first copy has a bad checksum: the kernel sees no partition of it, and someone's data may be there.
      await vm.shell.ok(
        "dd if=/dev/vdb of=/run/good bs=1 skip=528 count=3 status=none && printf bad | dd of=/dev/vdb bs=1 seek=528 conv=notrunc status=none && udevadm settle && blockdev --rereadpt /dev/vdb",
      );
      await guestosBoot(vm, "run");
      const damaged = runDocument(await guestosBoot(vm, "status --json")).units.find(({ name }) => name === "setup-disk");
      expect(damaged?.problem).toMatchObject({ code: "disk-data-strange" });
      await vm.shell.ok(
        "dd if=/run/good of=/dev/vdb bs=1 seek=528 conv=notrunc status=none; sed -i /rehearse/d /config/config.ini && sync",
      );
    },
    { waits: true },
  ));

test("what is old is taken away, layer by layer, while all of it is active", () =>
  onStick(
    async (vm) => {
      await vm.shell.ok(
        "mdadm --assemble --scan --run; vgchange --activate y old && vgchange --config devices/scan_lvs=1 --activate y inner; lsblk",
        {
          timeout: BOOT_TIMEOUT,
        },
      );
      expect(await vm.shell.ok("lsblk --noheadings --output TYPE /dev/vda")).toMatch(/lvm\n(?:.*\n)*.*lvm|raid1/);
      await guestosBoot(vm, "run --unit setup-disk");
      expect(await troublesOf(vm)).toEqual({});
      expect(await vm.shell.ok("lsblk --noheadings --output NAME /dev/vda /dev/vdb")).toBe("vda\nvdb\n");
      expect(await vm.shell.ok("wipefs --noheadings /dev/vda /dev/vdb")).toBe("");
      // The partition that began at 1 MiB had it at a thousand million bytes.
      expect(await vm.shell.ok("dd if=/dev/vdb bs=512 skip=$((2048 + 1953125)) count=1 status=none | tr -d '\\0' | wc -c")).toBe("0\n");
    },
    { waits: true },
  ));

/** Waits for the last page, and shows on the serial line what is on the screen then, and the firmware's boot menu. */
const WATCH = `setsid sh -c '
  until [ -s /config/installation.txt ]; do sleep 1; done
  sleep 5
  columns=$(stty size </dev/tty1 | cut -d " " -f 2)
  { fold -w "$columns" /dev/vcs1 | sed "s/^/screen: /"; efibootmgr | sed "s/^/menu: /"; } | tr -c "[:print:]\\n" "." >/dev/ttyS0
' >/dev/null 2>&1 &`;

test("it installs, says so on screen and serial line, is first in the firmware's menu, and restarts; then the node is there already, and nothing is written", () =>
  onStick(
    async (vm) => {
      // By the firmware: the boot loader of the stick, the screen, and the firmware's boot menu are as on a machine.
      await vm.shell.ok(WATCH, { readyTimeout: BOOT_TIMEOUT });
      await vm.waitForSerial(/THE NODE IS INSTALLED[^]*code {5}installed/, { timeout: 3 * BOOT_TIMEOUT });
      await vm.waitForSerial(/screen: THE NODE IS INSTALLED[^]*screen: code {5}installed/);
      await vm.waitForSerial(/menu: BootOrder: (\w{4})[^]*menu: Boot\1\*? IC-OS/);
      expect(vm.serial.text.match(/menu: Boot\w{4}\*? IC-OS/g)).toHaveLength(1);
      // The machine restarts by itself, and the stick is still in it.
      await vm.waitForSerial(/THE NODE WAS INSTALLED BEFORE/, { timeout: 2 * BOOT_TIMEOUT });
      expect(await troublesOf(vm)).toEqual({});
      const { units } = runDocument(await guestosBoot(vm, "status --json"));
      expect(units.map(({ name }) => name)).toEqual(setupos.map(({ name }) => name));
      expect(units.flatMap(({ provisioned }) => provisioned)).toEqual([]);
      expect(new Set(Object.values(plannedUnits(await guestosBoot(vm, "plan --json"))))).toEqual(new Set(["nothing"]));
      expect(await vm.shell.ok("cat /config/installation.txt")).toContain("already-installed");
      // Of two drives of 2 TiB, the guest has all but what the host's own volumes take, in stripes.
      const list =
        "lvs --noheadings --nosuffix --units g --options lv_size,stripes --segments hostlvm/guestos --devices /dev/vda3,/dev/vdb";
      const segments = (await vm.shell.ok(list)).trim().split("\n");
      expect(segments.at(-1)).toMatch(/^\s*408\d\.\d+ +2$/);
    },
    { firmware: true },
  ));

test("another configuration does not replace the node, unless the token of what is there is given", () =>
  onStick(
    async (vm) => {
      await vm.shell.ok("mount /dev/sda3 /config && sed -i s/node1/node2/ /config/config.ini && umount /config");
      await guestosBoot(vm, "run");
      const { units } = runDocument(await guestosBoot(vm, "status --json"));
      const problem = units.find(({ name }) => name === "setup-disk")?.problem;
      expect(problem?.code).toBe("node-installed");
      const token = /replace_installed=([\w-]+)/.exec(problem?.todo ?? "")?.[1] ?? "";
      await vm.shell.ok(`echo replace_installed=${token} >>/config/config.ini`);
      const planned = plannedUnits(await guestosBoot(vm, "plan --json"));
      expect(planned["setup-disk"]).toBe("to-do");
      await vm.shell.ok("sed -i -e s/node2/node1/ -e /replace/d /config/config.ini && sync");
    },
    { waits: true },
  ));

test("the machine starts from its drives as a HostOS, with the stick's configuration", async () => {
  await withPanicRetry(async () => {
    const [system, ...others] = drives;
    if (system === undefined) throw new Error("no drive");
    const vm = await startVirtualMachine({ name: NAME, disk: system, extraDisks: others, memory: 3072 });
    running.add(vm);
    try {
      await untilBooted(vm);
      expect(await troublesOf(vm)).toEqual({});
      expect(runDocument(await guestosBoot(vm, "status --json")).units.map(({ name }) => name)).toEqual(hostos.map(({ name }) => name));
      expect(await vm.shell.ok("stat --format %a /boot/config/config.json")).toBe("600\n");
      expect(await vm.shell.ok("cat /boot/config/config.json")).toContain('"domain_name": "node1.example.org"');
      expect(await vm.shell.ok("cat /boot/config/ssh_authorized_keys/admin")).toContain("admin of the lab");
      // Its guest is started from the volume that was written.
      const isUp = `guestos-boot guest --json | grep -Eq '"state": ?"running"'`;
      await vm.shell.ok(`until ${isUp}; do sleep 3; done`, { timeout: 2 * BOOT_TIMEOUT });
    } finally {
      await vm.powerCut();
      running.delete(vm);
    }
  });
});
