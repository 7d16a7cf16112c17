import { join } from "node:path";
import { type Action, provision } from "../../boot/unit.ts";
import { readAccounts } from "../../system/files/accounts.ts";
import { giveTree } from "../../system/files/ownership.ts";
import type { Layout } from "../../config/layout/layout.ts";
import { injectedData } from "../injection/injected-data.ts";
import { unit } from "../machine.ts";
import { upgradeDataStore } from "../slots/upgrade-data-store.ts";
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
  async plan({ host, layout }) {
    const { accounts, groups } = await readAccounts(host, layout.etc.folder);
    const actions: Action[] = [];
    for (const { folder, account, group } of partsOf(layout)) {
      const uid = accounts.get(account)?.uid;
      const gid = groups.get(group);
      if (uid === undefined || gid === undefined) continue;
      const facts = await host.stat(folder);
      if (facts?.kind === "folder" && facts.uid === uid && facts.gid === gid && facts.mode === FOLDER_MODE) continue;
      actions.push(
        provision(`give ${folder} to ${account}:${group}`, async () => {
          await host.makeFolder(folder, { mode: 0o750 });
          const owner = { uid, gid, mode: FOLDER_MODE };
          // A new node's are empty: four programs each would be a third of all that its first boot starts.
          if ((await host.list(folder))?.length === 0) await host.setAttributes(folder, owner);
          else await giveTree(host, folder, owner);
        }),
      );
    }
    return actions;
  },
});

/** Set-group-ID: what is made in it gets its group. */
const FOLDER_MODE = 0o2750;

interface Part {
  readonly folder: string;
  readonly account: string;
  readonly group: string;
}

/** Of IC-OS (components/guestos/setup-permissions). A part that lies in another one comes after it. */
function partsOf({ mountPoints }: Layout): readonly Part[] {
  const data = (name: string, group: string, account = "ic-replica"): Part => ({ folder: join(mountPoints.data, name), account, group });
  return [
    { folder: mountPoints.backup, account: "ic-replica", group: "backup" },
    { folder: mountPoints.crypto, account: "ic-csp-vault", group: "ic-csp-vault" },
    data("ic_consensus_pool", "ic-consensus-pool"),
    data("ic_state", "nonconfidential"),
    data("ic_state/page_deltas", "nonconfidential"),
    data("cups", "nonconfidential"),
    data("orchestrator", "nonconfidential"),
    data("ic_registry_local_store", "ic-registry-local-store"),
    data("recovery", "nonconfidential", "admin"),
    data("ic_adapter/dogecoin_mainnet_cache", "nonconfidential"),
    data("ic_adapter/dogecoin_testnet_cache", "nonconfidential"),
  ];
}
