import { expect, test, vi } from "vitest";
import { tool } from "../../lab/tool.ts";
import { guestosBoot, runDocument } from "../vm/support/chain.ts";
import { injectedNode } from "../vm/support/injected-node.ts";
import { lastingState } from "../vm/support/lasting-state.ts";
import { BOOT_TIMEOUT, bootedNode, diskOf, untilBooted } from "../vm/support/node.ts";

/** A power cut within the write of the config partition's superblock: its sectors are then of two times (docs/reliability.md, "What was found"). */

vi.setConfig({ testTimeout: 3 * BOOT_TIMEOUT });

const NAME = "torn";
/** ext4: the superblock is 1024 bytes behind the start of the file system, and s_mtime, the time of the last mount, at 0x2c of it. */
const MOUNT_TIME = 1024 + 0x2c;

const first = bootedNode(async () => ({ name: NAME, boot: "kernel", config: (await injectedNode()).config }));
let before: Awaited<ReturnType<typeof lastingState>>;

const torn = bootedNode(() =>
  first.use(async (vm) => {
    before = await lastingState(vm);
    const start = Number(await vm.shell.ok("cat /sys/class/block/vda3/start"));
    if ((await vm.shutdown({ timeout: BOOT_TIMEOUT })) !== "clean") throw new Error("the node did not end by itself");
    const place = start * 512 + MOUNT_TIME;
    await tool("qemu-io", ["-f", "qcow2", "-c", `write -P 0x11 ${place} 4`, diskOf(NAME)]);
    return { name: "torn-again", disk: diskOf(NAME), boot: "kernel" };
  }),
);

test("the node boots, with its machine id and all that it had, and says that the file system was repaired", () =>
  torn.use(async (vm) => {
    expect(await untilBooted(vm)).toBe("running");
    // The kernel does not take it: or this test would show nothing.
    expect(await vm.shell.ok("journalctl -b -k -o cat")).toMatch(
      /EXT4-fs \(vda3\): VFS: Found ext4 filesystem with invalid superblock checksum/,
    );
    const { outcome, units } = runDocument(await guestosBoot(vm, "status --json"));
    expect(outcome).toBe("done");
    expect(units.filter(({ outcome: how }) => how !== "unchanged").map(({ name, outcome: how }) => [name, how])).toEqual([]);
    expect(await vm.shell.ok("guestos-boot status")).toContain("it was checked and repaired");
    const after = await lastingState(vm);
    // What udev knows of a device that was formatted in this boot is another thing.
    const parts = Object.keys(before).filter((part) => part !== "file systems and partitions");
    for (const part of parts) expect(after[part], part).toEqual(before[part]);
  }));
