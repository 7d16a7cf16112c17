import { randomUUID } from "node:crypto";
import { activate, type Action, type Conflict, conflict, provision } from "../../boot/unit.ts";
import { type Intent, readIntent } from "../../config/state/intent.ts";
import { mappings } from "../../system/disks/block-devices.ts";
import { CommandError } from "../../system/command.ts";
import { isWrongKey, luksFormat, luksOpen, luksUuidOfMapping } from "../../system/disks/cryptsetup.ts";
import { ProblemError } from "../../base/problem.ts";
import { type Content, contentOf } from "../../system/disks/signature.ts";
import { deviceKeyFits, type KeyRole, storeKeyKind } from "./key-ring.ts";
import type { Machine } from "../machine.ts";
import { noteIntent } from "./note-intent.ts";
import { verdict } from "./verdict.ts";

export interface EncryptedDevice {
  /** Name of the intent. */
  readonly name: string;
  readonly role: KeyRole;
  /** In an operator's words: "/dev/vda10 (store)". */
  readonly place: string;
  readonly device: string;
  /** True if the partition is still to be made: its content counts as blank, because its place is zeroed first. */
  readonly missing: boolean;
  /** Name below /dev/mapper. */
  readonly mapping: string;
  /** True when a file system directly inside is part of the same intent. */
  readonly withInner: boolean;
}

export interface EncryptedPlan {
  /** `make`: it holds nothing of value so far. `keep`: its content must be found as it was. `adopt`: it is taken over as it is. */
  readonly kind: "make" | "keep" | "adopt";
  /** The intent once all actions are done, except for its phase, which `complete` sets. */
  readonly intent: Intent;
  /** Writes the intent. Runs before all other actions. */
  readonly announce: readonly Action[];
  readonly format: readonly Action[];
  readonly open: readonly Action[];
  /** Marks the intent as complete. Runs after all other actions. */
  readonly complete: readonly Action[];
}

/** The actions after which the device holds our LUKS2 header and is open. Planning changes nothing. */
export async function planEncrypted(machine: Machine, spec: EncryptedDevice): Promise<EncryptedPlan | Conflict> {
  const { host, layout, keys } = machine;
  const intent = await readIntent(host, layout.config.intents, spec.name);
  const content: Content = spec.missing ? { kind: "blank" } : await contentOf(host, spec.device, { mustBeZero: true });
  const evidence = { place: spec.place, intent, content, type: "crypto_LUKS" };
  const inspected = verdict(evidence);
  const found =
    inspected.kind === "conflict" && (await provesItself(machine, spec, intent, content))
      ? verdict({ ...evidence, proven: true })
      : inspected;
  if (found.kind === "conflict") return found.conflict;

  const present = (await mappings(host)).get(spec.mapping);
  const uuid = content.kind === "found" ? content.uuid : undefined;
  if (present !== undefined && luksUuidOfMapping(present.uuid) !== uuid) {
    return conflict({
      code: "mapping-taken",
      what: `/dev/mapper/${spec.mapping} is already open, on another device`,
      found: present.uuid === "" ? "a mapping without a UUID, which cryptsetup did not make" : present.uuid,
      expected: `the LUKS device ${uuid ?? "that is still to be made"} on ${spec.place}`,
      todo: `find out what opened it: dmsetup table ${spec.mapping}`,
    });
  }
  // A power cut came after the header, but before the key slot: begun, ours, and no key opens it. So it cannot hold any data.
  const again = found.kind === "finish" && present === undefined && !(await deviceKeyFits(machine, spec.device, spec.role));
  const make = found.kind === "make" || again;
  const wanted: Intent = intent ?? {
    version: 1,
    about: `LUKS2 on ${spec.place}`,
    uuid: uuid ?? randomUUID(),
    ...(spec.withInner && make ? { inner: randomUUID() } : {}),
    phase: "begun",
  };
  return {
    kind: found.kind === "adopt" ? "adopt" : found.kind === "keep" ? "keep" : "make",
    intent: wanted,
    announce:
      intent === undefined && make
        ? [noteIntent(machine, spec.name, wanted, `on the config partition that ${spec.place} is about to be encrypted`)]
        : [],
    format: make
      ? [
          provision(`encrypt ${spec.place} with LUKS2`, async () =>
            luksFormat(host, spec.device, wanted.uuid, await keys.deviceKey(host, layout, spec.role)),
          ),
        ]
      : [],
    open: present === undefined ? [activate(`open ${spec.place} as ${spec.mapping}`, () => open(machine, spec))] : [],
    complete:
      intent?.phase === "complete"
        ? []
        : [noteIntent(machine, spec.name, { ...wanted, phase: "complete" }, `that ${spec.place} is complete`)],
  };
}

/**
 * A node that the shell chain provisioned has no intents. Its device is adopted if the key file is raw, which it is on such nodes alone,
 * and the key opens the device.
 */
async function provesItself(machine: Machine, spec: EncryptedDevice, intent: Intent | undefined, content: Content): Promise<boolean> {
  if (intent !== undefined || content.kind !== "found" || content.type !== "crypto_LUKS") return false;
  return (await storeKeyKind(machine.host, machine.layout)) === "raw" && deviceKeyFits(machine, spec.device, spec.role);
}

async function open({ host, layout, keys }: Machine, spec: EncryptedDevice): Promise<void> {
  try {
    await luksOpen(host, spec.device, spec.mapping, await keys.deviceKey(host, layout, spec.role));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    // cryptsetup(8): 5 means that the device exists or is busy, for example while udev probes it.
    if (error.ending.kind === "exited" && error.ending.status === 5) throw error.asRetryable();
    if (!isWrongKey(error)) throw error;
    throw new ProblemError(
      {
        code: "key-does-not-open",
        what: `the key in ${layout.config.storeKey} does not open ${spec.place}; nothing was changed`,
        found: error.problem.found ?? "no key slot that it opens",
        expected: "the key that it was encrypted with",
        todo: `was the config partition replaced or restored? restore the key file that belongs to this disk${spec.role === "store" ? `; without one, a recovery passphrase opens it: docs/operator.md, "The key file is lost"` : ""}`,
      },
      { cause: error },
    );
  }
}
