import { dirname, join } from "node:path";
import { type Action, conflict, type Plan, provision } from "../boot/unit.ts";
import { dataTarget, STAGING } from "../config/bootstrap-entries.ts";
import { type DataItem, extractBootstrapData } from "../config/bootstrap-tar.ts";
import { type InjectedData, type Injection, readInjectedData, readInjection, writeRecord } from "../config/injection-record.ts";
import type { Layout } from "../config/layout.ts";
import { digestOf } from "../config/tree-digest.ts";
import { accountNamed, readAccounts } from "../system/accounts.ts";
import { fileChunks } from "../system/file-chunks.ts";
import type { FileAttributes } from "../system/host.ts";
import { noMedium, searchMedia } from "../system/medium.ts";
import { ProblemError } from "../system/problem.ts";
import { syncFileSystem } from "../system/sync.ts";
import { configInjection } from "./config-injection.ts";
import { type Machine, unit } from "./machine.ts";
import { volumeMounts } from "./volume-mounts.ts";

/**
 * Afterwards everything that the configuration medium brought stands in its place below /var/lib/ic, and
 * /boot/config/CONFIGURED says so for ever: then neither this unit nor config-injection looks at a medium again.
 *
 * Requires config-injection, which has checked the whole tar and frozen it by its digest, and the mounted volumes. The
 * medium is read once more, into a folder beside the place, and what was read counts only when its digest is the frozen
 * one. Things are put into place whole, by renaming. A conflict means that something stands there already that did not come
 * from a medium that was being taken in: keys and state of a node are never replaced.
 */
export const injectedData = unit({
  name: "injected-data",
  title: "Store the injected keys and state",
  requires: [configInjection, volumeMounts],
  owns: [
    "/boot/config/CONFIGURED",
    "/boot/config/injected-data.json",
    "/var/lib/ic/data/ic_registry_local_store",
    "/var/lib/ic/data/ic_state",
  ],
  // Up to 4 GiB from a slow virtual medium.
  timeout: 15 * 60_000,
  retryFor: 10_000,
  async plan(machine) {
    const { host, layout } = machine;
    if ((await host.stat(layout.config.configured)) !== undefined) return [];
    const injection = await readInjection(host, layout.config.injection);
    if (injection?.phase !== "stored") {
      throw new ProblemError({
        what: "nothing says which configuration is being taken in",
        where: { file: layout.config.injection },
        todo: "guestos-boot --unit config-injection",
      });
    }
    const placed = await readInjectedData(host, layout.config.injectedData);
    const present = new Map<string, string>();
    for (const { target } of [...injection.data, ...(placed?.data ?? [])]) {
      const digest = await digestOf(host, dataTarget(layout, target));
      if (digest !== undefined) present.set(target, digest);
    }
    const foreign = [...present].find(
      ([target, digest]) => !holds(injection.data, target, digest) && !holds(placed?.data ?? [], target, digest),
    );
    if (foreign !== undefined) return inTheWay(layout, foreign[0]);
    return actionsFor(machine, injection, present);
  },
});

function holds(items: readonly DataItem[], target: string, digest: string): boolean {
  return items.some((item) => item.target === target && item.digest === digest);
}

function inTheWay(layout: Layout, target: string): Plan {
  const path = dataTarget(layout, target);
  return conflict({
    what: `${path} is there already, and is not what the configuration medium brings; it was not touched`,
    found: "other content, which no medium brought",
    expected: `nothing, as on a node that was never configured, or the content of ${target} on the medium`,
    todo: `if this node is to keep what it has: touch ${layout.config.configured}; if not: move ${path} away, and boot again`,
  });
}

function actionsFor(machine: Machine, injection: Injection, present: ReadonlyMap<string, string>): Plan {
  const { host, layout } = machine;
  const actions: Action[] = [];
  // Put there from a medium that was exchanged before the first boot was through.
  const stale = [...present].filter(([target, digest]) => !holds(injection.data, target, digest)).map(([target]) => target);
  for (const target of stale) {
    actions.push(provision(`remove ${dataTarget(layout, target)}, which came from another medium`, () => takeAway(machine, target)));
  }
  const missing = injection.data.filter(({ target }) => stale.includes(target) || !present.has(target)).map(({ target }) => target);
  if (missing.length > 0) {
    actions.push(
      provision(`store ${missing.join(", ")} from the medium (sha256 ${injection.sha256})`, () => store(machine, injection, missing)),
    );
  }
  actions.push(
    provision(`note that this node is configured: ${layout.config.configured}`, async () => {
      for (const folder of stagingFolders(layout)) await host.remove(folder);
      if (missing.length === 0) await writeRecord(host, layout.config.injectedData, recordOf(injection));
      await host.writeFile(layout.config.configured, "", { mode: 0o644 });
    }),
  );
  return actions;
}

/** Removing a tree takes many steps; renamed first, it is either all there or not there. */
async function takeAway({ host, layout }: Machine, target: string): Promise<void> {
  const folder = stagingOf(layout, target);
  await host.remove(folder);
  await host.makeFolder(folder, { mode: 0o700 });
  await host.rename(dataTarget(layout, target), join(folder, "old"));
  await host.remove(folder);
}

async function store(machine: Machine, injection: Injection, missing: readonly string[]): Promise<void> {
  const { host, layout } = machine;
  const folders = [...new Set(missing.map((target) => stagingOf(layout, target)))];
  try {
    await unpack(machine, injection, missing, folders);
    for (const folder of folders) await syncFileSystem(host, folder);
  } catch (error) {
    // A full disk must not stay full.
    for (const folder of folders) await host.remove(folder).catch(() => undefined);
    throw error;
  }
  // Before anything of it stands in its place: only what is written down here is ever replaced by another medium's.
  await writeRecord(host, layout.config.injectedData, recordOf(injection));
  for (const target of missing) await host.rename(staged(layout, target), dataTarget(layout, target));
}

function recordOf({ sha256, data }: Injection): InjectedData {
  return { version: 1, sha256, data };
}

/** Unpacks from whichever medium holds exactly the frozen tar. @throws ProblemError when none does */
async function unpack(machine: Machine, injection: Injection, missing: readonly string[], folders: readonly string[]): Promise<void> {
  const { host, layout } = machine;
  const { uid, gid } = accountNamed(await readAccounts(host, layout.etc.folder), "ic-replica");
  const search = await searchMedia(host, layout, async (tar, title) => {
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
    return extractBootstrapData(fileChunks(host, tar), title, missing, async (target, entry) => {
      const path = join(staged(layout, target), entry.name.slice(target.length));
      const modes = modesOf(target);
      const folder = { mode: modes.folder, uid, gid };
      await makeParents(entry.kind === "folder" ? path : dirname(path), folder);
      if (entry.kind === "file") await host.writeStream(path, entry.content, { mode: modes.file, uid, gid });
    });
  });
  // Two media with different tars are config-injection's conflict. Here the last one read is what lies unpacked.
  if (search.found.at(-1)?.result === injection.sha256) return;
  if (search.found.length === 0) throw noMedium(layout, search.seen);
  throw new ProblemError({
    what: "the configuration medium was exchanged while it was being taken in",
    found: search.found.map(({ device, result }) => `${device} (sha256 ${result})`).join(" and "),
    expected: `${injection.device} (sha256 ${injection.sha256})`,
    todo: "leave one medium attached and boot again: it is then taken in afresh",
  });
}

/** Node software runs as ic-replica; secrets are for it alone, and nothing in a tar says otherwise: its modes and owners are ignored. */
function modesOf(target: string): { readonly file: number; readonly folder: number } {
  return isSecret(target) ? { file: 0o600, folder: 0o700 } : { file: 0o644, folder: 0o755 };
}

/** What of the medium nobody but the node's software may read, by its name there. */
export function isSecret(target: string): boolean {
  return target === "node_operator_private_key.pem" || target.startsWith("ic_crypto/");
}

function stagingFolders(layout: Layout): readonly string[] {
  return [join(layout.mountPoints.data, STAGING), join(layout.mountPoints.crypto, STAGING)];
}

/** On the file system of the target, so that renaming is all that is left to do. */
function stagingOf(layout: Layout, target: string): string {
  return join(dirname(dataTarget(layout, target)), STAGING);
}

function staged(layout: Layout, target: string): string {
  return join(stagingOf(layout, target), target.replaceAll("/", "."));
}
