import { dirname, join } from "node:path";
import { type Action, conflict, type Plan, provision } from "../../boot/unit.ts";
import { type DataItem, extractMediumData } from "../../medium/bootstrap-tar.ts";
import { type InjectedData, type Injection, readInjectedData, readInjection } from "../../config/state/injection-record.ts";
import { dataTarget, type MediumContents, STAGING, stagingFolders, topLevelEntries } from "../../medium/medium-contents.ts";
import { readerOf } from "../../medium/medium-source.ts";
import { writeState } from "../../config/state/state-file.ts";
import { digestOf } from "../../medium/tree-digest.ts";
import { accountNamed, readAccounts } from "../../system/files/accounts.ts";
import type { FileAttributes } from "../../system/host.ts";
import { noMedium, searchMedia } from "../../medium/medium.ts";
import { ProblemError } from "../../base/problem.ts";
import { giveTree, isNewFolder } from "../../system/files/ownership.ts";
import { syncFileSystem } from "../../system/disks/sync.ts";
import { configInjection } from "./config-injection.ts";
import { type GuestUnit, type Machine, unit } from "../machine.ts";
import { type DataPart, dataParts, PART_FILE, PART_FOLDER, partOf } from "../disks/data-parts.ts";
import { volumeMounts } from "../disks/volume-mounts.ts";
import { besideNode } from "./vm-type.ts";

/**
 * Afterwards everything that the configuration medium brought is in its place, and /boot/config/CONFIGURED says so permanently. From then
 * on this unit reads no medium again, and config-injection takes the configuration alone from one.
 *
 * It requires config-injection, which has checked the whole tar and recorded its digest, and the units that mount the file systems of the
 * profile's data. The medium is read once more, into a folder beside the target. The result is used only if the tar still has the recorded
 * digest. Each file or tree is put into place as a whole, by a rename. A conflict means that a target already exists with content that no
 * recorded medium brought: keys and state of a node are never replaced.
 *
 * @param places the units that mount the targets, and the paths of the targets
 */
export function injectedDataOn({ mounts, owns }: { readonly mounts: readonly GuestUnit[]; readonly owns: readonly string[] }): GuestUnit {
  return unit({
    name: "injected-data",
    title: "Store the injected keys and state",
    absent: besideNode,
    requires: [configInjection, ...mounts],
    owns: ["/boot/config/CONFIGURED", "/boot/config/injected-data.json", ...owns],
    // Time to read up to 4 GiB from a slow virtual medium.
    timeout: 15 * 60_000,
    retryFor: 10_000,
    plan: async (machine) => planData({ ...machine, contents: await machine.medium() }),
  });
}

/** The injected data of a GuestOS, on the volumes below /var/lib/ic. */
export const injectedData = injectedDataOn({
  mounts: [volumeMounts],
  owns: [
    ...["/var/lib/ic/data/ic_registry_local_store", "/var/lib/ic/data/ic_state", "/var/lib/ic/data/*.pem", "/var/lib/ic/crypto/*"],
    ...["/var/lib/ic/data/.injection", "/var/lib/ic/crypto/.injection"],
  ],
});

/** The machine, and the entries that a medium of its profile may hold. */
interface Work extends Machine {
  readonly contents: MediumContents;
}

async function planData(work: Work): Promise<Plan> {
  const { host, layout } = work;
  if ((await host.stat(layout.config.configured)) !== undefined) return [];
  const injection = await readInjection(host, layout.config.injection);
  if (injection?.phase !== "stored") {
    throw new ProblemError({
      code: "injection-unknown",
      what: "it is not recorded which configuration is being stored",
      where: { file: layout.config.injection },
      todo: "guestos-boot --unit config-injection",
    });
  }
  const placed = await readInjectedData(host, layout.config.injectedData);
  const present = new Map<string, string>();
  for (const { target } of [...injection.data, ...(placed?.data ?? [])]) {
    const digest = await digestOf(host, placeOf(work, target));
    if (digest !== undefined) present.set(target, digest);
  }
  const foreign = [...present].find(
    ([target, digest]) => !holds(injection.data, target, digest) && !holds(placed?.data ?? [], target, digest),
  );
  if (foreign !== undefined) return inTheWay(work, foreign[0]);
  return actionsFor(work, injection, present);
}

/** The path of a target. */
function placeOf({ contents, layout }: Work, target: string): string {
  return dataTarget(contents, layout, target);
}

function holds(items: readonly DataItem[], target: string, digest: string): boolean {
  return items.some((item) => item.target === target && item.digest === digest);
}

function inTheWay(work: Work, target: string): Plan {
  const path = placeOf(work, target);
  return conflict({
    code: "medium-differs",
    what: `${path} already exists, and differs from that on the configuration medium; it was not changed`,
    found: "other content, which is not from a medium",
    expected: `nothing, as on a node that was never configured, or the content of ${target} on the medium`,
    todo: `to keep it: touch ${work.layout.config.configured}; to replace it: rename ${path}, and boot again`,
  });
}

function actionsFor(work: Work, injection: Injection, present: ReadonlyMap<string, string>): Plan {
  const { host, layout, contents } = work;
  const actions: Action[] = [];
  // Stored from a medium that was exchanged before the first boot had ended.
  const stale = [...present].filter(([target, digest]) => !holds(injection.data, target, digest)).map(([target]) => target);
  for (const target of stale) {
    actions.push(provision(`remove ${placeOf(work, target)}, which came from another medium`, () => takeAway(work, target)));
  }
  const missing = injection.data.filter(({ target }) => stale.includes(target) || !present.has(target)).map(({ target }) => target);
  if (missing.length > 0) {
    actions.push(
      provision(`store ${missing.join(", ")} from the medium (sha256 ${injection.sha256})`, () => store(work, injection, missing)),
    );
  }
  actions.push(
    provision(`note that this node is configured: ${layout.config.configured}`, async () => {
      for (const folder of stagingFolders(contents, layout)) await host.remove(folder);
      if (missing.length === 0) await writeState(host, layout.config.injectedData, recordOf(injection));
      await host.writeFile(layout.config.configured, "", { mode: 0o644 });
    }),
  );
  return actions;
}

/** Removing a tree takes many steps. It is renamed first, so that at its place it is either complete or gone. */
async function takeAway(work: Work, target: string): Promise<void> {
  const { host } = work;
  const folder = stagingOf(work, target);
  await host.remove(folder);
  await host.makeFolder(folder, { mode: 0o700 });
  await host.rename(placeOf(work, target), join(folder, "old"));
  await host.remove(folder);
}

async function store(work: Work, injection: Injection, missing: readonly string[]): Promise<void> {
  const { host, layout } = work;
  const folders = [...new Set(missing.map((target) => stagingOf(work, target)))];
  try {
    await unpack(work, injection, missing, folders);
    for (const folder of folders) await syncFileSystem(host, folder);
  } catch (error) {
    // Free the space again: the disk may be full.
    for (const folder of folders) await host.remove(folder).catch(() => undefined);
    throw error;
  }
  // Recorded before anything is in its place: only recorded content is ever replaced by that of another medium.
  await writeState(host, layout.config.injectedData, recordOf(injection));
  for (const target of missing) await host.rename(staged(work, target), placeOf(work, target));
}

function recordOf({ sha256, data }: Injection): InjectedData {
  return { version: 1, sha256, data };
}

/** Unpacks the tar with the recorded digest, from whichever medium holds it. @throws ProblemError when none does */
async function unpack(work: Work, injection: Injection, missing: readonly string[], folders: readonly string[]): Promise<void> {
  const { host, layout, contents } = work;
  const owner = accountNamed(await readAccounts(host, layout.etc.folder), contents.owner);
  const parts = await dataParts(work);
  const partOfTarget = (target: string): DataPart | undefined => partOf(parts, placeOf(work, target));
  for (const { folder, uid, gid } of new Set(missing.map(partOfTarget).filter((part) => part !== undefined))) {
    if (await isNewFolder(host, folder)) await giveTree(host, folder, { uid, gid, mode: PART_FOLDER });
  }
  const known = topLevelEntries(contents);
  const search = await searchMedia(host, layout, async (source) => {
    const made = new Set<string>();
    for (const folder of folders) {
      await host.remove(folder);
      await host.makeFolder(folder, { mode: 0o700 });
      made.add(folder);
    }
    const makeParents = async (path: string, attributes: FileAttributes): Promise<void> => {
      if (made.has(path)) return;
      await makeParents(dirname(path), attributes);
      await host.makeFolder(path, attributes);
      made.add(path);
    };
    const read = readerOf(host, source, (name) => known.includes(name));
    return extractMediumData(read, contents, missing, async (target, entry) => {
      const path = join(staged(work, target), entry.name.slice(target.length));
      // With the owners that it shall have, data-owners has nothing to change.
      const part = partOfTarget(target);
      const modes = part === undefined ? modesOf(contents.isSecret(target)) : { file: PART_FILE, folder: PART_FOLDER };
      const { uid, gid } = part ?? owner;
      await makeParents(entry.kind === "folder" ? path : dirname(path), { mode: modes.folder, uid, gid });
      const mode = entry.isHeld === true ? HELD : modes.file;
      if (entry.kind === "file") await host.writeStream(path, entry.content, { mode, uid, gid });
    });
  });
  // Two media with different tars are a conflict of config-injection. Here, the unpacked files are those of the last medium read.
  if (search.found.at(-1)?.result === injection.sha256) return;
  if (search.found.length === 0) throw noMedium(layout, search.seen);
  throw new ProblemError({
    code: "medium-exchanged",
    what: "the configuration medium was replaced while it was being read",
    found: search.found.map(({ device, result }) => `${device} (sha256 ${result})`).join(" and "),
    expected: `${injection.device} (sha256 ${injection.sha256})`,
    todo: "leave one medium attached and boot again: it is then read from the beginning",
  });
}

/** The mode of the operator's key that config.json holds, as its programs expect it. */
const HELD = 0o400;

/** Only the owner can read a secret. Modes and owners in the tar are ignored. */
function modesOf(isSecret: boolean): { readonly file: number; readonly folder: number } {
  return isSecret ? { file: 0o600, folder: 0o700 } : { file: 0o644, folder: 0o755 };
}

/** The folder to unpack into: on the target's file system, so that a rename puts the content into place. */
function stagingOf(work: Work, target: string): string {
  return join(dirname(placeOf(work, target)), STAGING);
}

function staged(work: Work, target: string): string {
  return join(stagingOf(work, target), target.replaceAll("/", "."));
}
