import { execFileSync } from "node:child_process";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { install } from "../../../src/upgrade/install.ts";
import type { Place } from "../../../src/upgrade/slot-places.ts";
import { imageTar, noise, smallImage } from "../../support/update-images.ts";
import { bytesSource, upgradeMachine } from "../../support/upgrade-machine.ts";

const MIB = 1024 * 1024;

/** A loop device over a new file, full of something. */
function loopDevice(path: string, bytes: number): Place {
  writeFileSync(path, "");
  truncateSync(path, bytes);
  const device = execFileSync("losetup", ["--find", "--show", path], { encoding: "utf8" }).trim();
  onTestFinished(() => void execFileSync("losetup", ["--detach", device]));
  writeFileSync(device, Buffer.alloc(bytes, "junk"));
  return { path: device, bytes, kind: "block-device" };
}

test("partitions that are block devices are written past the page cache, and their zeros by one command", async () => {
  using machine = upgradeMachine();
  const root = Buffer.concat([noise(3 * MIB + 77, "r"), Buffer.alloc(20 * MIB), noise(MIB, "s")]);
  // An odd number of sectors, as the last partition of a disk may have.
  const places = {
    boot: loopDevice(join(machine.root, "boot.loop"), MIB + 512),
    root: loopDevice(join(machine.root, "root.loop"), 26 * MIB),
    var: loopDevice(join(machine.root, "var.loop"), 18 * MIB),
  };
  const image = { ...smallImage, boot: noise(MIB + 512, "boot"), root };
  const request = {
    source: bytesSource(imageTar(image)),
    trust: { kind: "insecure" } as const,
    allowDowngrade: false,
    onProgress: () => undefined,
  };
  const installed = await install(machine.host, machine.layout, request, async () => places);
  const content = (device: string, bytes: number): Buffer =>
    execFileSync("dd", [`if=${device}`, "bs=1M", "status=none"], { maxBuffer: 64 * MIB }).subarray(0, bytes);
  expect(content(places.boot.path, image.boot.length).equals(image.boot)).toBe(true);
  expect(content(places.root.path, root.length).equals(root)).toBe(true);
  expect(content(places.var.path, 16 * MIB).every((byte) => byte === 0)).toBe(true);
  expect(machine.tools.map(({ program, args }) => `${program} ${args.join(" ")}`)).toContain(
    `xargs --max-lines=1 blkdiscard --zeroout ${places.root.path}`,
  );
  expect(installed.root.zeroed).toBeGreaterThan(18 * MIB);
  const again = await install(machine.host, machine.layout, { ...request, source: bytesSource(imageTar(image)) }, async () => places);
  expect(again.root).toMatchObject({ written: 0, zeroed: 0 });
});
