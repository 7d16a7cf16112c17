import { readFileSync } from "node:fs";
import { join } from "node:path";
import { withRequirements } from "../../../src/boot/graph.ts";
import { DEFAULT_PROFILE, type ProfileName, profileNames } from "../../../src/profiles/profiles.ts";
import { blockOf, grubBoot } from "../../../src/upgrade/boot-state.ts";
import type { SlotRecord } from "../../../src/upgrade/slot-state.ts";
import { makeHostKey } from "../../support/host-key.ts";
import { rawTar } from "../../support/raw-tar.ts";
import { HASH, installed, proven } from "../../support/slot-machine.ts";
import { compressions, imageTar, noise, sha256Of } from "../../support/update-images.ts";
import { CRYPTO_SECRET } from "./crash-machine.ts";
import { chains, type KilledUnit, killedUnits } from "./chain.ts";

/** A command line on a machine: what is killed, again and again. */
export interface Scenario {
  readonly name: string;
  /** Whose chain and medium the machine has. */
  readonly profile: ProfileName;
  /** What is there besides that which every machine has: content by path. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** What the kernel was told. */
  readonly kernel: string;
  /** Command lines that come before, and are not killed. */
  readonly before: readonly (readonly string[])[];
  readonly args: readonly string[];
  /** Ends with 0 when nothing is left to do. */
  readonly check?: readonly string[];
  /**
   * `chain`: units run at the same time, so that an effect has another number each time; here alone, what every run does is killed.
   * `boot`: the same as systemd starts it, killed only around what systemd is told.
   */
  readonly kind: "chain" | "boot" | "unit" | "upgrade";
}

const MIB = 1024 * 1024;
const KEY = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
const SYSTEM_A = "quiet dfinity.system=A\n";
const TRIAL_OF_B = "quiet dfinity.system=B guestos-boot.trial\n";
const ALICE = makeHostKey("ed25519", { comment: "alice" }).publicLine;

/** For every profile: what one does not know, it leaves where it is. */
const medium = rawTar([
  { name: "./network.conf", content: "hostname=node-7\nipv6_address=2001:db8::17/64\nipv6_gateway=2001:db8::1\n" },
  { name: "./nns.conf", content: "nns_url=http://a:1\n" },
  { name: "./accounts_ssh_authorized_keys/admin", content: ALICE },
  { name: "./accounts_ssh_authorized_keys/backup", content: ALICE },
  { name: "./bn_vars.conf", content: "system_domains=ic0.app\n" },
  { name: "./certs/fullchain.pem", content: "chain" },
  { name: "./certs/privkey.pem", content: "key" },
  { name: "./geolite2_dbs/GeoLite2-Country.mmdb", content: Buffer.alloc(9000, 1) },
  { name: "./nns_public_key.pem", content: KEY },
  { name: "./ic_crypto/node/secret", content: CRYPTO_SECRET.bytes },
  { name: "./ic_crypto/public", content: "public" },
  { name: "./ic_registry_local_store/00/01.pb", content: Buffer.alloc(5000, 1) },
  { name: "./ic_state/state", content: "state" },
]);

const stable = blockOf({ alternative: "A", cycle: "stable", trial: undefined }, ["other=1"]);
const committed = blockOf({ alternative: "B", cycle: "first_boot", trial: "B" }, ["other=1"]);

/** What every machine has. The image's part of it is read-only on a node. */
export const machineFiles: Readonly<Record<string, string | Uint8Array>> = {
  "/etc/passwd": [
    "root:x:0:0::/root:/bin/sh",
    "admin:x:1000:1001::/home/admin:/bin/sh",
    "backup:x:34:34::/:/bin/sh",
    "ic-replica:x:802:803::/:/sbin/nologin\n",
  ].join("\n"),
  "/etc/group": "root:x:0:\nnode_exporter:x:971:\n",
  "/etc/hostname": "guestos\n",
  "/etc/machine-id": "0123456789abcdef0123456789abcdef\n",
  "/etc/ssh/sshd_config": "UsePAM yes\n",
  "/etc/ssh/sshd_config.d/10-node.conf": "PasswordAuthentication no\n",
  "/etc/node_exporter/web.yml": "tls_server_config: {}\n",
  "/etc/nftables.conf": readFileSync(join(import.meta.dirname, "../../../etc/guestos/nftables.conf")),
  "/opt/ic/share/version.txt": "1.0.0\n",
  "/mnt/ic-bootstrap.tar": medium,
  "/boot/grub/grubenv": stable,
  "/run/node_exporter/collector_textfile/.keep": "",
  "/var/lib/ic/crypto/.keep": "",
};

/** What a profile's machine has besides. */
const ownFiles: Partial<Record<ProfileName, Readonly<Record<string, string>>>> = {
  // Of an earlier version, so that it is written again.
  hostos: {
    "/boot/config/config.json": JSON.stringify({
      config_version: "1.0.0",
      network_settings: { ipv6_config: { Deterministic: { prefix: "2001:db8:0:0", prefix_length: 64, gateway: "2001:db8::1" } } },
      icos_settings: { mgmt_mac: "52:54:00:6c:61:62", deployment_environment: "testnet" },
    }),
    "/boot/config/ssh_authorized_keys/admin": ALICE,
  },
  setupos: {
    "/config/config.ini": "ipv6_prefix=2602:ffe4:801:17\nipv6_gateway=2602:ffe4:801:17::1\nnode_reward_type=type3.1\n",
    "/config/ssh_authorized_keys/admin": ALICE,
    "/data/deployment.json": JSON.stringify({
      deployment: { deployment_environment: "mainnet", mgmt_mac: "52:54:00:6c:61:62" },
      nns: { urls: ["https://icp0.io"] },
      dev_vm_resources: { memory: "16", cpu: "kvm", nr_of_vcpus: 16 },
    }),
  },
};

const killed = new Set(killedUnits.map(({ unit }) => unit));

function unitScenario({ profile, unit }: KilledUnit): Scenario {
  const required = withRequirements([unit], chains.get(profile) ?? []).filter((other) => other !== unit && killed.has(other));
  const before = required.length === 0 ? [] : [["run", ...required.flatMap((other) => ["--unit", other.name])]];
  return {
    // Two profiles may have a unit of their own under one name.
    name: profile === DEFAULT_PROFILE ? unit.name : `${unit.name} of ${profile}`,
    profile,
    files: ownFiles[profile] ?? {},
    kernel: SYSTEM_A,
    before,
    args: ["run", "--unit", unit.name],
    check: ["plan", "--unit", unit.name],
    kind: "unit",
  };
}

function slots(records: Readonly<Record<"A" | "B", SlotRecord>>): Readonly<Record<string, string>> {
  return { "/boot/config/slots/A.json": JSON.stringify(records.A), "/boot/config/slots/B.json": JSON.stringify(records.B) };
}

/** Zeros enough that a tool is called for them, and chunks enough that several are on their way. */
const root = Buffer.concat([noise(300_000, "root"), Buffer.alloc(9 * MIB), noise(70_000, "end")]);
const update = compressions["tar.zst"](imageTar({ version: "2.0.0", boot: noise(60_000, "boot"), root }));

const upgrades: readonly Scenario[] = [
  {
    profile: DEFAULT_PROFILE,
    name: "upgrade install",
    files: {
      ...{ "/boot/config/slots/A.json": JSON.stringify(proven), "/boot/config/intents/var-B.json": "{}", "/mnt/update.tar.zst": update },
      ...{
        "/dev/B_boot": Buffer.alloc(MIB, "Bboot."),
        "/dev/B_root": Buffer.alloc(12 * MIB, "Broot."),
        "/dev/B_var": Buffer.alloc(MIB, "v"),
      },
    },
    kind: "upgrade",
    kernel: SYSTEM_A,
    before: [],
    args: ["upgrade", "install", "ROOT/mnt/update.tar.zst", "--sha256", sha256Of(update)],
  },
  {
    profile: DEFAULT_PROFILE,
    name: "upgrade commit",
    files: slots({ A: proven, B: installed }),
    kind: "upgrade",
    kernel: SYSTEM_A,
    before: [],
    args: ["upgrade", "commit", "--no-reboot"],
  },
  {
    profile: DEFAULT_PROFILE,
    name: "upgrade confirm",
    files: { ...slots({ A: proven, B: installed }), "/boot/grub/grubenv": grubBoot(committed).block ?? committed },
    kind: "upgrade",
    kernel: TRIAL_OF_B,
    before: [["run"]],
    args: ["upgrade", "confirm"],
  },
  {
    profile: DEFAULT_PROFILE,
    name: "upgrade rollback",
    files: { ...slots({ A: proven, B: installed }), "/boot/grub/grubenv": grubBoot(committed).block ?? committed },
    kind: "upgrade",
    kernel: TRIAL_OF_B,
    before: [],
    args: ["upgrade", "rollback", "--no-reboot"],
  },
  {
    profile: DEFAULT_PROFILE,
    name: "upgrade forget",
    files: {
      ...slots({ A: proven, B: { kind: "failed", reason: "not confirmed", sha256: HASH, at: "2026-11-20T14:00:00.000Z" } }),
      "/boot/config/slots/refused.json": JSON.stringify({
        images: [{ sha256: HASH, reason: "not confirmed", at: "2026-11-20T14:00:00.000Z" }],
      }),
    },
    kind: "upgrade",
    kernel: SYSTEM_A,
    before: [],
    args: ["upgrade", "forget", HASH],
  },
  {
    profile: DEFAULT_PROFILE,
    name: "upgrade-state, after a trial that was given up",
    files: { ...slots({ A: proven, B: installed }), "/boot/grub/grubenv": grubBoot(grubBoot(committed).block).block ?? committed },
    kind: "upgrade",
    kernel: SYSTEM_A,
    before: [],
    args: ["run", "--unit", "upgrade-state"],
    check: ["plan", "--unit", "upgrade-state"],
  },
];

export const scenarios: readonly Scenario[] = [
  ...killedUnits.map(unitScenario),
  ...upgrades,
  ...profileNames.map((profile): Scenario => ({
    name: `the whole chain of ${profile}`,
    profile,
    kind: "chain",
    files: ownFiles[profile] ?? {},
    kernel: SYSTEM_A,
    before: [],
    args: ["run"],
    check: ["plan"],
  })),
  {
    name: "a boot, from the end of its early half on",
    profile: DEFAULT_PROFILE,
    kind: "boot",
    files: {},
    kernel: SYSTEM_A,
    before: [],
    args: ["run", "--stage", "boot"],
    check: ["plan"],
  },
];
