import { type Action, conflict, type Plan, provision } from "../../boot/unit.ts";
import { type Inspection, inspectBootstrapTar } from "../../medium/bootstrap-tar.ts";
import { type Injection, readInjection, writeRecord } from "../../config/state/injection-record.ts";
import { configTarget, type MediumContents } from "../../medium/medium-contents.ts";
import { fileChunks } from "../../system/files/file-chunks.ts";
import { type Found, noMedium, searchMedia } from "../../medium/medium.ts";
import { type Machine, unit } from "../machine.ts";
import { mountBoot } from "../disks/mount-boot.ts";

/**
 * Afterwards the config partition holds what the configuration medium brought for it, and injection.json says which tar
 * that was. The rest of the tar, and CONFIGURED, is injected-data's.
 *
 * Needs no more than /boot/config, so that the network need not wait for encrypted disks. Until CONFIGURED stands there,
 * the medium that is attached decides: a crash in the middle, and a medium exchanged before the first boot was through,
 * end with exactly one tar's files. Planning mounts the medium, read-only, and unmounts it: its tar is looked at once, as a
 * whole, and what is stored afterwards is what was looked at. A conflict means two media that do not say the same.
 */
export const configInjection = unit({
  name: "config-injection",
  title: "Store the injected configuration",
  requires: [mountBoot],
  owns: ["/boot/config/injection.json", "/boot/config/*.conf", "/boot/config/accounts_ssh_authorized_keys"],
  // Reads up to 4 GiB twice: before it acts, and after that.
  timeout: 5 * 60_000,
  // A medium may appear late.
  retryFor: 10_000,
  async plan(machine) {
    const { host, layout } = machine;
    if ((await host.stat(layout.config.configured)) !== undefined) return [];
    const injection = await readInjection(host, layout.config.injection);
    const contents = await machine.medium();
    const { found, seen } = await searchMedia(host, layout, (tar, title) => inspectBootstrapTar(fileChunks(host, tar), title, contents));
    const [medium, ...others] = found;
    if (medium === undefined) {
      // Everything that this unit is for has been stored; what is still missing of the data, injected-data will say.
      if (injection?.phase === "stored") return [];
      throw noMedium(layout, seen);
    }
    const different = others.find(({ result }) => result.sha256 !== medium.result.sha256);
    if (different !== undefined) return twoMedia(medium, different);
    if (injection?.phase === "stored" && injection.sha256 === medium.result.sha256) return [];
    return store(machine, contents, medium);
  },
});

function twoMedia(one: Found<Inspection>, other: Found<Inspection>): Plan {
  return conflict({
    code: "media-differ",
    what: "there are two configuration media, and they do not say the same",
    found: `${one.device} (sha256 ${one.result.sha256}) and ${other.device} (sha256 ${other.result.sha256})`,
    expected: "one medium",
    todo: "detach the wrong one and boot again",
  });
}

async function store({ host, layout, note }: Machine, contents: MediumContents, { device, result }: Found<Inspection>): Promise<Plan> {
  const { sha256, config, data, warnings } = result;
  const record: Injection = { version: 1, sha256, device, phase: "begun", config: [...config.keys()].toSorted(), data };
  const actions: Action[] = [
    provision(`note that the configuration on ${device} (sha256 ${sha256}) is being taken in`, async () => {
      for (const warning of warnings) note(warning);
      await writeRecord(host, layout.config.injection, record);
    }),
  ];
  for (const [name, { mode = PUBLIC }] of contents.configFiles) {
    const target = configTarget(layout, name);
    const content = config.get(name);
    const facts = await host.stat(target);
    if (content === undefined) {
      if (facts !== undefined) actions.push(provision(`remove ${target}, which is not part of it`, () => host.remove(target)));
      continue;
    }
    const isThere = facts?.kind === "file" && facts.mode === mode && Buffer.from((await host.readBytes(target)) ?? []).equals(content);
    if (!isThere) actions.push(provision(`store ${name} as ${target}`, () => storeFile({ host, layout }, name, content, mode)));
  }
  actions.push(
    provision("note that the config partition is complete", () =>
      writeRecord(host, layout.config.injection, { ...record, phase: "stored" }),
    ),
  );
  return actions;
}

/** Readable for the accounts that they are about, written by root alone, and nothing that can be run. */
const PUBLIC = 0o644;

async function storeFile(
  { host, layout }: Pick<Machine, "host" | "layout">,
  name: string,
  content: Uint8Array,
  mode: number,
): Promise<void> {
  if (name.includes("/")) await host.makeFolder(layout.config.accountKeys, { mode: 0o755, uid: 0, gid: 0 });
  await host.writeFile(configTarget(layout, name), content, { mode, uid: 0, gid: 0 });
}
