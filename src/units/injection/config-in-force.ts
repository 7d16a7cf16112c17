import { dirname, join } from "node:path";
import { type Action, activate } from "../../boot/unit.ts";
import { hasDevelopmentSettings, isDevelopmentImage, scanGuestosConfig } from "../../config/guestos-config.ts";
import type { GuestVmType } from "../../config/state/guest-vm-type.ts";
import { accountNamed, readAccounts } from "../../system/files/accounts.ts";
import type { FileAttributes } from "../../system/host.ts";
import type { Machine } from "../machine.ts";

/** The account of the node software, as which the orchestrator reads it. */
const READER = "ic-replica";

/**
 * What is missing until config.json is in force in this boot as that text, on a tmpfs; or until none is in force. Programs of the node read
 * it there, and services have conditions on the type of the VM (dfinity/ic, init-config.sh). A host that hands over no config.json starts no
 * other VM than the node itself.
 *
 * @param text without the operator's key; `undefined` where the host hands over no config.json
 */
export async function configInForce(machine: Machine, text: string | undefined): Promise<readonly Action[]> {
  const { host, layout, note } = machine;
  const { guestosConfig: file, networkKey } = layout;
  if (text === undefined) {
    const present = [file, networkKey.inForce].map(async (path) => ((await host.stat(path)) === undefined ? [] : [path]));
    const removals = (await Promise.all(present))
      .flat()
      .map((path) => activate(`remove ${path}, which no medium brings`, async () => host.remove(path)));
    return layout.medium.guestosConfig === undefined ? removals : [...removals, ...(await typeInForce(machine, "default"))];
  }
  const { uid, gid } = accountNamed(await readAccounts(host, layout.etc.folder), READER);
  // Of development settings, some are secrets of a test network.
  const attributes: FileAttributes = { mode: 0o400, uid, gid };
  const facts = await host.stat(file);
  const hasAttributes = facts?.kind === "file" && facts.mode === attributes.mode && facts.uid === uid && facts.gid === gid;
  const { config } = scanGuestosConfig(Buffer.from(text), file);
  const isForDevelopment = await isDevelopmentImage(host, layout);
  const isIgnored = hasDevelopmentSettings(config) && !isForDevelopment;
  const actions: Action[] = [];
  if (!hasAttributes || (await host.readText(file)) !== text) {
    actions.push(
      activate(`put config.json in force: ${file}`, async () => {
        if (isIgnored) note("config.json: settings for development are ignored, because this image is for the public network");
        await host.makeFolder(dirname(file), { mode: 0o755 });
        await host.writeFile(file, text, attributes);
      }),
    );
  }
  // The host must not choose the network that a node trusts, except for one under test.
  const override = isForDevelopment ? config.guestos_settings.guestos_dev_settings.nns_pub_key_override : null;
  const key = override ?? (await host.readText(networkKey.ofImage));
  if (key !== undefined && (await host.readText(networkKey.inForce)) !== key) {
    actions.push(
      activate(`put the network's public key in force: ${networkKey.inForce}`, async () => {
        await host.makeFolder(dirname(networkKey.inForce), { mode: 0o755 });
        await host.writeFile(networkKey.inForce, key, { mode: 0o444 });
      }),
    );
  }
  return [...actions, ...(await typeInForce(machine, config.guest_vm_type))];
}

/** @param type one of three words: a text of the host's never becomes a name */
async function typeInForce({ host, layout }: Machine, type: GuestVmType): Promise<readonly Action[]> {
  const folder = layout.guestVmType;
  const present = (await host.list(folder)) ?? [];
  if (present.length === 1 && present[0] === type) return [];
  return [
    activate(`note the type of this VM: ${join(folder, type)}`, async () => {
      await host.remove(folder);
      await host.makeFolder(folder, { mode: 0o755 });
      await host.writeFile(join(folder, type), "", { mode: 0o644 });
    }),
  ];
}
