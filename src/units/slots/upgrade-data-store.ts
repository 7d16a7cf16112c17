import { join } from "node:path";
import { type Action, conflict, type Plan, provision } from "../../boot/unit.ts";
import { type Account, accountNamed, readAccounts } from "../../system/files/accounts.ts";
import type { Host } from "../../system/host.ts";
import { takeOwnership } from "../../system/files/ownership.ts";
import type { Problem } from "../../base/problem.ts";
import { injectedData } from "../injection/injected-data.ts";
import { unit } from "../machine.ts";
import { volumeMounts } from "../disks/volume-mounts.ts";
import { besideNode } from "../injection/vm-type.ts";

/**
 * Afterwards /var/lib/ic/data has the layout that this system expects, and its file `.layout-version` says so.
 *
 * It requires the mounted store, and the injected data in it. The version is stored on the data volume itself, so it stays true of this
 * data wherever the volume is moved. It is written after the change is on the disk: a crash in between only repeats a step that can be
 * repeated. A conflict means that the store is newer than this system, or that its version cannot be read. An old program on a new layout
 * could destroy data, so the boot stops.
 */
export const upgradeDataStore = unit({
  name: "upgrade-data-store",
  title: "Migrate the data store to the layout of this version",
  absent: besideNode,
  requires: [volumeMounts, injectedData],
  owns: ["/var/lib/ic/data/.layout-version"],
  // Time for changing the ownership of millions of files on a slow disk.
  timeout: 40 * 60_000,
  async plan({ host, layout }) {
    return planMigrations(host, {
      folder: layout.mountPoints.data,
      owner: accountNamed(await readAccounts(host, layout.etc.folder), "ic-replica"),
      migrations: MIGRATIONS,
    });
  },
});

export interface Migration {
  /** For the operator: "give the data store to ic-replica". */
  readonly description: string;
  /** Changes the store durably. After a crash at any point, running it again completes it. */
  readonly run: (host: Host, store: Store) => Promise<void>;
  /** A cheap check whether a step that the version calls done still holds. For example, an account's number may have changed. */
  readonly holds?: (host: Host, store: Store) => Promise<boolean>;
}

export interface Store {
  readonly folder: string;
  readonly owner: Account;
  /** The one at index n leads from layout version n to n + 1. Migrations are only added, never removed. */
  readonly migrations: readonly Migration[];
}

const MIGRATIONS: readonly Migration[] = [
  {
    description: "give the data store to ic-replica",
    run: async (host, { folder, owner }) => takeOwnership(host, folder, owner),
    holds: async (host, { folder, owner }) => {
      const facts = await host.stat(folder);
      return facts?.uid === owner.uid && facts.gid === owner.gid;
    },
  },
];

/** A store without a version file is older than all versions: it is version 0. */
export async function planMigrations(host: Host, store: Store): Promise<Plan> {
  const { folder, migrations } = store;
  const file = join(folder, ".layout-version");
  const found = await readVersion(host, file);
  if (typeof found !== "number") return conflict(found);
  if (found > migrations.length) return conflict(tooNew(file, found, migrations.length));
  const actions: Action[] = [];
  for (const [index, migration] of migrations.entries()) {
    const version = index + 1;
    if (version > found) {
      actions.push(
        provision(`${migration.description} (layout version ${version})`, async () => {
          await migration.run(host, store);
          await host.writeFile(file, `${version}\n`, { mode: 0o644, uid: 0, gid: 0 });
        }),
      );
    } else if (migration.holds !== undefined && !(await migration.holds(host, store))) {
      actions.push(provision(`${migration.description} again`, async () => migration.run(host, store)));
    }
  }
  return actions;
}

/** The owner's programs can write to that folder, so a link there is not followed, and the file's content is not shown. */
async function readVersion(host: Host, file: string): Promise<number | Problem> {
  const facts = await host.stat(file);
  if (facts === undefined) return 0;
  const text = facts.kind === "file" && facts.size < 16 ? await host.readText(file) : undefined;
  if (text !== undefined && /^[1-9]\d{0,8}\n$/.test(text)) return Number(text);
  return {
    code: "data-version-unreadable",
    what: "the layout version of the data store cannot be read",
    where: { file },
    found: facts.kind === "file" ? `a file of ${facts.size} bytes` : `a ${facts.kind}`,
    expected: "a file with one number",
    todo: `inspect the store; if an old system wrote it, remove ${file}: then every migration runs again`,
  };
}

function tooNew(file: string, found: number, known: number): Problem {
  return {
    code: "data-store-newer",
    what: "the data store was written by a newer system",
    where: { file },
    found: `layout version ${found}`,
    expected: `at most version ${known}, which this system knows`,
    todo: "boot the newer system again, or upgrade this one (guestos-boot upgrade install)",
  };
}
