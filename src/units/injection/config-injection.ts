import { type Action, conflict, type Plan, provision } from "../../boot/unit.ts";
import { type Inspection, inspectBootstrapTar } from "../../medium/bootstrap-tar.ts";
import { type Injection, readInjection } from "../../config/state/injection-record.ts";
import { writeState } from "../../config/state/state-file.ts";
import { configTarget, type MediumContents } from "../../medium/medium-contents.ts";
import { fileChunks } from "../../system/files/file-chunks.ts";
import { type Found, noMedium, searchMedia } from "../../medium/medium.ts";
import { type Machine, unit } from "../machine.ts";
import { mountBoot } from "../disks/mount-boot.ts";

/**
 * Afterwards the config partition holds the medium's files for it, and injection.json records which tar they came from. The rest of the
 * tar, and CONFIGURED, belong to the unit injected-data.
 *
 * It requires /boot/config alone, so that the network need not wait for encrypted disks. Until CONFIGURED exists, the attached medium
 * decides. So a crash, or a medium that is exchanged before the first boot has ended, still leads to the files of exactly one tar. Planning
 * mounts the medium read-only, checks the whole tar once, and unmounts it: the files stored afterwards are those that were checked. A
 * conflict means that two media with different tars are attached.
 */
export const configInjection = unit({
  name: "config-injection",
  title: "Store the injected configuration",
  requires: [mountBoot],
  owns: ["/boot/config/injection.json", "/boot/config/*.conf", "/boot/config/accounts_ssh_authorized_keys"],
  // It reads up to 4 GiB twice: in the plan before its actions, and in the plan after them.
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
      // This unit's files are all stored. If data is still missing, the unit injected-data reports it.
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
    what: "there are two configuration media, and their contents differ",
    found: `${one.device} (sha256 ${one.result.sha256}) and ${other.device} (sha256 ${other.result.sha256})`,
    expected: "one medium",
    todo: "detach the wrong one and boot again",
  });
}

async function store({ host, layout, note }: Machine, contents: MediumContents, { device, result }: Found<Inspection>): Promise<Plan> {
  const { sha256, config, data, warnings } = result;
  const record: Injection = { version: 1, sha256, device, phase: "begun", config: [...config.keys()].toSorted(), data };
  const actions: Action[] = [
    provision(`note that the configuration on ${device} (sha256 ${sha256}) is being stored`, async () => {
      for (const warning of warnings) note(warning);
      await writeState(host, layout.config.injection, record);
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
      writeState(host, layout.config.injection, { ...record, phase: "stored" }),
    ),
  );
  return actions;
}

/** Readable for the accounts that they are about, writable for root alone, and not executable. */
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
