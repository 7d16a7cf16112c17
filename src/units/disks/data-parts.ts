import { join } from "node:path";
import type { Layout } from "../../config/layout/layout.ts";
import { readAccounts } from "../../system/files/accounts.ts";
import type { Machine } from "../machine.ts";

/** A folder of the node's data, of which one account is the owner and one group the reader, with all that is in it. */
export interface DataPart {
  readonly folder: string;
  readonly account: string;
  readonly group: string;
  readonly uid: number;
  readonly gid: number;
}

/** Files of a part: the owner writes, the group reads. */
export const PART_FILE = 0o640;

/** Folders of a part. Set-group-ID: what is made in it gets its group. */
export const PART_FOLDER = 0o2750;

/** @returns the parts for which this image has the account and the group; one that lies in another one comes after it */
export async function dataParts({ host, layout }: Pick<Machine, "host" | "layout">): Promise<readonly DataPart[]> {
  const { accounts, groups } = await readAccounts(host, layout.etc.folder);
  return table(layout).flatMap(([folder, group, account]) => {
    const uid = accounts.get(account)?.uid;
    const gid = groups.get(group);
    return uid === undefined || gid === undefined ? [] : [{ folder, account, group, uid, gid }];
  });
}

/** @returns the part that holds a path: the innermost one */
export function partOf(parts: readonly DataPart[], path: string): DataPart | undefined {
  return parts.findLast(({ folder }) => path === folder || path.startsWith(`${folder}/`));
}

/** Of IC-OS (components/guestos/setup-permissions). */
function table({ mountPoints }: Layout): readonly (readonly [folder: string, group: string, account: string])[] {
  const data = (name: string, group: string, account = "ic-replica") => [join(mountPoints.data, name), group, account] as const;
  return [
    [mountPoints.backup, "backup", "ic-replica"],
    [mountPoints.crypto, "ic-csp-vault", "ic-csp-vault"],
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
