import { join } from "node:path";
import { activate } from "../../boot/unit.ts";
import { guestosConfigOf, readHostosConfig } from "../../config/hostos-config.ts";
import { osConfigText } from "../../config/os-config-text.ts";
import { hostosConfig } from "./hostos-config.ts";
import { unit } from "../machine.ts";

/**
 * Afterwards there is an image of the medium by which the guest gets its configuration, made from the host's.
 *
 * It requires the host's configuration alone. The image and what it is made from are on a tmpfs, and root alone can read them: the operator's
 * key is in both. The same configuration gives the same bytes. There is no conflict. If it fails, the host comes up without its guest.
 */
export const guestMedium = unit({
  name: "guest-medium",
  title: "Build the medium with the guest's configuration",
  requires: [hostosConfig],
  owns: [
    "/run/guestos-boot/guest-medium",
    "/run/guestos-boot/guest-config.img",
    "/run/guestos-boot/guest-medium.new",
    "/run/guestos-boot/.guest-config.img.building",
  ],
  onFailure: "degrade",
  async plan({ host, layout }) {
    const { folder, image } = layout.runFiles.guestMedium;
    const { config } = await readHostosConfig(host, layout);
    const text = Buffer.from(osConfigText(guestosConfigOf(config, { type: "default" })));
    const file = join(folder, "config.json");
    const present = await host.readBytes(file);
    const isSame = present !== undefined && text.equals(present);
    if (isSame && (await host.stat(image)) !== undefined) return [];
    return [
      activate(`build ${image}`, async () => {
        const { buildConfigImage } = await import("../../medium/config-image.ts");
        const { guestosMedium: contents } = await import("../../medium/guestos-medium.ts");
        // The text last: where it is as it shall be, the image is too.
        const source = `${folder}.new`;
        await host.remove(source);
        await host.makeFolder(source, { mode: 0o700 });
        await host.writeFile(join(source, "config.json"), text, { mode: 0o600 });
        await buildConfigImage(host, { contents, folder: source, out: image });
        await host.remove(folder);
        await host.rename(source, folder);
      }),
    ];
  },
});
