import { join } from "node:path";
import { readAccounts } from "../system/files/accounts.ts";
import { readInjectedData } from "../config/state/injection-record.ts";
import type { Layout } from "../config/layout/layout.ts";
import { dataTarget } from "../medium/medium-contents.ts";
import type { FileFacts, Host } from "../system/host.ts";
import { nodeExporterKey } from "../units/identity/node-exporter-keys.ts";
import { requireMounted } from "../system/disks/mounts.ts";
import { ProblemError } from "../base/problem.ts";
import { type Check, type Finding, part, type CheckedNode, wrong } from "./check.ts";

/**
 * The units check the content of a key, and the modes of what they put on a tmpfs. The modes of permanent files may have been changed
 * since.
 */
export const keysCheck: Check = {
  name: "keys",
  title: "keys can be read only by those who need them",
  seen: "stat",
  async inspect({ layout, medium, chain }, host) {
    let inspected = 0;
    // Without them, a group that may read is one too many.
    const known = await readAccounts(host, layout.etc.folder).catch(() => undefined);
    const ownGroups = new Map([...(known?.accounts.values() ?? [])].map(({ uid, gid }) => [uid, gid]));
    const inspectAll = async (places: readonly KeyPlace[]): Promise<readonly Finding[]> => {
      inspected += places.length;
      const found = places.map(async (place) => part(`stat ${place.path}`, async () => inspectKey(host, place, ownGroups)));
      return (await Promise.all(found)).flat();
    };
    const isEncrypted = chain.some(({ name }) => name === "store-key");
    const ours = await part(`ls -l ${layout.mountPoints.config}`, async () => inspectAll(await ownPlaces(layout, host, isEncrypted)));
    const injected = await part(`ls -l ${layout.mountPoints.data}`, async () => inspectAll(await injectedPlaces({ layout, medium }, host)));
    return { fact: `${inspected} keys and folders of keys, closed to others`, findings: [...ours, ...injected] };
  },
};

export interface KeyPlace {
  readonly path: string;
  /** `ours`: root's. `injected`: the node's software owns it, and may have moved it. */
  readonly kind: "ours" | "injected";
}

async function ownPlaces(layout: Layout, host: Host, isEncrypted: boolean): Promise<readonly KeyPlace[]> {
  const { config } = layout;
  await requireMounted(host, layout.mountPoints.config);
  const hostKeys = ((await host.list(config.ssh)) ?? []).filter((name) => /^ssh_host_.*_key$/.test(name));
  const paths = [
    ...(isEncrypted ? [config.storeKey] : []),
    config.ssh,
    ...hostKeys.map((name) => join(config.ssh, name)),
    config.nodeExporter,
    nodeExporterKey(layout),
  ];
  return paths.map((path) => ({ path, kind: "ours" }));
}

async function injectedPlaces({ layout, medium }: Pick<CheckedNode, "layout" | "medium">, host: Host): Promise<readonly KeyPlace[]> {
  const contents = await medium();
  for (const folder of [contents.home, ...contents.mounted.values()]) await requireMounted(host, folder(layout));
  const injected = (await readInjectedData(host, layout.config.injectedData))?.data ?? [];
  const secret = injected.filter(({ target }) => contents.isSecret(target));
  return secret.map(({ target }) => ({ path: dataTarget(contents, layout, target), kind: "injected" }));
}

/** @param ownGroups the primary group of each account */
async function inspectKey(host: Host, place: KeyPlace, ownGroups: ReadonlyMap<number, number>): Promise<readonly Finding[]> {
  const facts = await host.stat(place.path);
  if (facts !== undefined) return judgeKey(place, facts, ownGroups.get(facts.uid));
  if (place.kind === "injected") return [];
  throw new ProblemError({ code: "key-missing", what: `there is no ${place.path}` });
}

/** The node's software may let the owner's own group in, as data-owners does: no one else is in it. */
function judgeKey({ path, kind: whose }: KeyPlace, { kind, mode, uid, gid }: FileFacts, ownGroup: number | undefined): readonly Finding[] {
  const isRoots = whose === "ours";
  const isOpen = kind !== "link" && (mode & (!isRoots && gid === ownGroup ? 0o007 : 0o077)) !== 0;
  const isOthers = isRoots && uid !== 0;
  if (!isOpen && !isOthers) return [];
  const right = (mode & 0o700).toString(8).padStart(4, "0");
  const found = `mode ${mode.toString(8).padStart(4, "0")}, owner ${uid}`;
  return wrong(`stat ${path}`, {
    code: "key-open-to-others",
    what: `${path} is not closed to others`,
    found,
    expected: `mode ${right}${isRoots ? ", owner 0" : ""}`,
    todo: [...(isOpen ? [`chmod ${right} ${path}`] : []), ...(isOthers ? [`chown 0:0 ${path}`] : [])].join(" && "),
  });
}
