import { dirname, join } from "node:path";
import { activate } from "../../boot/unit.ts";
import { isDevelopmentImage } from "../../config/guestos-config.ts";
import { guestosConfigOf, readHostosConfig } from "../../config/hostos-config.ts";
import { osConfigText } from "../../config/os-config-text.ts";
import { usableKeys } from "../../config/values/usable-keys.ts";
import { KEYS_FOLDER } from "../../medium/medium-contents.ts";
import type { Host } from "../../system/host.ts";
import { hostosConfig } from "./hostos-config.ts";
import { type Machine, unit } from "../machine.ts";

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
  async plan(machine) {
    const { host, layout } = machine;
    const { folder, image } = layout.runFiles.guestMedium;
    const { config } = await readHostosConfig(host, layout);
    const keys = config.icos_settings.use_ssh_authorized_keys ? await keysForGuest(machine) : {};
    const files: Files = { ...keys, "config.json": osConfigText(guestosConfigOf(config, { type: "default" })) };
    if ((await areThere(host, folder, files)) && (await host.stat(image)) !== undefined) return [];
    return [
      activate(`build ${image}`, async () => {
        const { buildConfigImage } = await import("../../medium/config-image.ts");
        const { guestosMedium: contents } = await import("../../medium/guestos-medium.ts");
        const source = `${folder}.new`;
        await host.remove(source);
        await host.makeFolder(source, { mode: 0o700 });
        for (const [name, content] of Object.entries(files)) {
          await host.makeFolder(dirname(join(source, name)), { mode: 0o700 });
          await host.writeFile(join(source, name), content, { mode: 0o600 });
        }
        // What the image is made from is there only while the image is: else one that was interrupted could be taken for an earlier one.
        await host.remove(folder);
        await buildConfigImage(host, { contents, folder: source, out: image });
        await host.rename(source, folder);
      }),
    ];
  },
});

/** By their names in the medium. */
type Files = Readonly<Record<string, Uint8Array>>;

/**
 * The ssh keys of the host's accounts, for those of the guest. In an image for development alone: who may log in to a host must not be able to
 * log in to a node of the network (dfinity/ic, guestos_bootstrap_image.rs).
 */
async function keysForGuest({ host, layout, note }: Machine): Promise<Files> {
  if (!(await isDevelopmentImage(host, layout))) return {};
  const files: Record<string, Uint8Array> = {};
  for (const account of ["admin", "backup", "readonly"]) {
    const file = join(layout.config.accountKeys, account);
    const content = await host.readBytes(file);
    if (content === undefined) continue;
    const { text, problem } = usableKeys(content, file);
    if (problem !== undefined) note(`the guest gets the usable keys of ${file} alone: ${problem.what}`);
    files[`${KEYS_FOLDER}/${account}`] = Buffer.from(text);
  }
  return files;
}

/** Whether the folder has these files, and no other keys. */
async function areThere(host: Host, folder: string, files: Files): Promise<boolean> {
  const names = Object.keys(files);
  const keys = (await host.list(join(folder, KEYS_FOLDER))) ?? [];
  if (keys.some((account) => !names.includes(`${KEYS_FOLDER}/${account}`))) return false;
  const present = await Promise.all(names.map(async (name) => host.readBytes(join(folder, name))));
  return Object.values(files).every((content, index) => present[index] !== undefined && Buffer.from(content).equals(present[index]));
}
