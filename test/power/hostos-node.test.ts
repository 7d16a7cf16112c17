import { execFileSync } from "node:child_process";
import { truncate } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test, vi } from "vitest";
import { imageOf, stateFolder } from "../../image/paths.ts";
import { userMode } from "../../lab/accelerator.ts";
import { makeDisk } from "../../lab/disk.ts";
import { startVirtualMachine } from "../../lab/start-virtual-machine.ts";
import type { VirtualMachine } from "../../lab/virtual-machine.ts";
import { guestos } from "../support/chains.ts";
import { guestosBoot, runDocument, troublesOf } from "../vm/support/chain.ts";
import { guestThat, isUp } from "../vm/support/guest.ts";
import { BOOT_TIMEOUT, kernelBoot, sharedNode, untilBooted } from "../vm/support/node.ts";
import { testImage } from "../vm/support/upgrade.ts";

/**
 * A whole node: the image of the GuestOS in the machine that HostOS makes for it. The host is a user-mode machine (docs/lab.md), so that its
 * guest is emulated on a real processor, and not on an emulated one.
 */

vi.setConfig({ testTimeout: 6 * BOOT_TIMEOUT });

const NAME = "hostos-node";
const GIB = 1024 ** 3;
/** Of lab/hostos-config.json, by the formula of IC-OS. */
const GUEST_ADDRESS = "2001:db8:6772:0:6801:a5ff:fecf:dc85";

/** Puts the image on the guest's volume, as an installer does, and lets the lab log in to the guest. */
const INSTALL = `set -e
  guestos-boot guest stop
  pvresize -q /dev/ubda3
  lvextend -q --size 10G hostlvm/guestos
  dd if=/dev/ubdb of=/dev/hostlvm/guestos bs=4M iflag=direct oflag=direct conv=fsync,sparse status=none
  ssh-keygen -q -t ed25519 -N '' -f /run/id
  mkdir -p /boot/config/ssh_authorized_keys
  cp /run/id.pub /boot/config/ssh_authorized_keys/admin
  sed -i -e 's/"vm_memory": 1/"vm_memory": 2/' -e 's/"use_ssh_authorized_keys": false/"use_ssh_authorized_keys": true/' /boot/config/config.json
  guestos-boot --unit hostos-config --unit guest-medium
  guestos-boot guest start`;

const prepared = testImage("0.2.0");

const host = sharedNode(async () => {
  const disk = await makeDisk({ backing: imageOf("hostos").disk, path: join(stateFolder(NAME), "disk.img"), format: "raw" });
  await truncate(disk, 16 * GIB);
  // The third one is the volume group's.
  execFileSync("sfdisk", ["--quiet", "--no-reread", "--partno", "3", disk], { input: ", +" });
  const vm = await startVirtualMachine({
    name: NAME,
    accelerator: userMode,
    memory: 4096,
    disk: { path: disk, format: "raw" },
    boot: await kernelBoot([], "hostos"),
    media: [
      { id: "guestos", image: imageOf("guestos").disk },
      { id: "update", image: (await prepared).path },
    ],
  });
  await untilBooted(vm);
  return vm;
});

const SSH = `ssh -i /run/id -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR admin@${GUEST_ADDRESS}`;
/** Runs a command in the guest as root, by ssh over the host's bridge. */
const inGuest = async (vm: VirtualMachine, command: string): Promise<string> =>
  vm.shell.ok(`${SSH} 'sudo ${command}' </dev/null`, { timeout: 2 * BOOT_TIMEOUT });
const MANAGEBOOT = "/opt/ic/bin/manageboot.sh guestos";

test("the GuestOS comes up in the machine of its host, with the configuration and the address that the host computed", () =>
  host.use(async (vm) => {
    expect(await troublesOf(vm)).toEqual({});
    await vm.shell.ok(INSTALL, { timeout: BOOT_TIMEOUT });
    await guestThat(vm, "GUESTOS BOOT SUCCESS", 4 * BOOT_TIMEOUT, (guest) => isUp(guest, "A"));
    const { units } = runDocument({ stdout: await inGuest(vm, "guestos-boot status --json") });
    expect(units.map(({ name }) => name)).toEqual(guestos.map(({ name }) => name));
    expect(units.filter(({ outcome }) => outcome === "failed" || outcome === "degraded")).toEqual([]);
  }));

test("the guest asks its host over vsock", () =>
  host.use(async (vm) => {
    expect(await inGuest(vm, "guestos-boot host version")).toBe("0.1.0\n");
    expect(await inGuest(vm, "guestos-boot host protocol")).toBe("1.0.0\n");
  }));

test("the guest upgrades itself, by the names that its orchestrator has: its host tries B, and B confirms itself and stays", () =>
  host.use(async (vm) => {
    const { bytes, sha256 } = await prepared;
    const file = "/var/lib/ic/data/images/update.tar";
    // By a vsock, which neither encrypts nor has a firewall.
    await vm.shell.ok(`{ head -c ${bytes} /dev/ubdc | socat -u - VSOCK-LISTEN:5000; } >/dev/null 2>&1 &`);
    await inGuest(vm, `sh -c "mkdir -p ${dirname(file)} && socat -u VSOCK-CONNECT:2:5000 CREATE:${file}"`);
    await inGuest(vm, `${MANAGEBOOT} upgrade-install ${file} --sha256 ${sha256}`);
    // It restarts the guest, which ends the connection.
    await vm.shell.run(`${SSH} sudo ${MANAGEBOOT} upgrade-commit`, { timeout: BOOT_TIMEOUT });
    const tried = await guestThat(vm, "B is up", 4 * BOOT_TIMEOUT, (guest) => isUp(guest, "B"));
    expect(tried.service.onTrial).toBe(true);
    await inGuest(vm, `${MANAGEBOOT} confirm`);
    expect(JSON.parse((await guestosBoot(vm, "guest slot --json")).stdout)).toMatchObject({
      next: "B",
      onTrial: false,
      grubenv: { alternative: "B", cycle: "stable" },
    });
    await guestosBoot(vm, "guest restart");
    const again = await guestThat(vm, "B is up again", 4 * BOOT_TIMEOUT, (guest) => isUp(guest, "B"));
    expect(again.service).toMatchObject({ onTrial: false });
    expect(again.service.problem).toBeUndefined();
  }));
