import { expect, test, vi } from "vitest";
import { startVirtualMachine } from "../../lab/start-virtual-machine.ts";
import { makeDisk } from "../../lab/disk.ts";
import { image } from "../../image/paths.ts";
import { documents } from "../../tools/schemas/documents.ts";
import { guestosBoot } from "../vm/support/chain.ts";
import { injectedNode } from "../vm/support/injected-node.ts";
import { configMedium } from "../vm/support/media.ts";
import { BOOT_TIMEOUT, bootedNode, diskOf, kernelBoot, untilBooted } from "../vm/support/node.ts";

const NAME = "interrupted";
vi.setConfig({ testTimeout: 3 * BOOT_TIMEOUT });

/** A first boot that loses its power while the store is made: that takes longer than what the medium brings for the config partition. */
const next = bootedNode(async () => {
  const { config } = await injectedNode();
  const disk = await makeDisk({ backing: image.disk, path: diskOf(NAME), size: "12G" });
  const media = [{ id: "config", image: await configMedium(NAME, config) }];
  const boot = await kernelBoot();
  const vm = await startVirtualMachine({ name: NAME, disk: { path: disk, interface: "virtio" }, boot, media });
  try {
    await vm.waitForSerial(/ config-injection +changed/, { timeout: BOOT_TIMEOUT });
  } finally {
    await vm.powerCut();
  }
  return { name: NAME, disk, boot: "kernel", media };
});

test("the boot after one that lost its power says where that was, and what was done about it", ({ annotate }) =>
  next.use(async (vm) => {
    expect(await untilBooted(vm)).toBe("running");
    const document = documents.status.schema.parse(JSON.parse((await guestosBoot(vm, "status --json")).stdout));
    const { bootId, run, at = [], redone = [] } = document.runs[0]?.interrupted ?? {};
    expect(run).toBe("boot");
    expect(bootId).toMatch(/^[0-9a-f-]{36}$/);
    expect(bootId).not.toBe(document.bootId);
    const units = at.map(({ unit }) => unit);
    await annotate(`cut off at ${at.map(({ unit, action }) => `${unit}: ${action}`).join("; ")}`);
    expect(units).not.toEqual([]);
    expect(units).toEqual(expect.arrayContaining(redone.map(({ unit }) => unit)));

    const said = /note: boot [0-9a-f]{8} was cut off at /;
    expect(vm.serial.text).toMatch(said);
    const { stdout } = await guestosBoot(vm, "status");
    expect(stdout).toMatch(/^boot [0-9a-f]{8} was cut off at /m);
    if (redone.length > 0) expect(stdout.replaceAll(/\n +/g, " ")).toMatch(/; done since: /);
    expect((await guestosBoot(vm, `why ${units[0]}`)).stdout).toMatch(/^ {2}before +boot [0-9a-f]{8}, begun /m);
    expect(await vm.shell.ok("journalctl -b -q -o cat GUESTOS_EVENT=interrupted")).toContain("was cut off at");
    expect(await vm.shell.ok("ls -A /boot/config")).not.toContain("unfinished-run");
  }));
