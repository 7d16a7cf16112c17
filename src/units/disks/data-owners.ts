import { type Action, provision } from "../../boot/unit.ts";
import { giveTree } from "../../system/files/ownership.ts";
import { injectedData } from "../injection/injected-data.ts";
import { unit } from "../machine.ts";
import { upgradeDataStore } from "../slots/upgrade-data-store.ts";
import { dataParts, PART_FOLDER } from "./data-parts.ts";
import { volumeMounts } from "./volume-mounts.ts";
import { besideNode } from "../injection/vm-type.ts";

/**
 * Afterwards each part of the node's data belongs to the account that writes it and to the group that reads it, and to no one else:
 * folders 2750, files 0640. A folder that is not there is made.
 *
 * It requires the mounted volumes, the injected data, and the layout of this version, which gives the whole store to one account. What is
 * below a folder is inspected only where the folder itself differs: it is changed last, so it is right only once all below it is. Files
 * that the node's programs make later inherit the group. There is no conflict: what is there keeps its content.
 *
 * An image without one of the accounts does not have the program that it is for, and that part is left as it is.
 */
export const dataOwners = unit({
  name: "data-owners",
  title: "Give the node's data to the accounts that use it",
  absent: besideNode,
  requires: [volumeMounts, injectedData, upgradeDataStore],
  onFailure: "degrade",
  // Time for millions of files on a slow disk.
  timeout: 40 * 60_000,
  async plan(machine) {
    const { host } = machine;
    const actions: Action[] = [];
    for (const { folder, account, group, uid, gid } of await dataParts(machine)) {
      const facts = await host.stat(folder);
      if (facts?.kind === "folder" && facts.uid === uid && facts.gid === gid && facts.mode === PART_FOLDER) continue;
      actions.push(
        provision(`give ${folder} to ${account}:${group}`, async () => {
          await host.makeFolder(folder, { mode: 0o750 });
          await giveTree(host, folder, { uid, gid, mode: PART_FOLDER });
        }),
      );
    }
    return actions;
  },
});
