import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { readBackupConf } from "../../../../src/config/backup-conf.ts";
import { readNetworkConfFile } from "../../../../src/config/node-network.ts";
import type { Host } from "../../../../src/system/host.ts";
import { configInjection } from "../../../../src/units/injection/config-injection.ts";
import { injectedData } from "../../../../src/units/injection/injected-data.ts";
import { operatorKeyText, type Sample, sampleConfig } from "../../../support/guestos-config-samples.ts";
import { atEveryEffect } from "../../../support/interrupting-host.ts";
import { type NamespaceMachine, namespaceMachine } from "../../../support/namespace-machine.ts";
import { problemOf } from "../../../support/problem-of.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { looseMedium, seedMedium, seedTar, TAR_FORMATS, todaysMedium, todaysTar, type Tree } from "../../../support/todays-media.ts";
import { canary } from "../../../support/canaries.ts";

const CRYPTO = canary("the crypto of a medium", "crypto-5d2e-of-a-medium");
const ANOTHER = canary("the crypto of another medium", "crypto-8b04-of-another");

/**
 * What today's hosts hand over, made by GNU tar and mtools as they make it. Of the node, the kernel's mount of a FAT is played, by
 * mcopy(1): test/vm/upgrade.test.ts has it.
 */
const KEY = operatorKeyText();
const withKey = (config: Sample): void => void (config.icos_settings["node_operator_private_key"] = KEY);
const CONFIG = sampleConfig("1.17.0", withKey);
const KEPT = sampleConfig("1.17.0");
const OPERATOR_KEY = "/var/lib/ic/data/node_operator_private_key.pem";

const TODAY: Tree = {
  "config.json": CONFIG,
  "accounts_ssh_authorized_keys/admin": "# a\n",
  "accounts_ssh_authorized_keys/recovery": "# r\n",
  "ic_crypto/node/secret": CRYPTO,
  "ic_registry_local_store/00/01.pb": "registry",
};
const OLD: Tree = {
  "network.conf": "ipv6_address=2001:db8:7::17/64\nipv6_gateway=2001:db8:7::1\nhostname=old\n",
  "nns.conf": "nns_url=https://icp-api.io,https://icp0.io\n",
  "reward.conf": "node_reward_type=type3.1\n",
  "bitcoin_addr.conf": "bitcoind_addr=\n",
  "node_operator_private_key.pem": KEY,
  "ic_crypto/node/secret": CRYPTO,
};

/** A node, and what is in its drive. */
interface Node extends NamespaceMachine {
  insert(image: Buffer | undefined): void;
  /** Boots that slot next; grubenv names A. */
  runs(slot: "A" | "B"): void;
}

function node(): Node {
  const machine = namespaceMachine({ "/etc/passwd": "ic-replica:x:802:803::/:/sbin/nologin\n", "/etc/group": "" });
  for (const folder of ["/boot/config", "/var/lib/ic/data", "/var/lib/ic/crypto", "/dev"])
    mkdirSync(machine.at(folder), { recursive: true });
  const device = machine.at("/dev/vdb");
  const { host } = machine;
  const mountPoint = machine.layout.medium.mountPoint;
  const isThere = (): boolean => statSync(device, { throwIfNoEntry: false }) !== undefined;
  const sysfs: Readonly<Record<string, string>> = { removable: "1\n", size: "8192\n", dev: "254:16\n" };
  let slot = "A";
  const playing: Host = {
    ...host,
    list: async (path) =>
      path === "/sys/class/block" ? (isThere() ? ["vdb"] : []) : path.startsWith("/sys/class/block/") ? [] : host.list(path),
    readText: async (path) =>
      path === "/proc/cmdline"
        ? `ro dfinity.system=${slot}\n`
        : path.startsWith("/sys/class/block/vdb/")
          ? sysfs[path.slice("/sys/class/block/vdb/".length)]
          : host.readText(path),
    readAt: async (path, ...rest) => host.readAt(path === "/dev/vdb" ? device : path, ...rest),
    async run(command) {
      if (command.program === "mount") spawned("mcopy", ["-s", "-n", "-m", "-i", device, "::*", mountPoint]);
      else if (command.program === "umount")
        for (const name of readdirSync(mountPoint)) rmSync(join(mountPoint, name), { recursive: true });
      else return host.run(command);
      return { status: 0, stdout: "", stderr: "" };
    },
  };
  return {
    ...machine.over(playing),
    insert: (image) => (image === undefined ? rmSync(device, { force: true }) : writeFileSync(device, image)),
    runs: (booted) => void (slot = booted),
  };
}

function spawned(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8", env: { ...process.env, MTOOLS_SKIP_CHECK: "1" } });
  if (status !== 0) throw new Error(stderr);
}

async function boot(machine: NamespaceMachine): Promise<readonly string[]> {
  return [...(await runUnit(configInjection, machine)), ...(await runUnit(injectedData, machine))];
}

function files(machine: NamespaceMachine): Record<string, string> {
  const found: Record<string, string> = {};
  for (const folder of ["/boot/config", "/var/lib/ic", "/run/config"]) {
    if (statSync(machine.at(folder), { throwIfNoEntry: false }) === undefined) continue;
    for (const item of readdirSync(machine.at(folder), { recursive: true, withFileTypes: true })) {
      const path = join(item.parentPath, item.name);
      if (item.isFile() && !/(injection|injected-data)\.json$/.test(path))
        found[`/${relative(machine.root, path)}`] = readFileSync(path, "utf8");
    }
  }
  return found;
}

function facts(machine: NamespaceMachine, path: string): string {
  const { mode, uid, gid } = statSync(machine.at(path));
  return `${(mode & 0o7777).toString(8)} ${uid}:${gid}`;
}

const STORED = {
  "/boot/config/CONFIGURED": "",
  "/boot/config/config.json": KEPT,
  "/boot/config/accounts_ssh_authorized_keys/admin": "# a\n",
  "/boot/config/accounts_ssh_authorized_keys/recovery": "# r\n",
  "/var/lib/ic/crypto/node/secret": CRYPTO,
  "/var/lib/ic/data/ic_registry_local_store/00/01.pb": "registry",
  [OPERATOR_KEY]: KEY,
  "/run/config/config.json": KEPT,
  "/run/config/guest_vm_type/default": "",
};

test.each([
  ...TAR_FORMATS.map((format) => [`a ${format} tar`, () => todaysMedium(todaysTar(TODAY, format))] as const),
  ["loose files", () => looseMedium(TODAY)] as const,
  ["a tar without order, on a medium without a label", () => seedMedium(seedTar(TODAY))] as const,
])("a first boot takes in %s", async (_, image) => {
  const machine = node();
  machine.insert(image());
  await boot(machine);
  expect(files(machine)).toEqual(STORED);
  expect(facts(machine, OPERATOR_KEY)).toBe("400 802:803");
  expect(facts(machine, "/boot/config/config.json")).toBe("600 0:0");
  expect(facts(machine, "/run/config/config.json")).toBe("400 802:803");
  expect(machine.notes).toEqual([]);
  expect((await readNetworkConfFile(machine.host, machine.layout)).conf).toMatchObject({
    ...{ ipv6_address: "2001:db8:7::17/64", ipv6_gateway: "2001:db8:7::1", ipv4_address: "192.0.2.17/24", ipv4_gateway: "192.0.2.1" },
    ...{ domain: "node.example.org", hostname: "guest-b07b25c8f6c0" },
    name_servers: expect.arrayContaining(["2606:4700:4700::1111"]),
  });
});

test("a second boot puts the configuration in force again, and changes nothing that lasts", async () => {
  const machine = node();
  machine.insert(todaysMedium(todaysTar(TODAY)));
  await boot(machine);
  machine.reboot();
  expect(await boot(machine)).toEqual([
    `put config.json in force: ${machine.at("/run/config/config.json")}`,
    `note the type of this VM: ${machine.at("/run/config/guest_vm_type/default")}`,
  ]);
  expect(files(machine)).toEqual(STORED);
  expect(await boot(machine)).toEqual([]);
});

test("a later boot without a medium goes on with the configuration of the last one, and says what it lacks", async () => {
  const machine = node();
  machine.insert(looseMedium(TODAY));
  await boot(machine);
  machine.reboot();
  machine.insert(undefined);
  const error: unknown = await boot(machine).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    ...{ partial: true, retryable: true },
    problem: { what: "no configuration medium was found; the configuration of the last boot stays in force" },
  });
  expect(files(machine)).toEqual(STORED);
});

test.each([
  ["damaged", () => todaysMedium(todaysTar(TODAY).subarray(0, 2000)), "the tar is damaged or cut off"],
  ["with a link in its tar", () => todaysMedium(withLink()), 'the entry "./evil" is refused'],
  ["with a config.json that is no JSON", () => looseMedium({ "config.json": "{" }), "the file is not JSON"],
  [
    "with too large a config.json",
    () => looseMedium({ "config.json": `"${"x".repeat(300_000)}"` }),
    'the entry "config.json" is too large',
  ],
])("a later boot with a medium that is %s goes on with the configuration of the last one", async (_, image, what) => {
  const machine = node();
  machine.insert(looseMedium(TODAY));
  await boot(machine);
  machine.reboot();
  machine.insert(image());
  const error: unknown = await boot(machine).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ partial: true, problem: { what: `${what}; the configuration of the last boot stays in force` } });
  expect(files(machine)).toEqual(STORED);
});

test("a drive that fails costs a configured node nothing: it goes on with what it has, and says so", async () => {
  const failing = (machine: Node): NamespaceMachine =>
    machine.over({
      ...machine.host,
      async stat(path) {
        if (!path.startsWith(`${machine.layout.medium.mountPoint}/`)) return machine.host.stat(path);
        throw Object.assign(new Error("EIO: i/o error, lstat"), { code: "EIO", syscall: "lstat" });
      },
    });
  const today = node();
  today.insert(looseMedium(TODAY));
  await boot(today);
  today.reboot();
  expect(await boot(failing(today)).catch((thrown: unknown) => thrown)).toMatchObject({
    partial: true,
    problem: {
      code: "medium-not-readable",
      what: expect.stringMatching(/cannot be read; the configuration of the last boot stays in force$/),
      found: expect.stringContaining("EIO"),
    },
  });
  expect(files(today)).toEqual(STORED);

  const old = node();
  old.insert(seedMedium(seedTar(OLD)));
  await boot(old);
  const before = files(old);
  const failed = failing(old);
  expect(await boot(failed)).toEqual([]);
  expect(failed.notes).toEqual([expect.stringMatching(/^the configuration medium is not used: .* cannot be read; /)]);
  expect(files(old)).toEqual(before);
});

test("a node of old searches the beginning of a medium for config.json, and not gigabytes at each boot", async () => {
  const machine = node();
  machine.insert(seedMedium(seedTar(OLD)));
  await boot(machine);
  const before = files(machine);
  machine.notes.length = 0;
  machine.insert(todaysMedium(todaysTar({ "ic_state/large": "x".repeat(65 * 1024 * 1024), "network.conf": "hostname=new\n" })));
  expect(await boot(machine)).toEqual([]);
  expect(machine.notes).toEqual([expect.stringMatching(/^the configuration medium is not used: .*more than 67108864 bytes/)]);
  expect(files(machine)).toEqual(before);
});

function withLink(): Buffer {
  const folder = join(node().root, "tree");
  mkdirSync(folder);
  writeFileSync(join(folder, "config.json"), CONFIG);
  spawned("ln", ["-s", "/etc/shadow", join(folder, "evil")]);
  spawned("tar", ["-c", "-f", `${folder}.tar`, "-C", folder, "."]);
  return readFileSync(`${folder}.tar`);
}

test("what the host changes between two boots counts from the second on, but keys and state do not", async () => {
  const machine = node();
  machine.insert(todaysMedium(todaysTar(TODAY)));
  await boot(machine);
  machine.reboot();
  const changed = sampleConfig("1.18.0", (config) => {
    config.network_settings["ipv6_config"] = "RouterAdvertisement";
    config.icos_settings["node_operator_private_key"] = operatorKeyText();
  });
  machine.insert(todaysMedium(todaysTar({ ...TODAY, "config.json": changed, "ic_crypto/node/secret": ANOTHER })));
  await boot(machine);
  expect(files(machine)).toEqual({
    ...STORED,
    "/boot/config/config.json": expect.stringContaining("1.18.0"),
    "/run/config/config.json": expect.stringContaining("1.18.0"),
  });
  expect(JSON.stringify(files(machine)).match(/PRIVATE KEY/g)).toHaveLength(2);
  expect((await readNetworkConfFile(machine.host, machine.layout)).conf.ipv6_address).toBeUndefined();
});

const UPGRADE = sampleConfig("1.17.0", (config) => (config["guest_vm_type"] = "upgrade"));

test("of an upgrade VM's configuration nothing is kept: the disk is the node's, too", async () => {
  const machine = node();
  machine.insert(looseMedium(TODAY));
  await boot(machine);
  machine.reboot();
  machine.runs("B");
  machine.insert(looseMedium({ "config.json": UPGRADE, "ic_crypto/node/secret": ANOTHER }));
  expect(await boot(machine)).toEqual([
    `put config.json in force: ${machine.at("/run/config/config.json")}`,
    `note the type of this VM: ${machine.at("/run/config/guest_vm_type/upgrade")}`,
  ]);
  const { "/run/config/guest_vm_type/default": _, ...rest } = STORED;
  expect(files(machine)).toEqual({ ...rest, "/run/config/config.json": UPGRADE, "/run/config/guest_vm_type/upgrade": "" });

  machine.reboot();
  machine.runs("A");
  machine.insert(looseMedium(TODAY));
  await boot(machine);
  expect(files(machine)).toEqual(STORED);
});

test("an upgrade VM whose medium cannot be read is not taken for the node", async () => {
  const today = node();
  today.insert(looseMedium(TODAY));
  await boot(today);
  const old = node();
  old.insert(seedMedium(seedTar(OLD)));
  await boot(old);
  for (const machine of [today, old]) {
    for (const image of [undefined, looseMedium({ "config.json": "{" })]) {
      machine.reboot();
      machine.runs("B");
      machine.insert(image);
      const error: unknown = await boot(machine).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ partial: false });
      expect(Object.keys(files(machine)).filter((path) => path.startsWith("/run/"))).toEqual([]);
    }
  }
});

test("an upgrade VM of a node that never was is refused, and nothing is stored", async () => {
  const machine = node();
  machine.insert(looseMedium({ ...TODAY, "config.json": UPGRADE }));
  expect(await problemOf(() => boot(machine))).toMatchObject({ code: "upgrade-vm-without-node" });
  expect(files(machine)).toEqual({});
});

test("a type of a later version never becomes a name", async () => {
  const machine = node();
  machine.insert(looseMedium({ "config.json": sampleConfig("1.17.0", (config) => (config["guest_vm_type"] = "../../boot/config/evil")) }));
  await boot(machine);
  expect(Object.keys(files(machine)).filter((path) => path.includes("vm_type") || path.includes("evil"))).toEqual([
    "/run/config/guest_vm_type/unknown",
  ]);
});

test("a node of old changes over to config.json, and back, and keeps its keys and state", async () => {
  const machine = node();
  machine.insert(seedMedium(seedTar(OLD)));
  await boot(machine);
  const before = files(machine);
  expect(before).toMatchObject({ "/boot/config/network.conf": OLD["network.conf"], [OPERATOR_KEY]: KEY });
  expect(before).not.toHaveProperty(["/run/config/config.json"]);
  expect(before).toHaveProperty(["/run/config/guest_vm_type/default"], "");
  expect(machine.notes).toEqual(["bitcoin_addr.conf: line 1: bitcoind_addr has no value, and counts as absent"]);

  machine.reboot();
  expect(await boot(machine)).toEqual([`note the type of this VM: ${machine.at("/run/config/guest_vm_type/default")}`]);

  machine.notes.length = 0;
  machine.insert(looseMedium({ ...TODAY, "ic_crypto/node/secret": ANOTHER }));
  await boot(machine);
  expect(machine.notes).toEqual(["the host hands over config.json now: it counts in place of the *.conf files. Keys and state are kept"]);
  const { "/run/config/config.json": _, "/boot/config/config.json": saved, ...rest } = files(machine);
  expect({ saved, rest }).toEqual({ saved: KEPT, rest: before });
  expect((await readNetworkConfFile(machine.host, machine.layout)).conf.hostname).toBe("guest-b07b25c8f6c0");

  machine.reboot();
  machine.notes.length = 0;
  machine.insert(seedMedium(seedTar({ ...OLD, "network.conf": "hostname=back\n" })));
  await boot(machine);
  expect(machine.notes[0]).toMatch(/^the host hands over \*\.conf files again/);
  expect(files(machine)).toEqual({ ...before, "/boot/config/network.conf": "hostname=back\n" });
  expect((await readNetworkConfFile(machine.host, machine.layout)).conf.hostname).toBe("back");
  expect(await boot(machine)).toEqual([]);
});

test("a node of old waits for a drive that the kernel is bringing up", async () => {
  const coming = (machine: Node): NamespaceMachine => {
    const usb = "/sys/bus/usb/devices";
    return machine.over({
      ...machine.host,
      stat: async (path) => machine.host.stat(path === "/run/udev/control" ? "/proc/version" : path),
      list: async (path) => (path === usb ? ["2-1:1.0"] : machine.host.list(path)),
      readText: async (path) => (path === `${usb}/2-1:1.0/bInterfaceClass` ? "08\n" : machine.host.readText(path)),
      async readLink(path) {
        if (path === `${usb}/2-1:1.0/driver`) return "usb-storage";
        return path === "/sys/class/block/vdb" ? "../../devices/usb2/2-1/2-1:1.0/host6/block/vdb" : machine.host.readLink(path);
      },
    });
  };
  const machine = node();
  machine.insert(seedMedium(seedTar(OLD)));
  await boot(machine);
  machine.insert(undefined);
  setTimeout(() => machine.insert(looseMedium(TODAY)), 300);
  await boot(coming(machine));
  expect(files(machine)).toMatchObject({ "/run/config/config.json": KEPT });
});

test("wherever the power is cut on the way there and back, the next boot ends as an undisturbed one", async () => {
  const there = looseMedium(TODAY);
  const back = seedMedium(seedTar({ ...OLD, "network.conf": "hostname=back\n" }));
  for (const [first, second] of [
    [seedMedium(seedTar(OLD)), there],
    [there, back],
  ] as const) {
    const undisturbed = node();
    undisturbed.insert(first);
    await boot(undisturbed);
    undisturbed.reboot();
    undisturbed.insert(second);
    await boot(undisturbed);
    const cuts = await atEveryEffect(
      async () => {
        const machine = node();
        machine.insert(first);
        await boot(machine);
        machine.reboot();
        machine.insert(second);
        return machine;
      },
      async (machine, interrupt) => boot(machine.over(interrupt(machine.host))),
      async (machine) => {
        machine.reboot();
        await boot(machine);
        expect(files(machine)).toEqual(files(undisturbed));
      },
    );
    expect(cuts).toBeGreaterThan(1);
  }
});

test("of both side by side config.json counts, and a note says what differs", async () => {
  const machine = node();
  machine.insert(todaysMedium(todaysTar({ ...OLD, ...TODAY })));
  await boot(machine);
  expect(machine.notes).toEqual(
    expect.arrayContaining([
      "config.json: it counts, and network.conf, nns.conf, reward.conf beside it do not",
      "hostname of network.conf is old, and config.json has guest-b07b25c8f6c0, which counts",
      "nns_url of nns.conf is https://icp-api.io https://icp0.io, and config.json has https://icp-api.io https://icp0.io https://ic0.app, which counts",
    ]),
  );
  expect(machine.notes.join("\n")).not.toContain("ipv6_address");
  expect(files(machine)).toMatchObject({ "/boot/config/network.conf": OLD["network.conf"], "/boot/config/config.json": KEPT });
});

test("of two operator's keys the one in config.json counts, and a note says so", async () => {
  const machine = node();
  machine.insert(seedMedium(seedTar({ "config.json": CONFIG, "node_operator_private_key.pem": operatorKeyText() })));
  await boot(machine);
  expect(files(machine)[OPERATOR_KEY]).toBe(KEY);
  expect(machine.notes).toEqual(["node_operator_private_key.pem: config.json holds another one, which is used"]);
});

test("settings for development count in an image for development alone", async () => {
  const development = sampleConfig("1.17.0", (config) =>
    Object.assign(config.guestos_settings.guestos_dev_settings, { hostname: "dev-7", backup_spool: { backup_retention_time_seconds: 60 } }),
  );
  for (const isDevelopment of [false, true]) {
    const machine = node();
    if (isDevelopment) writeFileSync(machine.at("/etc/allow_console_root"), "");
    machine.insert(looseMedium({ "config.json": development }));
    await boot(machine);
    const { conf } = await readNetworkConfFile(machine.host, machine.layout);
    expect(conf.hostname).toBe(isDevelopment ? "dev-7" : "guest-b07b25c8f6c0");
    expect((await readBackupConf(machine.host, machine.layout)).backup_retention_time_secs).toBe(isDevelopment ? 60 : 86_400);
    expect(machine.notes.some((note) => note.includes("for development"))).toBe(!isDevelopment);
  }
});

test("the network's key is that of the image; only in an image for development may the host give another one", async () => {
  const pem = generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" });
  const config = sampleConfig("1.17.0", (sample) => (sample.guestos_settings.guestos_dev_settings["nns_pub_key_override"] = pem));
  for (const isDevelopment of [false, true]) {
    const machine = node();
    mkdirSync(machine.at("/opt/ic/share"), { recursive: true });
    writeFileSync(machine.at("/opt/ic/share/nns_public_key.pem"), "the image's");
    if (isDevelopment) writeFileSync(machine.at("/etc/allow_console_root"), "");
    machine.insert(looseMedium({ "config.json": config }));
    await boot(machine);
    expect(files(machine)["/run/config/nns_public_key.pem"]).toBe(isDevelopment ? pem : "the image's");
    expect(facts(machine, "/run/config/nns_public_key.pem")).toBe("444 0:0");
  }
});

test("a value that is wrong costs what needs it, and is named with its place", async () => {
  const machine = node();
  machine.insert(
    looseMedium({
      "config.json": sampleConfig("1.17.0", (config) => {
        config.network_settings["ipv4_config"] = { address: "192.0.2.300", gateway: "192.0.2.1", prefix_length: 24 };
        config.icos_settings["mgmt_mac"] = "x";
      }),
    }),
  );
  await boot(machine);
  expect(machine.notes).toHaveLength(2);
  const { conf, malformed } = await readNetworkConfFile(machine.host, machine.layout);
  expect(conf).toMatchObject({ ipv6_address: "2001:db8:7::17/64", domain: "node.example.org" });
  expect({ ...conf }).not.toHaveProperty("ipv4_address");
  expect(malformed.map(({ key, line }) => [key, line])).toEqual([
    ["ipv4_address", 11],
    ["hostname", 19],
  ]);
});

/** What hosts write, and what the node has of it. */
test("carriage returns, blanks, byte order marks and empty values are taken out, with a note each", async () => {
  const machine = node();
  machine.insert(
    seedMedium(
      seedTar({
        "network.conf": "\ufeffipv6_address=2001:db8::17/64\r\nipv6_gateway=2001:db8::1 \t\r\n\r\nipv4_address=\r\n",
        "nns.conf": "nns_url=https://icp0.io\r\n",
        "bitcoind_addr.conf": "bitcoind_addr=192.0.2.9:8333\t\nwhat is this\n",
        "node_operator_private_key.pem": KEY.replaceAll("\n", "\r\n"),
      }),
    ),
  );
  await boot(machine);
  expect(files(machine)).toEqual({
    "/boot/config/CONFIGURED": "",
    "/boot/config/network.conf": "ipv6_address=2001:db8::17/64\nipv6_gateway=2001:db8::1\n\nipv4_address=\n",
    "/boot/config/nns.conf": "nns_url=https://icp0.io\n",
    "/boot/config/bitcoind_addr.conf": "bitcoind_addr=192.0.2.9:8333\n",
    [OPERATOR_KEY]: KEY,
    "/run/config/guest_vm_type/default": "",
  });
  expect(machine.notes.toSorted()).toEqual([
    "bitcoind_addr.conf: blanks or tabs at the ends of lines (the first in line 1)",
    'bitcoind_addr.conf: line 2, column 1: a line has no =, and is ignored: found "what", expected key=value, or a comment that begins with #',
    "network.conf: a byte order mark at the beginning",
    "network.conf: blanks or tabs at the ends of lines (the first in line 2)",
    "network.conf: carriage returns at the ends of lines (the first in line 1)",
    "network.conf: line 4: ipv4_address has no value, and counts as absent",
    "nns.conf: carriage returns at the ends of lines (the first in line 1)",
    "node_operator_private_key.pem: carriage returns at the ends of lines (the first in line 1)",
  ]);
});

test("a file with names that would leave their place, or a name that no console shows, refuses the medium", async () => {
  const machine = node();
  machine.insert(looseMedium({ "config.json": CONFIG, "ic_state/b\u00fc": "x" }));
  expect(await problemOf(() => boot(machine))).toMatchObject({ code: "tar-entry-refused" });
});
