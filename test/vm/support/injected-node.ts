import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tool } from "../../../lab/tool.ts";
import { type KnownSecret, pemSecrets } from "../../support/known-secrets.ts";
import type { ConfigFiles } from "./media.ts";

/** Accounts to which the medium gives a key. `backup`, the fourth one, gets none. */
export const accountsWithKeys = ["admin", "root", "readonly"] as const;
export type AccountWithKey = (typeof accountsWithKeys)[number];

/** All that a medium may bring, made again for each node. */
export interface InjectedNode {
  readonly config: ConfigFiles;
  /** Private key files, for ssh. */
  readonly keys: Readonly<Record<AccountWithKey, string>>;
  /** What of `config` may show up nowhere. */
  readonly secrets: readonly KnownSecret[];
}

export const injectedNetwork = {
  hostname: "node-under-test",
  domain: "example.org",
  address: "10.0.2.15",
  nameServer: "10.0.2.3",
};

export async function injectedNode(): Promise<InjectedNode> {
  const folder = await mkdtemp(join(tmpdir(), "injected-node-"));
  process.once("exit", () => void rm(folder, { recursive: true, force: true }));
  const keys = { admin: join(folder, "admin"), root: join(folder, "root"), readonly: join(folder, "readonly") };
  for (const [account, file] of Object.entries(keys)) {
    await tool("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", `${account} of the test`, "-f", file]);
  }
  const publicKeys = await Promise.all(
    accountsWithKeys.map(
      async (account) => [`accounts_ssh_authorized_keys/${account}`, await readFile(`${keys[account]}.pub`, "utf8")] as const,
    ),
  );
  const operator = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const operatorKey = operator.privateKey.export({ format: "pem", type: "pkcs8" });
  const canary = randomBytes(24).toString("hex");
  const { hostname, domain, address, nameServer } = injectedNetwork;
  return {
    config: {
      "network.conf": `hostname=${hostname}\ndomain=${domain}\nipv4_address=${address}/24\nipv4_gateway=10.0.2.2\nname_servers=${nameServer}\n`,
      "nns.conf": "nns_url=http://[2001:db8:6772::2]:8080\n",
      "backup.conf": "backup_retention_time_secs=86400\nbackup_purging_interval_secs=3600\n",
      ...Object.fromEntries(publicKeys),
      "nns_public_key.pem": operator.publicKey.export({ format: "pem", type: "spki" }),
      "node_operator_private_key.pem": operatorKey,
      "ic_crypto/node_sks/sks_data.pb": canary,
      "ic_crypto/public_keys.pb": "public keys of the test\n",
      "ic_state/states_metadata.pbuf": "metadata of the test\n",
      "ic_state/page_deltas/slot_0/canister.bin": "state of the test\n",
      "ic_registry_local_store/0000000000/01.pb": "registry of the test\n",
    },
    keys,
    secrets: [...pemSecrets("node_operator_private_key.pem", operatorKey), { name: "ic_crypto", bytes: Buffer.from(canary) }],
  };
}
