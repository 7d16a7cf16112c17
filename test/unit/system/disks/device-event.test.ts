import { describe, expect, test } from "vitest";
import { UDEV_CONTROL } from "../../../../src/system/disks/device-event.ts";
import { makeFileSystem } from "../../../../src/system/disks/mkfs.ts";
import { fakeHost } from "../../../support/fake-host.ts";

describe("udev is told of what was made on a device", () => {
  const request = { fileSystem: "swap", uuid: "0c1f7d3a-0b5c-4d6e-8f90-123456789abc", label: "swap" } as const;
  const commands = { [`mkswap --force --uuid ${request.uuid} --label swap /dev/mapper/store-swap`]: "" };
  const links = { "/dev/mapper/store-swap": "../dm-3" };

  test("after the tool, by the kernel's name of the device", async () => {
    const host = fakeHost({ commands, links, files: { [UDEV_CONTROL]: "" } });
    await makeFileSystem(host, "/dev/mapper/store-swap", request);
    expect(host.effects.at(-1)).toBe("overwrite /sys/class/block/dm-3/uevent");
  });

  test("nobody is told where no udev runs", async () => {
    const host = fakeHost({ commands, links });
    await makeFileSystem(host, "/dev/mapper/store-swap", request);
    expect(host.effects.filter((effect) => effect.includes("uevent"))).toEqual([]);
  });
});
