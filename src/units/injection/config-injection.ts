import { type Action, conflict, type Plan, provision } from "../../boot/unit.ts";
import { type Inspection, inspectMedium } from "../../medium/bootstrap-tar.ts";
import { scanGuestosConfig } from "../../config/guestos-config.ts";
import { type Injection, readInjection } from "../../config/state/injection-record.ts";
import { configTarget, type MediumContents, topLevelEntries } from "../../medium/medium-contents.ts";
import { readerOf } from "../../medium/medium-source.ts";
import { whileDrivesCome } from "../../medium/pending-drive.ts";
import { type Found, mediaDiffer, noMedium, searchMedia } from "../../medium/medium.ts";
import { configInForce } from "./config-in-force.ts";
import { planLater } from "./later-config.ts";
import { storeFile } from "./store-file.ts";
import { writeState } from "../../config/state/state-file.ts";
import { type Machine, unit } from "../machine.ts";
import { mountBoot } from "../disks/mount-boot.ts";

/**
 * Afterwards the config partition holds the medium's files for it, and injection.json records which tar they came from. The rest of the
 * tar, and CONFIGURED, belong to the unit injected-data.
 *
 * It requires /boot/config alone, so that the network need not wait for encrypted disks. Until CONFIGURED exists, the attached medium
 * decides. So a crash, or a medium that is exchanged before the first boot has ended, still leads to the files of exactly one tar. Planning
 * mounts the medium read-only, checks the whole tar once, and unmounts it: the files stored afterwards are those that were checked. A
 * conflict means that two media with different tars are attached, or that the host starts an upgrade VM of a node that never was.
 */
export const configInjection = unit({
  name: "config-injection",
  title: "Store the injected configuration",
  requires: [mountBoot],
  owns: [
    "/boot/config/injection.json",
    "/boot/config/*.conf",
    "/boot/config/*.pem",
    "/boot/config/denylist.json",
    "/boot/config/accounts_ssh_authorized_keys",
    "/boot/config/config.json",
    "/run/config/config.json",
    "/run/config/guest_vm_type",
    "/run/config/nns_public_key.pem",
    "/run/guestos-boot/medium",
  ],
  // Without a medium it tries again until grubenv names the running slot: upgrade-state may have to repair it first, and that unit waits for
  // this one where it does not.
  awaits: ["/boot/grub/grubenv"],
  // It reads up to 4 GiB twice: in the plan before its actions, and in the plan after them.
  timeout: 5 * 60_000,
  // A medium may appear late. This begins when the kernel brings up no drive any more.
  retryFor: 10_000,
  async plan(machine) {
    const { host, layout } = machine;
    if ((await host.stat(layout.config.configured)) !== undefined) return planLater(machine);
    const injection = await readInjection(host, layout.config.injection);
    const contents = await machine.medium();
    const known = topLevelEntries(contents);
    const { found, seen } = await whileDrivesCome(machine, async () =>
      searchMedia(host, layout, async (source) =>
        inspectMedium(
          readerOf(host, source, (name) => known.includes(name)),
          source.title,
          contents,
        ),
      ),
    );
    const [medium, ...others] = found;
    if (medium === undefined) {
      // This unit's files are all stored. If data is still missing, the unit injected-data reports it.
      if (injection?.phase === "stored") return configInForce(machine, await host.readText(layout.config.injected.guestosConfig));
      throw noMedium(layout, seen);
    }
    const different = others.find(({ result }) => result.sha256 !== medium.result.sha256);
    if (different !== undefined) return twoMedia(medium, different);
    const text = guestosConfigIn(machine, medium.result);
    if (text !== undefined && scanGuestosConfig(Buffer.from(text), medium.device).config.guest_vm_type === "upgrade")
      return nothingToUpgrade(medium);
    const isStored = injection?.phase === "stored" && injection.sha256 === medium.result.sha256;
    return [...(isStored ? [] : await store(machine, contents, medium)), ...(await configInForce(machine, text))];
  },
});

function twoMedia(one: Found<Inspection>, other: Found<Inspection>): Plan {
  return conflict(mediaDiffer(`${one.device} (sha256 ${one.result.sha256}) and ${other.device} (sha256 ${other.result.sha256})`));
}

/** An upgrade VM is started beside a node that runs; its configuration must never be that of a new node. */
function nothingToUpgrade({ device }: Found<Inspection>): Plan {
  return conflict({
    code: "upgrade-vm-without-node",
    what: "the host calls this VM the upgrade VM of a node, but its disk has never been configured as one; nothing was stored",
    found: `guest_vm_type upgrade in the config.json on ${device}`,
    expected: "default, until a node is configured",
    todo: "correct it on the host, and start the VM again",
  });
}

function guestosConfigIn({ layout }: Machine, { config }: Inspection): string | undefined {
  const name = layout.medium.guestosConfig;
  const content = name === undefined ? undefined : config.get(name);
  return content === undefined ? undefined : Buffer.from(content).toString();
}

async function store(
  { host, layout, note }: Machine,
  contents: MediumContents,
  { device, result }: Found<Inspection>,
): Promise<readonly Action[]> {
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
