import { activate } from "../../boot/unit.ts";
import { proveArchive } from "../../setupos/write-disk.ts";
import { unit } from "../machine.ts";
import { checkConfig } from "./check-config.ts";
import { installationOf, progressOf } from "./installation.ts";
import { stickOf } from "./stick.ts";

/**
 * Afterwards both archives on the stick were read to their ends in this boot, and are what the stick says of them. No drive is touched before
 * that: a stick that is damaged must not leave a machine without a system.
 *
 * The note of it is on a tmpfs. Where the node is installed already, nothing is read. There is no conflict.
 */
export const checkImages = unit({
  name: "check-images",
  title: "Check the images on the stick",
  requires: [checkConfig],
  owns: ["/run/guestos-boot/proven.json", "/run/guestos-boot/progress/check-images.json"],
  // Virtual media of a BMC may give less than 1 MB/s.
  timeout: 6 * 3_600_000,
  async plan(machine) {
    const { host } = machine;
    const { proven } = stickOf(machine);
    const { plan, hostos, guestos } = await installationOf(machine);
    if (plan.phase === "complete") return [];
    const wanted = JSON.stringify([hostos.image.sha256, guestos.image.sha256]);
    if ((await host.readText(proven)) === wanted) return [];
    const onProgress = progressOf(machine, "check-images");
    return [
      ...[hostos, guestos].map((archive) =>
        activate(`read ${archive.file} and compare its hash`, async () => proveArchive(host, archive, onProgress)),
      ),
      activate("note that the images are whole", async () => host.writeFile(proven, wanted, { mode: 0o644 })),
    ];
  },
});
