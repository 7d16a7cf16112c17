import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { operatorKeyText } from "./guestos-config-samples.ts";

/** An ssh key of no one. */
export const SSH_KEY = sshKey();

/** The files of a node of mainnet as the two partitions of a stick have them, without a mistake. */
export const NODE_FOLDER = {
  "config.ini": [
    "# Of the data centre",
    "ipv6_prefix=2602:ffe4:801:17",
    "ipv6_gateway=2602:ffe4:801:17::1",
    "",
    "node_reward_type=type3.1",
    "",
  ].join("\n"),
  "deployment.json": `${JSON.stringify(
    {
      deployment: { deployment_environment: "mainnet", mgmt_mac: null },
      nns: { urls: ["https://icp-api.io", "https://icp0.io", "https://ic0.app"] },
      dev_vm_resources: { memory: "16", cpu: "kvm", nr_of_vcpus: 64 },
    },
    undefined,
    2,
  )}\n`,
  "ssh_authorized_keys/admin": `# Of the operator\n${SSH_KEY}\n`,
  "node_operator_private_key.pem": operatorKeyText(),
} as const satisfies Readonly<Record<string, string>>;

/** Writes these files below a folder, with others in the place of some; `undefined` leaves one out. */
export function writeNodeFolder(folder: string, others: Readonly<Record<string, string | Uint8Array | undefined>> = {}): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries({ ...NODE_FOLDER, ...others })) {
    if (content === undefined) continue;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

function sshKey(): string {
  const { publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  const parts = [Buffer.from("ssh-ed25519"), raw].flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    return [length, part];
  });
  return `ssh-ed25519 ${Buffer.concat(parts).toString("base64")} operator@example.org`;
}
