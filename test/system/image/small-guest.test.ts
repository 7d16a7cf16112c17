import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeSmallGuest } from "../../../image/small-guest/small-guest.ts";
import { readGuestSlot, takeSlot } from "../../../src/guest/slot.ts";
import { systemHost } from "../../../src/system/host.ts";
import { blockOf } from "../../../src/upgrade/boot-state.ts";
import { testPlaces } from "../../support/guest-disk.ts";
import { namespaceRoot } from "../../support/namespace.ts";

/** A root tree with this machine's own mke2fs, and files in the places of what the guest is made of. */
function rootTree(tree: string): void {
  mkdirSync(join(tree, "usr/lib/klibc/bin"), { recursive: true });
  for (const path of ["etc", "lib64", "usr/bin", "usr/sbin", "usr/lib/x86_64-linux-gnu"]) symlinkSync(join("/", path), join(tree, path));
  for (const name of ["sh", "mount", "insmod", "dd", "sync", "poweroff", "reboot"])
    writeFileSync(join(tree, "usr/lib/klibc/bin", name), name);
  writeFileSync(join(tree, "usr/lib/klibc-abc.so"), "library");
  const vsock = ["vsock", "vmw_vsock_virtio_transport_common", "vmw_vsock_virtio_transport"].map((name) => `net/vmw_vsock/${name}`);
  for (const name of ["drivers/acpi/button", "drivers/input/evdev", "drivers/block/virtio_blk", ...vsock]) {
    const file = join(tree, "usr/lib/modules/6.1/kernel", `${name}.ko`);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, `module ${name}`);
    expect(spawnSync("xz", [file]).status).toBe(0);
  }
}

test("a host finds both systems on the disk of the small guest; what B writes into its sector confirms it", async () => {
  const root = namespaceRoot();
  const [system, work, kernel] = ["system", "work", "kernel"].map((name) => join(root, name)) as [string, string, string];
  rootTree(system);
  mkdirSync(work);
  writeFileSync(kernel, "a kernel");
  const [host, places] = [systemHost(), testPlaces(root)];
  await makeSmallGuest(places.disk, { system, kernel, sizeMiB: 96, work, epoch: 1_767_225_600 });
  const take = async () => takeSlot(host, places, async () => undefined);

  const a = await take();
  expect(a).toMatchObject({
    slot: "A",
    onTrial: false,
    cmdline: expect.stringMatching(/dfinity\.system=A guest_says=SUCCESS guest_asks=GetHostOSVersion$/),
  });
  expect(readFileSync(a.kernel, "utf8")).toBe("a kernel");
  const initrd = readFileSync(a.initrd, "latin1");
  for (const part of ["#!/bin/sh", "#!/usr/bin/perl", "module drivers/block/virtio_blk", "usr/lib/klibc-abc.so"])
    expect(initrd).toContain(part);

  const at = (image: Buffer) => image.indexOf("# GRUB Environment Block");
  const disk = readFileSync(places.disk);
  const first = at(disk);
  disk.set(blockOf({ alternative: "B", cycle: "first_boot", trial: undefined }, []), first);
  writeFileSync(places.disk, disk);
  const b = await take();
  expect(b).toMatchObject({ slot: "B", onTrial: true });
  const sector = Number(/guest_block=(\d+)$/.exec(b.cmdline)?.[1]);
  expect(sector * 512).toBe(first);
  // As its first process does.
  const confirmed = join(root, "confirmed");
  writeFileSync(confirmed, blockOf({ alternative: "B", cycle: "stable", trial: undefined }, []));
  expect(spawnSync("dd", [`if=${confirmed}`, `of=${places.disk}`, "bs=512", `seek=${sector}`, "conv=notrunc"]).status).toBe(0);
  expect(await readGuestSlot(host, places)).toMatchObject({ next: "B", onTrial: false, state: { cycle: "stable" } });
});
