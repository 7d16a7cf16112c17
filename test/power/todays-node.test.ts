import { copyFile, rm } from "node:fs/promises";
import { expect, test, vi } from "vitest";
import { image } from "../../image/paths.ts";
import { makeDisk } from "../../lab/disk.ts";
import { withPanicRetry } from "../../lab/panic-retry.ts";
import { tool } from "../../lab/tool.ts";
import { sampleConfig } from "../support/guestos-config-samples.ts";
import { looseMedium, seedMedium, seedTar, todaysMedium, todaysTar, type Tree } from "../support/todays-media.ts";
import { runDocument } from "../vm/support/chain.ts";
import { BOOT_TIMEOUT, diskOf } from "../vm/support/node.ts";
import { boot, DIGEST, DONE, KEY, on, SSH_KEY, TODAY } from "../vm/support/todays-boots.ts";

/**
 * Media of two eras, made by GNU tar and mtools as the hosts of each make them: a node of today's host with a tar, without its medium, and with
 * an upgrade VM beside it; and one that changes over and back. Of these test/vm/upgrade.test.ts has the change-over alone.
 */
vi.setConfig({ testTimeout: 6 * BOOT_TIMEOUT });

test("a node of today's host comes up, has nothing to do in a second run, and goes on without its medium and says so", async () =>
  withPanicRetry(async () => {
    const name = "today-tar";
    const disk = await makeDisk({ backing: image.disk, path: diskOf(name), size: "12G" });
    const medium = todaysMedium(todaysTar(TODAY));
    const today = {
      ...{ hostname: "guest-b07b25c8f6c0", addresses: ["2001:db8:7::17/64"], key: `${DIGEST} 400 ic-replica` },
      ...{ accounts: "recovery", inForce: true },
    };
    const pull = `exec 3<>/dev/tcp/localhost/19531; printf 'GET /machine HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3 | tr -d '\\r'`;
    const first = await boot({ name, disk, medium, again: true }, `bash -c "${pull}"; cat /etc/machine-id`);
    expect(first).toMatchObject({ ...today, status: DONE });
    // Pulled from the journal's gateway, which has the first connection start it.
    expect(first.further).toMatch(/^HTTP\/1\.\d 200 OK\n[^]*"machine_id" : "(\w{32})"[^]*\n\1\n$/);
    expect(first.injection).toContain("unchanged");
    // As if the node's own system were that in the other slot, from now on.
    const without = await boot({ name, disk }, "sed -i s/boot_alternative=A/boot_alternative=B/ /boot/grub/grubenv");
    expect(without).toMatchObject(today);
    expect(without.injection).toContain("no configuration medium was found; the configuration of the last boot stays in force");
    await isLeftAloneByUpgradeVm(name, disk);
  }));

const UPGRADE: Tree = { "config.json": sampleConfig("1.17.0", (config) => (config["guest_vm_type"] = "upgrade")) };

const OF_THE_NODE = [
  ...["data-owners", "ic-config", "injected-data", "orchestrator", "store-key", "upgrade-data-store", "upgrade-state"],
  ...["volume-filesystems", "volume-mounts", "volumes"],
];

/** Boots the upgrade VM of a node on its disk: not a byte of the store's partition changes, and the state of the slots is as it was. */
async function isLeftAloneByUpgradeVm(name: string, disk: string): Promise<void> {
  const before = `${disk}.before`;
  await copyFile(disk, before);
  try {
    const output = await on(
      { name, disk, medium: looseMedium(UPGRADE) },
      `guestos-boot status | head -1
      ls /dev/mapper /run/config/guest_vm_type | tr '\\n' ' '; echo
      mountpoint /var; mountpoint /var/lib/ic/data
      grep --text boot_alternative /boot/grub/grubenv; grep guest_vm_type /boot/config/config.json | tr -d ' ,'
      echo $(cat /sys/class/block/vda10/start /sys/class/block/vda10/size); guestos-boot status --json`,
    );
    const [status, names = "", isVar, isData, grubenv, kept, place = "", ...document] = output.split("\n");
    expect({ status, names: names.trim(), isVar, isData, grubenv, kept }, output).toEqual({
      ...{ status: DONE, names: "/dev/mapper: control var_crypt vroot  /run/config/guest_vm_type: upgrade" },
      ...{ isVar: "/var is a mountpoint", isData: "/var/lib/ic/data is not a mountpoint" },
      ...{ grubenv: "boot_alternative=B", kept: '"guest_vm_type":"default"' },
    });
    const why = "absent: this is not the node itself: the type of this VM is upgrade";
    const absent = runDocument({ stdout: document.join("\n") }).units.filter(({ notes }) => notes.includes(why));
    expect(absent.map((unit) => unit.name).toSorted()).toEqual(OF_THE_NODE);
    const [start = 0, size = 0] = place.split(" ").map((sectors) => Number(sectors) * 512);
    const partition = (path: string): string =>
      `json:${JSON.stringify({ driver: "raw", offset: start, size, file: { driver: "qcow2", file: { driver: "file", filename: path } } })}`;
    await tool("qemu-img", ["compare", partition(before), partition(disk)], { timeout: 120_000 });
  } finally {
    await rm(before, { force: true });
  }
}

const OLD: Tree = {
  "network.conf": "ipv6_address=2001:db8:7::16/64\r\nipv6_gateway=2001:db8:7::1\nhostname=guest-old\ndomain=\n",
  "nns.conf": "nns_url=https://icp-api.io,https://icp0.io\n",
  "node_operator_private_key.pem": KEY,
  "accounts_ssh_authorized_keys/admin": SSH_KEY,
};

test("a node of the seed era changes over to today's host, and back, and keeps its keys", async () =>
  withPanicRetry(async () => {
    const name = "today-change-over";
    const disk = await makeDisk({ backing: image.disk, path: diskOf(name), size: "12G" });
    const old = { hostname: "guest-old", addresses: ["2001:db8:7::16/64"], key: `${DIGEST} 600 ic-replica`, accounts: "admin" };
    const seed = seedMedium(seedTar(OLD));
    expect(await boot({ name, disk, medium: seed })).toMatchObject({ ...old, inForce: false, status: DONE });
    const changed = await boot({ name, disk, medium: looseMedium(TODAY) });
    expect(changed).toMatchObject({
      ...old,
      hostname: "guest-b07b25c8f6c0",
      addresses: ["2001:db8:7::17/64"],
      inForce: true,
      status: DONE,
    });
    expect(changed.injection).toContain("the host hands over config.json now");
    const back = await boot({ name, disk, medium: seed, isLast: true });
    expect(back).toMatchObject({ ...old, inForce: false, status: DONE });
    expect(back.injection).toContain("the host hands over *.conf files again");
  }));
