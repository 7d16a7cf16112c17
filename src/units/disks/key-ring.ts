import { hkdfSync, randomBytes } from "node:crypto";
import type { Layout } from "../../config/layout/layout.ts";
import { encodeStoreKey, parseStoreKey, type StoreKey } from "../../config/state/store-key.ts";
import { argon2id } from "../../system/argon2.ts";
import { concluded } from "../../system/concluded.ts";
import { luksKeyFits } from "../../system/disks/cryptsetup.ts";
import type { Host } from "../../system/host.ts";
import { ProblemError } from "../../base/problem.ts";
import * as z from "../../base/schema.ts";
import { Secret } from "../../base/secret.ts";

/** The device that a key is for: each encrypted device has its own key. */
export type KeyRole = "store" | "A_var" | "B_var";

export interface KeyRing {
  /** The LUKS key of a device. Derives the master key on first use and keeps it for the run. @throws ProblemError without a key file */
  readonly deviceKey: (host: Host, layout: Layout, role: KeyRole) => Promise<Secret>;
}

/** Bytes of a LUKS key: one output block of HKDF-SHA256. */
const KEY_BYTES = 32;
/**
 * The secret has full entropy, so memory-hardness gains nothing: the pass is real, but cheap. The parameters are stored in the key file, so
 * they can change for new nodes without harm to old ones.
 */
const PARAMETERS = { memoryKiB: 8192, passes: 1, parallelism: 1 };

export function keyRing(): KeyRing {
  let master: Promise<StoreKey> | undefined;
  return {
    async deviceKey(host, layout, role) {
      master ??= readMaster(host, layout);
      let key: StoreKey;
      try {
        key = await master;
      } catch (error) {
        // The cause may be repaired before the next unit asks.
        master = undefined;
        throw error;
      }
      // Nodes of the shell chain have a raw key: one key for all devices, used as it is.
      if (key.kind === "raw") return key.secret;
      return new Secret(new Uint8Array(hkdfSync("sha256", key.secret.expose(), key.parameters.salt, `guestos-boot v1 ${role}`, KEY_BYTES)));
    },
  };
}

async function readMaster(host: Host, layout: Layout): Promise<StoreKey> {
  const key = await readStoreKey(host, layout);
  if (key === undefined) {
    throw new ProblemError({
      code: "store-key-missing",
      what: "there is no store key",
      where: { file: layout.config.storeKey },
      todo: "the unit store-key makes it on a node that was never provisioned: guestos-boot --unit store-key",
    });
  }
  if (key.kind === "raw") return key;
  return { ...key, secret: await argon2id(key.secret, { ...key.parameters, length: 32 }) };
}

/** @returns the key file's content, or `undefined` when there is no file. @throws ProblemError when it is damaged */
async function readStoreKey(host: Host, layout: Layout): Promise<StoreKey | undefined> {
  const content = await host.readBytes(layout.config.storeKey);
  return content === undefined ? undefined : parseStoreKey(content, layout.config.storeKey);
}

/** Of which kind the key file is, for plans. @returns `undefined` when there is no file. @throws ProblemError when it is damaged */
export async function storeKeyKind(host: Host, layout: Layout): Promise<StoreKey["kind"] | undefined> {
  const shape = z.optional(z.enum(["raw", "derived"]));
  return concluded(host, { name: "store key", args: [], shape }, async (asked) => (await readStoreKey(asked, layout))?.kind);
}

/** Whether the device's key opens it, for plans. @throws ProblemError without a key file, CommandError */
export async function deviceKeyFits({ host, layout, keys }: MachineOfKeys, device: string, role: KeyRole): Promise<boolean> {
  return concluded(host, { name: "key fits", args: [device, role], shape: z.boolean() }, async (asked) =>
    luksKeyFits(asked, device, await keys.deviceKey(asked, layout, role)),
  );
}

interface MachineOfKeys {
  readonly host: Host;
  readonly layout: Layout;
  readonly keys: KeyRing;
}

/** Makes the key file. It is durable, and has been read back, before anything can be encrypted with it. */
export async function makeStoreKey(host: Host, layout: Layout): Promise<void> {
  const file = layout.config.storeKey;
  const content = encodeStoreKey(randomBytes(32), { ...PARAMETERS, salt: randomBytes(16) });
  await host.writeFile(file, content, { mode: 0o400 });
  const written = await host.readBytes(file);
  if (written === undefined || !Buffer.from(content).equals(written)) {
    throw new ProblemError({
      code: "store-key-not-written",
      what: "the store key on the disk differs from the one that was made",
      where: { file },
      todo: "the config partition is failing: nothing was encrypted with this key",
    });
  }
}
