import { createHash, X509Certificate } from "node:crypto";
import { expect, test, vi } from "vitest";
import * as z from "zod";
import { CriticalChainDocument, DiffDocument, TimeDocument } from "../../src/analyze/documents.ts";
import type { TraceEvent } from "../../src/analyze/trace.ts";
import type { UnitView } from "../../src/boot/record/run-view.ts";
import { guestosLayout, volumeBytes } from "../../src/config/layout/layout.ts";
import { guestos } from "../support/chains.ts";
import { documents } from "../../tools/schemas/documents.ts";
import type { ShellResult } from "../../lab/shell.ts";
import type { VirtualMachine } from "../../lab/virtual-machine.ts";
import { onANode } from "../support/documented/on-a-node.ts";
import { traceFaults } from "../support/trace-faults.ts";
import { guestosBoot, plannedUnits, recordOf, runDocument, toolRuns } from "./support/chain.ts";
import { assertCleanBoot } from "./support/clean-boot.ts";
import { inTerminal } from "./support/in-terminal.ts";
import { accountsWithKeys, injectedNetwork, injectedNode } from "./support/injected-node.ts";
import { lastingState } from "./support/lasting-state.ts";
import { BOOT_TIMEOUT, bootedNode, diskOf, reportOf, untilBooted } from "./support/node.ts";
import { configFile, exampleUnit, writeOwn } from "./support/own-configuration.ts";
import { metricsPage, ssh } from "./support/reach.ts";

/**
 * The life of one node, from a blank disk: first boot, an operator at work, reboot, power cut. All on one disk.
 *
 * The pieces run in this order. Each also holds without those before it, on a node that was booted again for it.
 */

// A piece may have to boot the node again, more than once.
vi.setConfig({ testTimeout: 5 * BOOT_TIMEOUT });

const NAME = "node";
/**
 * A boot with nothing to do starts these and no others: more of them is a slower boot of every node.
 * Mounts: one for the four below /boot, /var, one for the three below /var/lib/ic, and what is bound over /etc.
 */
const TOOLS_OF_A_SECOND_BOOT = { mount: 6, cryptsetup: 2, vgchange: 1, swapon: 1, nft: 2 };
const MEMORY_LIMIT = 120 * 1024 ** 2;
const MIB = 1024 ** 2;

const injected = await injectedNode();
const node = bootedNode({ name: NAME, size: "8G", processors: 2, config: injected.config });
const RECOVERY = "canary of the recovery passphrase 5150";
const clean = { secrets: [...injected.secrets, { name: "recovery passphrase", bytes: Buffer.from(RECOVERY) }] };

test("the first boot ends well, in one process, and the target is reached", () =>
  node.use(async (vm) => {
    expect(reportOf(vm).end?.counts).toMatchObject({ degraded: 0, failed: 0, skipped: 0 });
    expect(await vm.shell.ok("systemctl is-active guestos-boot.target guestos-boot.service guestos-boot-late.service")).toBe(
      "active\nactive\nactive\n",
    );
    expect(await untilBooted(vm)).toBe("running");
    const ran = await vm.shell.ok("systemctl show --property ExecStart guestos-boot.service");
    expect(ran).toMatch(/argv\[\]=\S*\/guestos-boot run --stage boot --wait 300 ;.* status=0 /);
    const { runs } = await recordOf(vm);
    expect(runs.map(({ facts }) => facts.stage).filter((stage) => stage !== undefined)).toEqual(["boot"]);
    const status = await guestosBoot(vm, "status --json");
    expect(status.status).toBe(0);
    const { outcome, units } = runDocument(status);
    expect(outcome).toBe("done");
    expect(units.map(({ name }) => name).toSorted()).toEqual(guestos.map(({ name }) => name).toSorted());
    expect(units.filter(({ outcome: how }) => how !== "changed" && how !== "unchanged")).toEqual([]);
    expect(units.flatMap(({ notes }) => notes)).toEqual([]);
  }));

test("the boot is clean: nothing failed, nothing warned, no secret shows anywhere", () =>
  node.use(async (vm) => {
    await assertCleanBoot(vm, clean);
    expect(await vm.shell.ok("journalctl -k -b -q -p err -o cat")).toBe("");
    expect(await vm.shell.ok("systemctl show --property LimitCORE guestos-boot.service guestos-boot-late.service")).toBe(
      "LimitCORE=0\n\nLimitCORE=0\n",
    );
  }));

/** What its events have to be, `traceFaults` inspects. */
const Trace = z.object({ traceEvents: z.array(z.custom<TraceEvent>((event) => typeof event === "object" && event !== null)) });

const sum = (list: readonly { readonly seconds: number }[]): number => list.reduce((total, { seconds }) => total + seconds, 0);

test("analyze accounts for the whole boot, within 1 % of what systemd measured, and draws it; why tells of a unit", () =>
  node.use(async (vm) => {
    await untilBooted(vm);
    const clock = async (name: string): Promise<number> => Number(await vm.shell.ok(`systemctl show -P ${name}TimestampMonotonic`)) / 1e6;
    const wall = (await clock("Firmware")) + (await clock("Finish"));
    const time = TimeDocument.parse(await vm.shell.json("guestos-boot analyze time --json", { timeout: BOOT_TIMEOUT }));
    const chain = CriticalChainDocument.parse(await vm.shell.json("guestos-boot analyze critical-chain --json", { timeout: BOOT_TIMEOUT }));
    expect([time.clocks, chain.clocks]).toEqual(["whole boot", "whole boot"]);
    for (const seconds of [time.seconds, sum(time.phases), chain.seconds, sum(chain.links)])
      expect(Math.abs(seconds - wall)).toBeLessThan(wall / 100);
    expect((await guestosBoot(vm, "analyze blame")).stdout).toMatch(/^ +\d[\d.]* s +\d[\d.]* s \* [a-z][a-z0-9-]* +\d/m);
    const { traceEvents } = Trace.parse(await vm.shell.json("guestos-boot analyze trace", { timeout: BOOT_TIMEOUT }));
    const named = traceEvents.flatMap(({ name, args }) => (name === "thread_name" ? [args?.["name"]] : []));
    expect(named).toEqual(expect.arrayContaining(["phases", ...guestos.map(({ name }) => name)]));
    expect(traceFaults(traceEvents)).toEqual([]);
    expect((await guestosBoot(vm, "graph --svg --boot 0")).stdout).toMatch(/^<svg [^]*<\/svg>\n$/);
    expect(await guestosBoot(vm, "status --watch")).toMatchObject({ status: 0, stdout: expect.stringContaining("volume-mounts") });
    expect((await guestosBoot(vm, "analyze plot")).stdout).toMatch(/^<svg [^]*<\/svg>\n$/);
    expect((await guestosBoot(vm, "analyze report")).stdout).toMatch(/^<!doctype html>[^]*<dt>[^]*<\/html>\n$/);
    expect((await guestosBoot(vm, "why store-key")).stdout).toMatch(/^ +start +at [^]*cryptsetup/m);
  }));

test("the program came with the Debian package", () =>
  node.use(async (vm) => {
    expect(await vm.shell.ok("dpkg-query --show --showformat '${db:Status-Status}' guestos-boot")).toBe("installed");
    expect(await vm.shell.ok("dpkg-query --search /usr/bin/guestos-boot")).toBe("guestos-boot: /usr/bin/guestos-boot\n");
  }));

test("the boot process never used more than 120 MiB", ({ annotate }) =>
  node.use(async (vm) => {
    const { events } = await recordOf(vm);
    const peaks = events.flatMap((event) => (event.event === "run-ended" ? [event.peakMemory] : []));
    await annotate(`peak memory of the runs: ${peaks.map((bytes) => `${((bytes ?? 0) / MIB).toFixed(0)} MiB`).join(", ")}`);
    expect(peaks.length).toBeGreaterThanOrEqual(1);
    for (const peak of peaks) {
      expect(peak).toBeGreaterThan(0);
      expect(peak).toBeLessThanOrEqual(MEMORY_LIMIT);
    }
  }));

const BlockDevices = z.object({
  blockdevices: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      size: z.number(),
      fstype: z.string().nullable(),
      partlabel: z.string().nullable(),
      mountpoint: z.string().nullable(),
    }),
  ),
});

async function blockDevices(vm: VirtualMachine): Promise<z.infer<typeof BlockDevices>["blockdevices"]> {
  const columns = "NAME,TYPE,SIZE,FSTYPE,PARTLABEL,MOUNTPOINT";
  return BlockDevices.parse(await vm.shell.json(`lsblk --json --list --bytes --output ${columns} /dev/vda`)).blockdevices;
}

test("the disk has the ten partitions, two encrypted devices and four volumes", () =>
  node.use(async (vm) => {
    const devices = await blockDevices(vm);
    const rows = devices.map(({ name, type, fstype, partlabel, mountpoint }) =>
      [name, type, fstype ?? "-", partlabel ?? "-", mountpoint ?? "-"].join(" "),
    );
    expect(rows.toSorted()).toEqual(
      [
        "vda disk - - -",
        "vda1 part vfat esp /boot/efi",
        "vda2 part vfat grub /boot/grub",
        "vda3 part ext4 config /boot/config",
        "vda4 part ext4 A_boot /boot",
        "vda5 part ext4 A_root /",
        "vda6 part crypto_LUKS A_var -",
        "vda7 part - B_boot -",
        "vda8 part - B_root -",
        "vda9 part - B_var -",
        "vda10 part crypto_LUKS store -",
        "var_crypt crypt ext4 - /var",
        "vda10-crypt crypt LVM2_member - -",
        "store-shared--crypto lvm ext4 - /var/lib/ic/crypto",
        "store-shared--swap lvm swap - [SWAP]",
        "store-shared--backup lvm ext4 - /var/lib/ic/backup",
        "store-shared--data lvm xfs - /var/lib/ic/data",
      ].toSorted(),
    );
    expect(await vm.shell.ok("cryptsetup luksDump /dev/vda6 | grep Version; cryptsetup luksDump /dev/vda10 | grep Version")).toMatch(
      /^Version:\s+2\nVersion:\s+2\n$/,
    );
  }));

test("the store takes the rest of the enlarged disk, and the volumes their shares of it", () =>
  node.use(async (vm) => {
    const devices = await blockDevices(vm);
    const size = (name: string): number => devices.find((device) => device.name === name)?.size ?? 0;
    const parts = devices.filter(({ type }) => type === "part").reduce((sum, part) => sum + part.size, 0);
    expect(size("vda")).toBe(8 * 1024 ** 3);
    expect(size("vda") - parts).toBeLessThan(4 * MIB);
    const group = Number(await vm.shell.ok("vgs --noheadings --nosuffix --units b --options vg_size store"));
    for (const volume of guestosLayout.volumes) {
      const actual = size(`store-${volume.name.replaceAll("-", "--")}`);
      // LVM counts in extents of 4 MiB.
      expect(Math.abs(actual - volumeBytes(volume.size, group)), volume.name).toBeLessThanOrEqual(4 * MIB);
    }
  }));

const FileSystems = z.object({ filesystems: z.array(z.object({ target: z.string(), fstype: z.string(), options: z.string() })) });

test("everything is mounted with no more rights than it needs", () =>
  node.use(async (vm) => {
    const { filesystems } = FileSystems.parse(await vm.shell.json("findmnt --json --list --output TARGET,FSTYPE,OPTIONS"));
    const optionsOf = (target: string): readonly string[] =>
      filesystems.findLast((fileSystem) => fileSystem.target === target)?.options.split(",") ?? [];
    const restricted = ["nodev", "nosuid", "noexec"];
    const wanted: Readonly<Record<string, readonly string[]>> = {
      "/": ["ro"],
      "/boot": ["ro", ...restricted],
      "/boot/efi": ["ro", "fmask=0077", "dmask=0077", ...restricted],
      "/boot/grub": ["rw", "gid=4", "fmask=0027", "dmask=0027", ...restricted],
      "/boot/config": ["rw", "sync", ...restricted],
      "/var": ["rw", "nodev", "nosuid"],
      "/var/lib/ic/data": ["rw", ...restricted],
      "/var/lib/ic/crypto": ["rw", ...restricted],
      "/var/lib/ic/backup": ["rw", ...restricted],
      "/etc/ssh": ["ro", ...restricted],
      "/etc/node_exporter": ["ro", ...restricted],
      "/etc/hostname": ["ro", ...restricted],
    };
    for (const [target, options] of Object.entries(wanted)) expect(optionsOf(target), target).toEqual(expect.arrayContaining([...options]));
    const onDisks = filesystems.filter(({ fstype }) => ["ext4", "xfs", "vfat"].includes(fstype));
    expect(onDisks.map(({ target }) => target).toSorted()).toEqual(
      Object.keys(wanted)
        .filter((target) => !target.startsWith("/etc/"))
        .toSorted(),
    );
    expect(await vm.shell.ok("swapon --show=TYPE --noheadings")).toBe("partition\n");
  }));

const Intent = z.object({ phase: z.string(), uuid: z.string() });

test("what was made is noted as complete, under the identity that it has", () =>
  node.use(async (vm) => {
    const lines = await vm.shell.ok(
      'for file in /boot/config/intents/*; do echo "$(basename $file .json)"; tr -d "\\n" <$file; echo; done',
    );
    const [intents, names]: [z.infer<typeof Intent>[], string[]] = [[], []];
    for (const [index, line] of lines.trimEnd().split("\n").entries()) {
      if (index % 2 === 0) names.push(line);
      else intents.push(Intent.parse(JSON.parse(line)));
    }
    expect(names).toEqual([
      ...["backup", "crypto", "data", "swap"].map((name) => `filesystem-shared-${name}`),
      ...["store", "var-A", "volumes"],
    ]);
    expect(intents.map(({ phase }) => phase)).toEqual(names.map(() => "complete"));
    const uuids = await vm.shell.ok("lsblk --list --noheadings --output UUID /dev/vda");
    for (const { uuid } of intents) expect(uuids).toContain(uuid);
  }));

test("host name, addresses and name servers are the injected ones", () =>
  node.use(async (vm) => {
    const { hostname, domain, address, nameServer } = injectedNetwork;
    expect(await vm.shell.ok("hostname; cat /etc/hostname")).toBe(`${hostname}\n${hostname}\n`);
    // An address of another scope leaves an empty object.
    const Address = z.object({ local: z.string().optional(), prefixlen: z.number().optional() });
    const links = z.array(z.object({ addr_info: z.array(Address) })).parse(await vm.shell.json("ip --json address show scope global"));
    const addresses = links.flatMap(({ addr_info }) =>
      addr_info.flatMap(({ local, prefixlen }) => (local === undefined ? [] : [`${local}/${prefixlen}`])),
    );
    // By SLAAC from QEMU's router, since network.conf names no IPv6 address.
    expect(addresses.toSorted()).toEqual([`${address}/24`, expect.stringMatching(/^2001:db8:6772:[0-9a-f:]+\/64$/)]);
    expect(await vm.shell.ok("ip route show default")).toMatch(/^default via 10\.0\.2\.2 /);
    expect(await vm.shell.ok("ip -6 route show default")).toMatch(/^default .*via fe80::/m);
    expect(await vm.shell.ok("resolvectl dns; resolvectl domain")).toMatch(
      new RegExp(`Link \\d+ \\(\\w+\\): ${RegExp.escape(nameServer)}\n[^]*Link \\d+ \\(\\w+\\): ${RegExp.escape(domain)}\n`),
    );
  }));

test("accounts have exactly the injected ssh keys, which they can read and not write", () =>
  node.use(async (vm) => {
    const folder = guestosLayout.accountKeysRuntime;
    expect(await vm.shell.ok(`stat --format '%n %a %U:%G' ${folder} ${folder}/*`)).toBe(
      [`${folder} 755 root:root`, ...accountsWithKeys.toSorted().map((name) => `${folder}/${name} 640 root:${name}`), ""].join("\n"),
    );
    for (const account of accountsWithKeys) {
      const lines = await vm.shell.ok(`cat ${folder}/${account}`);
      expect(lines).toBe(injected.config[`accounts_ssh_authorized_keys/${account}`]);
    }
  }));

test("who has a key gets in by ssh, and no one else", () =>
  node.use(async (vm) => {
    const { keys } = injected;
    const [admin, root, foreignKey, noKey, without] = await Promise.all([
      ssh(vm, { account: "admin", key: keys.admin, command: "id --user --name" }),
      ssh(vm, { account: "root", key: keys.root, command: "id --user --name" }),
      ssh(vm, { account: "admin", key: keys.readonly }),
      ssh(vm, { account: "admin" }),
      ssh(vm, { account: "backup", key: keys.admin }),
    ]);
    expect(admin).toMatchObject({ status: 0, stdout: "admin\n" });
    expect(root).toMatchObject({ status: 0, stdout: "root\n" });
    // Nothing else than a key is asked for: no password.
    for (const refused of [foreignKey, noKey, without]) {
      expect(refused.status).toBe(255);
      expect(refused.stderr).toContain("Permission denied (publickey).");
    }
  }));

test("who administers the node sees the boot as admin, and does through sudo what root alone may do; readonly sees it, and does no more", () =>
  node.use(async (vm) => {
    const { keys } = injected;
    await untilBooted(vm);
    const asAdmin = async (command: string) => ssh(vm, { account: "admin", key: keys.admin, command });
    const asReadonly = async (command: string) =>
      ssh(vm, { account: "readonly", key: keys.readonly, command: `${command}; echo "ended with $?"` });
    expect(await asAdmin("guestos-boot status")).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^done: all is as it should be\n/),
    });
    for (const verb of ["why store-key", "analyze time", "list", "graph", "upgrade status", "status --watch"])
      expect(await asAdmin(`guestos-boot ${verb}`), verb).toMatchObject({ status: 0, stderr: "" });
    expect((await asAdmin("guestos-boot doctor; echo ended with $?")).stdout).toBe("ended with 5\n");
    const doctor = await asAdmin("sudo -n guestos-boot doctor");
    expect([doctor.status, doctor.stderr], doctor.stdout).toEqual([0, ""]);
    expect((await asReadonly("guestos-boot status")).stdout).toMatch(/^done: all is as it should be\n[^]*ended with 0\n$/);
    expect((await asReadonly("sudo -n true")).stdout).toBe("ended with 1\n");
    // The account of a service is neither.
    const other = await vm.shell.run("setpriv --reuid=node_exporter --regid=node_exporter --init-groups guestos-boot status");
    expect([other.status, other.stdout]).toEqual([5, ""]);
  }));

test("the firewall has the rules of the ruleset file, and only those", () =>
  node.use(async (vm) => {
    // The kernel shows rules in its own way: what a fresh network namespace shows after the file is the measure.
    const [inForce, ofFile] = [
      await vm.shell.ok("nft --stateless list ruleset"),
      await vm.shell.ok("unshare --net sh -c 'nft --file /etc/nftables.conf && nft --stateless list ruleset'"),
    ];
    expect(inForce).toContain("policy drop");
    expect(inForce).toBe(ofFile);
  }));

test("metrics are served over TLS with the node's own certificate", () =>
  node.use(async (vm) => {
    const certificate = await vm.shell.ok("cat /boot/config/node_exporter/node_exporter.crt");
    const { text, fingerprint } = await metricsPage(vm, certificate);
    expect(fingerprint).toBe(new X509Certificate(certificate).fingerprint256);
    expect(text).toContain("\nnode_timex_sync_status ");
    expect(await vm.shell.ok("systemctl show --property NRestarts,ActiveState node_exporter.service")).toBe(
      "NRestarts=0\nActiveState=active\n",
    );
    expect(text).toContain(`nodename="${(await vm.shell.ok("uname --nodename")).trim()}"`);
    expect(await vm.shell.ok("stat --format '%a %U:%G' /etc/node_exporter/node_exporter.key")).toBe("640 root:node_exporter\n");
  }));

/** Where a file of the tar has to be on the node. */
function placeOf(name: string): string {
  if (/^(?:\w+\.conf$|accounts_)/.test(name)) return `/boot/config/${name}`;
  return `/var/lib/ic/${name.startsWith("ic_crypto/") ? name.replace("ic_crypto", "crypto") : `data/${name}`}`;
}

test("keys and state from the medium are in their places, for ic-replica alone where they are secret", () =>
  node.use(async (vm) => {
    const list = "find data crypto -not -name lost+found -printf '%p %m %U:%G\\n' | sort";
    const owner = (await vm.shell.ok("echo $(id --user ic-replica):$(id --group ic-replica)")).trim();
    const owned = (...lines: readonly string[]): readonly string[] => lines.map((line) => `${line} ${owner}`);
    const rows = (await vm.shell.ok(`cd /var/lib/ic && ${list}`)).trimEnd().split("\n");
    expect(rows.filter((row) => !/^(?:crypto|data\/\.layout-version) /.test(row)).toSorted()).toEqual(
      owned(
        "crypto/node_sks 700",
        "crypto/node_sks/sks_data.pb 600",
        "crypto/public_keys.pb 600",
        "data 755",
        "data/ic_registry_local_store 755",
        "data/ic_registry_local_store/0000000000 755",
        "data/ic_registry_local_store/0000000000/01.pb 644",
        "data/ic_state 755",
        "data/ic_state/page_deltas 755",
        "data/ic_state/page_deltas/slot_0 755",
        "data/ic_state/page_deltas/slot_0/canister.bin 644",
        "data/ic_state/states_metadata.pbuf 644",
        "data/nns_public_key.pem 644",
        "data/node_operator_private_key.pem 600",
      ).toSorted(),
    );
    const digests = await vm.shell.ok(`sha256sum ${Object.keys(injected.config).map(placeOf).join(" ")}`);
    expect(digests.trimEnd().split("\n")).toEqual(
      Object.entries(injected.config).map(([name, content]) => `${createHash("sha256").update(content).digest("hex")}  ${placeOf(name)}`),
    );
    expect(await vm.shell.ok("stat --format %s /boot/config/CONFIGURED")).toBe("0\n");
  }));

test("the machine id is saved", () =>
  node.use(async (vm) => {
    expect(await vm.shell.ok("cat /boot/config/machine-id")).toMatch(/^[0-9a-f]{32}\n$/);
    expect(await vm.shell.ok("cat /etc/machine-id")).toBe(await vm.shell.ok("cat /boot/config/machine-id"));
  }));

test("plan finds nothing to do on a booted node", () =>
  node.use(async (vm) => {
    const plan = await guestosBoot(vm, "plan --json");
    expect(plan.status, plan.stderr).toBe(0);
    expect(plannedUnits(plan)).toEqual(Object.fromEntries(guestos.map(({ name }) => [name, "nothing"])));
  }));

const Doctor = z.object({
  sound: z.boolean(),
  findings: z.array(z.object({ check: z.string(), level: z.string(), problem: z.object({ what: z.string(), todo: z.string() }) })),
  checks: z.array(z.object({ name: z.string(), outcome: z.string(), fact: z.string().optional() })),
});

test("doctor finds the node sound", ({ annotate }) =>
  node.use(async (vm) => {
    const { status, stdout, stderr } = await guestosBoot(vm, "doctor --json");
    expect([status, stderr], stdout).toEqual([0, ""]);
    const { sound, findings, checks } = Doctor.parse(JSON.parse(stdout));
    await annotate(checks.map(({ name, fact }) => `${name}: ${fact}`).join("\n"));
    // Right after a boot the monitor may not have looked yet.
    expect(findings.filter(({ check }) => check !== "monitor")).toEqual([]);
    expect(sound).toBe(true);
    expect(checks.filter(({ name, outcome }) => outcome !== "fine" && name !== "monitor")).toEqual([]);
  }));

test("doctor names what is wrong, and what it says repairs it", () =>
  node.use(async (vm) => {
    const key = "/boot/config/node_exporter/node_exporter.key";
    const breaking = [
      `chmod 0644 ${key}`,
      "mount -o remount,exec /var/lib/ic/data",
      "chmod 0644 /run/ic-node/etc/node_exporter/node_exporter.key",
      "systemctl stop guestos-monitor.service",
    ];
    await vm.shell.ok(breaking.join(" && "));
    const { status, stdout } = await guestosBoot(vm, "doctor --json");
    expect(status, stdout).toBe(17);
    const { sound, findings } = Doctor.parse(JSON.parse(stdout));
    expect(sound).toBe(false);
    expect(findings.map(({ level, problem: { what, todo } }) => [level, what, todo])).toEqual([
      ["wrong", "node-exporter-keys is not as the boot leaves it", "guestos-boot --unit node-exporter-keys"],
      ["wrong", "/var/lib/ic/data is not mounted as it should be", "mount -o remount,nodev,nosuid,noexec /var/lib/ic/data"],
      ["wrong", `${key} is not closed to others`, `chmod 0600 ${key}`],
      [
        "wrong",
        "the monitor does not run: nothing is repaired by itself",
        expect.stringMatching(/^systemctl start guestos-monitor.service;/),
      ],
    ]);
    const text = await guestosBoot(vm, "doctor");
    expect(text.stdout).toMatch(/^4 things are wrong\n/);
    for (const { problem } of findings) await vm.shell.ok(problem.todo.split(";")[0] ?? "", { timeout: BOOT_TIMEOUT });
    const repaired = await guestosBoot(vm, "doctor");
    expect(repaired.status, repaired.stdout).toBe(0);
    expect(repaired.stdout).toMatch(/^sound: /);
  }));

test("each unit, run by itself and once more with the others, has nothing to do either time and starts next to no process", ({
  annotate,
}) =>
  node.use(async (vm) => {
    const before = await recordOf(vm);
    const names = guestos.map(({ name }) => name);
    // Two at a time: one waits for the other's lock, and gets ready meanwhile.
    const script = `cd $(mktemp -d)
      run() { guestos-boot "\${@:2}" --json --wait 300 >$1 2>$1.err; echo $? >$1.status; }
      export -f run
      echo ${names.join(" ")} | tr ' ' '\n' | xargs -P 2 -I UNIT bash -c 'run UNIT --unit UNIT'
      run all ${names.map((name) => `--unit ${name}`).join(" ")}
      for run in ${names.join(" ")} all; do echo "$(cat $run.status) $run$(grep -v -e ^waiting -e '^{' $run.err)"; tr -d '\n' <$run; echo; done`;
    const lines = (await vm.shell.ok(script, { timeout: BOOT_TIMEOUT })).trimEnd().split("\n");
    expect(lines.filter((_, index) => index % 2 === 0).map((line) => line.trimEnd())).toEqual([...names, "all"].map((run) => `0 ${run}`));
    const units = lines.filter((_, index) => index % 2 === 1).flatMap((line) => runDocument({ stdout: line }).units);
    expect(units.map(({ name, outcome, activated }) => [name, outcome, activated])).toEqual(
      [...names, ...names].map((name) => [name, "unchanged", []]),
    );
    const after = await recordOf(vm);
    expect(after.runs.length - before.runs.length).toBe(names.length + 1);
    const tools = toolRuns(after.events.slice(before.events.length));
    await annotate(`tools started in ${names.length + 1} runs: ${tools.length}`);
    // What is in force only nft can tell; everything else is read.
    expect(tools).toEqual(["nft -j list ruleset", "nft -j list ruleset"]);
  }));

test("a second runner is told who holds the lock", () =>
  node.use(async (vm) => {
    // Stopped in the middle of its run, the first one holds the lock for as long as it takes.
    const { stdout } = await vm.shell.run(
      `record=/run/guestos-boot/record.jsonl
      before=$(wc -l <$record)
      guestos-boot --unit injected-data >/tmp/first 2>&1 &
      first=$!
      for try in $(seq 1200); do
        [ $(wc -l <$record) -gt $before ] && break
        sleep 0.05
      done
      kill -STOP $first
      guestos-boot --unit hostname 2>&1
      echo "exit $?, first $first"
      kill -CONT $first
      wait $first
      echo "exit $?"`,
      { timeout: BOOT_TIMEOUT },
    );
    const [, pid] = /^exit 6, first (\d+)$/m.exec(stdout) ?? [];
    expect(stdout).toMatch(/another guestos-boot is running/);
    expect(stdout.replaceAll(/\s+/g, " ")).toContain(`process ${pid}, "guestos-boot --unit injected-data"`);
    expect(stdout).toMatch(/\nexit 0\n$/);
  }));

test("what cannot be run is refused with a code of its own", () =>
  node.use(async (vm) => {
    const unknown = await guestosBoot(vm, "--unit hostnme");
    expect(unknown.status).toBe(4);
    expect(unknown.stderr).toMatch(/hostnme[^]*\bhostname\b/);
    const notRoot = await vm.shell.run("runuser -u nobody -- guestos-boot --unit hostname");
    expect(notRoot.status).toBe(5);
    expect(notRoot.stderr).toMatch(/root/);
  }));

test("what the documents name for a running node can be typed there", () =>
  node.use(async (vm) => {
    for (const { command, says, first, afterwards } of onANode) {
      if (first !== undefined) await vm.shell.ok(first);
      const { status, stdout, stderr } = await vm.shell.run(command, { timeout: BOOT_TIMEOUT });
      expect([command, status], `${stdout}${stderr}`).toEqual([command, 0]);
      expect(stdout, command).toMatch(says);
      if (afterwards !== undefined) await vm.shell.ok(afterwards);
    }
  }));

test("the serial console can be typed into, and left again", () =>
  node.use(async (vm) => {
    await untilBooted(vm);
    await using terminal = inTerminal(`socat -,raw,echo=0,escape=0x1d UNIX-CONNECT:build/vm/${NAME}/serial.sock`);
    // This variant of the image logs root in there.
    terminal.keys.write("\recho $((40 + 2)) of $(id --user --name)\r");
    await expect.poll(terminal.shown, { timeout: BOOT_TIMEOUT, interval: 200 }).toMatch(/^42 of root\r?$/m);
    expect(vm.serial.text).toContain("42 of root");
    // Ctrl-]
    terminal.keys.write("\u001d");
    expect(await terminal.ended).toBe(0);
  }));

test("a recovery passphrase is set on the running node, opens the header of its store, and shows nowhere", () =>
  node.use(async (vm) => {
    const typed = async (command: string): Promise<ShellResult> =>
      vm.shell.run(`printf '%s\\n' '${RECOVERY}' | ${command}`, { timeout: 600_000 });
    const opens = async (): Promise<number> =>
      (await typed("cryptsetup open --test-passphrase --type luks2 /dev/disk/by-partlabel/store")).status;
    expect(await opens()).toBe(2);
    const set = await typed("guestos-boot recovery-passphrase set --json");
    expect(set.status, set.stderr).toBe(0);
    expect(documents["recovery-passphrase"].schema.parse(JSON.parse(set.stdout))).toEqual({
      device: "/dev/vda10",
      state: "set",
      done: "added",
    });
    expect(await opens()).toBe(0);
    await vm.shell.ok(`(umask 077; echo '${RECOVERY}' >/run/passphrase)`);
    const again = await vm.shell.run("guestos-boot recovery-passphrase set < /run/passphrase", { timeout: 600_000 });
    expect(again.stdout, again.stderr).toContain("nothing was changed");
    await vm.shell.ok("rm /run/passphrase");
    // The node's own key still opens it, and the chain has nothing to do.
    expect((await guestosBoot(vm, "plan --unit store-key")).status).toBe(0);
    expect((await guestosBoot(vm, "doctor")).stdout).toContain("a recovery passphrase is set");
    await assertCleanBoot(vm, clean);
    expect((await guestosBoot(vm, "recovery-passphrase remove")).status).toBe(0);
    expect(await opens()).toBe(2);
    expect((await guestosBoot(vm, "recovery-passphrase")).stdout).toContain("no recovery passphrase is set");
  }));

test("an edited network.conf is applied to the running node, once, and what changed is shown", () =>
  node.use(async (vm) => {
    const { nameServer } = injectedNetwork;
    await vm.shell.ok(
      "sed --in-place --expression 's/^name_servers=.*/& 2001:db8:6772::3/' --expression 's/^hostname=.*/hostname=renamed/' /boot/config/network.conf",
    );
    const units = "--unit network --unit hostname";
    const plan = await guestosBoot(vm, `plan --json ${units}`);
    expect(plan.status, plan.stderr).toBe(11);
    const first = await guestosBoot(vm, `--json ${units}`);
    expect(first.status, first.stderr).toBe(0);
    const done = runDocument(first);
    const activated = done.units.flatMap((unit) => unit.activated).join("\n");
    expect(done.units.flatMap((unit) => unit.provisioned)).toEqual([]);
    expect(activated).toContain(`name servers ${nameServer} → ${nameServer} 2001:db8:6772::3`);
    expect(activated).toContain("set the host name to renamed");
    expect(await vm.shell.ok("resolvectl dns")).toContain(`${nameServer} 2001:db8:6772::3`);
    expect(await vm.shell.ok("hostname")).toBe("renamed\n");
    const second = await guestosBoot(vm, `--json ${units}`);
    expect(second.status).toBe(0);
    expect(runDocument(second).units.flatMap((unit) => unit.activated)).toEqual([]);
    expect(await ssh(vm, { account: "admin", key: injected.keys.admin, command: "hostname" })).toMatchObject({ stdout: "renamed\n" });
  }));

/** The default route of IPv4, and what networkd calls the state of the link. */
async function ipv4Way(vm: VirtualMachine): Promise<string> {
  return `${await vm.shell.ok("ip -4 route show default")}${await vm.shell.ok("networkctl --no-legend list 'en*'")}`;
}

test("a gateway on the link is reached from a /32, and a domain that networkd drops costs nothing but itself", () =>
  node.use(async (vm) => {
    const { address } = injectedNetwork;
    const conf = await vm.shell.ok("cat /boot/config/network.conf");
    await vm.shell.ok(
      `sed --in-place --expression 's/^ipv4_address=.*/ipv4_address=${address}\\/032/' --expression 's/^domain=.*/domain=localhost.localdomain/' /boot/config/network.conf`,
    );
    const first = await guestosBoot(vm, "--json --unit network");
    expect(first.status, first.stdout).toBe(10);
    const line = conf.split("\n").findIndex((text) => text.startsWith("domain=")) + 1;
    const degraded = {
      outcome: "degraded",
      units: [{ name: "network", outcome: "degraded", problem: { where: { file: "/boot/config/network.conf", line, column: 8 } } }],
    };
    expect(runDocument(first)).toMatchObject(degraded);
    expect(await vm.shell.ok("ip -4 -brief address show scope global")).toContain(`${address}/32`);
    expect(await ipv4Way(vm)).toMatch(/^default via 10\.0\.2\.2 .*onlink[^]*configured/);
    // It says so again, and has nothing to do.
    const second = await guestosBoot(vm, "--json --unit network");
    expect(second.status).toBe(10);
    expect(runDocument(second)).toMatchObject(degraded);
    expect(await vm.shell.ok("systemctl is-active guestos-boot.target")).toBe("active\n");
    expect((await guestosBoot(vm, "status")).stdout).toContain("degraded: the node is usable, without a part of network");
    // As in a boot: what requires the network runs, and the service takes that exit status for success.
    const late = await guestosBoot(vm, "run --stage late");
    expect(late.status, late.stderr).toBe(10);
    expect(await vm.shell.ok("systemctl show -P SuccessExitStatus guestos-boot.service")).toContain("10");
    const run = (await recordOf(vm)).runs.at(-1);
    expect(run?.facts.stage).toBe("late");
    expect(run?.units.filter(({ result }) => result?.kind === "skipped")).toEqual([]);
    expect(await ssh(vm, { account: "admin", key: injected.keys.admin, command: "true" })).toMatchObject({ status: 0 });
    // A slip in an address leaves the network of a node that runs as it is.
    await vm.shell.ok("sed --in-place 's/^ipv4_address=.*/ipv4_address=10.0.2.256\\/24/' /boot/config/network.conf");
    const slip = await guestosBoot(vm, "--json --unit network");
    expect(slip.status, slip.stdout).toBe(3);
    expect(await ipv4Way(vm)).toMatch(/^default via 10\.0\.2\.2 .*onlink[^]*configured/);
    await vm.shell.ok(`printf '%s' '${conf}' > /boot/config/network.conf`);
    expect((await guestosBoot(vm, "--unit network")).status).toBe(0);
    expect((await guestosBoot(vm, "status")).status).toBe(0);
  }));

test("what the rest of the system waits for ends first, what needs it goes on beside it, and the target and the monitor come last", () =>
  node.use(async (vm) => {
    const at = async (property: string, unit: string): Promise<number> =>
      Number(await vm.shell.ok(`systemctl show -P ${property}TimestampMonotonic ${unit}`));
    const ready = await at("ActiveEnter", "guestos-boot.service");
    for (const unit of ["local-fs.target", "sysinit.target", "dbus.socket", "ssh.service"])
      expect(await at("InactiveExit", unit), unit).toBeGreaterThan(ready);
    const target = await at("ActiveEnter", "guestos-boot.target");
    expect(target).toBeGreaterThan(await at("ExecMainExit", "guestos-boot-late.service"));
    expect(await at("ExecMainStart", "guestos-monitor.service")).toBeGreaterThan(target);
    const boot = (await recordOf(vm)).runs.find(({ facts }) => facts.stage === "boot");
    const unitOf = (name: string): UnitView | undefined => boot?.units.find((unit) => unit.name === name);
    // What waits for the bus begins when systemd has been told, and not when it has finished.
    expect(unitOf("system-bus")?.startedAt).toBeGreaterThanOrEqual(unitOf("upgrade-data-store")?.endedAt ?? Infinity);
    expect(unitOf("system-bus")?.endedAt).toBeGreaterThan(ready / 1e6);
    expect(unitOf("nftables")?.startedAt).toBeGreaterThan((await at("ActiveEnter", "nftables.service")) / 1e6);
  }));

test("networkd starts as soon as its file is there, not when the disks are open", () =>
  node.use(async (vm) => {
    const at = async (property: string, unit: string): Promise<number> =>
      Number(await vm.shell.ok(`systemctl show -P ${property}TimestampMonotonic ${unit}`));
    const started = await at("ExecMainStart", "systemd-networkd.service");
    expect(started).toBeGreaterThan(await at("ExecMainStart", "guestos-boot.service"));
    expect(started).toBeLessThan(await at("ActiveEnter", "guestos-boot.service"));
    expect(await vm.shell.ok("systemctl show -P TriggeredBy guestos-network.target")).toBe("guestos-network.path\n");
    // Where the chain cannot run, nothing writes the file.
    expect(await vm.shell.ok("systemctl show -P OnFailure guestos-boot.service")).toContain("systemd-networkd.service");
  }));

test("an operator who stops networkd finds it stopped, and the unit network starts it", () =>
  node.use(async (vm) => {
    const active = async (): Promise<string> => (await vm.shell.run("systemctl is-active systemd-networkd.service")).stdout.trim();
    await vm.shell.ok("systemctl stop systemd-networkd.service systemd-networkd.socket; sleep 2");
    expect(await active()).toBe("inactive");
    const first = await guestosBoot(vm, "--json --unit network");
    expect(first.status, first.stderr).toBe(0);
    expect(runDocument(first).units.flatMap((unit) => unit.activated)).toEqual([
      expect.stringMatching(/^start systemd-networkd, which applies it to \S+$/),
    ]);
    expect(await active()).toBe("active");
    const second = await guestosBoot(vm, "--json --unit network");
    expect(second.status).toBe(0);
    expect(runDocument(second).units.flatMap((unit) => unit.activated)).toEqual([]);
    // The address went with it, which the monitor may have seen.
    expect((await guestosBoot(vm, "--unit ipv6-monitor")).status).toBe(0);
  }));

/** What a boot must leave as it is, as it was before. */
let before: Awaited<ReturnType<typeof lastingState>> = {};

/**
 * The same disk after a reboot that the guest was asked for, without the medium.
 *
 * In a new QEMU: in one that goes on, the emulator's cache of translated code makes the firmware's clearing of the memory
 * take minutes.
 */
const rebooted = bootedNode(() =>
  node.use(async (vm) => {
    before = await lastingState(vm);
    await vm.qmp("set-action", { reboot: "shutdown" });
    await vm.shell.run("systemctl --no-block reboot");
    await vm.waitForSerial(/reboot: Restarting system/, { timeout: BOOT_TIMEOUT });
    await vm.ended;
    return { name: "node-rebooted", disk: diskOf(NAME) };
  }),
);

async function unitsOf(vm: VirtualMachine, extra: readonly string[] = []): Promise<readonly UnitView[]> {
  const units = (await recordOf(vm)).runs.flatMap((run) => run.units);
  expect([...new Set(units.map(({ name }) => name))].toSorted()).toEqual([...guestos.map(({ name }) => name), ...extra].toSorted());
  return units;
}

test("after a reboot every unit is unchanged, and few tools were needed for it", ({ annotate }) =>
  rebooted.use(async (vm) => {
    expect(await untilBooted(vm)).toBe("running");
    expect(await vm.shell.ok("systemctl is-active guestos-boot.target")).toBe("active\n");
    const units = await unitsOf(vm);
    expect(units.filter(({ result }) => result?.kind !== "unchanged")).toEqual([]);
    const tools = toolRuns((await recordOf(vm)).events);
    await annotate(`tools started in a boot with nothing to do: ${tools.length}`);
    const counts = Object.entries(Object.groupBy(tools, (line) => line.split(" ", 1)[0] ?? ""));
    expect(Object.fromEntries(counts.map(([program, lines]) => [program, lines?.length])), tools.join("\n")).toEqual(
      TOOLS_OF_A_SECOND_BOOT,
    );
    const plan = await guestosBoot(vm, "plan --json");
    expect(plan.status, plan.stdout).toBe(0);
    await assertCleanBoot(vm, clean);
  }));

test("a reboot changes nothing that lasts: identity, keys, configuration, data, file systems", () =>
  rebooted.use(async (vm) => {
    expect(Object.keys(before).length).toBeGreaterThan(0);
    expect(await lastingState(vm)).toEqual(before);
  }));

test("the node shut down in order: nothing was busy, and nothing had to be repaired", () =>
  rebooted.use(async (vm) => {
    expect(await vm.shell.ok("journalctl -b -1 -q -o cat _PID=1 | grep -i 'failed unmounting' || true")).toBe("");
    expect((await unitsOf(vm)).flatMap(({ notes }) => notes)).toEqual([]);
    expect(await vm.shell.ok("journalctl -k -b -q -o cat --grep 'XFS .*mount'")).toMatch(/Ending clean mount/);
  }));

test("the journal and the record of the boot before can be read, since the machine id is the same", () =>
  rebooted.use(async (vm) => {
    const boots = z.array(z.object({ boot_id: z.string() })).parse(await vm.shell.json("journalctl --list-boots --output json"));
    expect(boots).toHaveLength(2);
    expect(await vm.shell.ok("ls /var/log/journal")).toBe(await vm.shell.ok("cat /etc/machine-id"));
    expect(await vm.shell.ok("journalctl -b -1 -q -o cat SYSLOG_IDENTIFIER=guestos-boot")).toMatch(/^machine-id +changed/m);
    const diff = DiffDocument.parse(await vm.shell.json("guestos-boot analyze diff 1 0 --json", { timeout: BOOT_TIMEOUT }));
    expect(diff.units.find(({ name }) => name === "volumes")).toMatchObject({ from: { outcome: "changed" }, to: { outcome: "unchanged" } });
    const status = await guestosBoot(vm, "status --boot 1 --json");
    expect(status.status).toBe(0);
    expect(runDocument(status).units.find(({ name }) => name === "machine-id")?.outcome).toBe("changed");
  }));

const afterPowerCut = bootedNode(() =>
  rebooted.use(async (vm) => {
    // Flushed, and only written: the first must be there afterwards, the second leaves the file systems unclean.
    await vm.shell.ok(`for folder in /var/lib/ic/data /var/lib/ic/crypto /var/lib/ic/backup /var/lib /boot/grub; do
      echo kept >$folder/kept; sync $folder/kept; echo lost >$folder/lost; done`);
    before = await lastingState(vm);
    await writeOwn(vm, [...(await exampleUnit()), configFile("units:\n  hostname: { timeout: 45 }\n")]);
    await vm.powerCut();
    return { name: "node-after-a-power-cut", disk: diskOf(NAME), boot: "kernel", strayCard: true };
  }),
);

test("after a power cut the node boots as well, and every unit is unchanged", () =>
  afterPowerCut.use(async (vm) => {
    expect(await untilBooted(vm)).toBe("running");
    expect(await vm.shell.ok("systemctl is-active guestos-boot.target")).toBe("active\n");
    const units = await unitsOf(vm, ["greeting"]);
    expect(units.filter(({ result }) => result?.kind !== "unchanged")).toEqual([]);
    // FAT has no journal: that it was in use is worth a word. Everything else replays its own.
    expect(units.flatMap(({ name, notes }) => notes.map((note) => `${name}: ${note}`))).toEqual([
      expect.stringMatching(/^mount-boot: .*\(grub\) was not unmounted cleanly/),
    ]);
    await assertCleanBoot(vm, clean);
  }));

test("a second network card, which sorts before the first, leaves the node on its network", () =>
  afterPowerCut.use(async (vm) => {
    expect(await vm.shell.ok("ls -d /sys/class/net/*/device | sort --version-sort")).toBe(
      "/sys/class/net/enp0s8/device\n/sys/class/net/enp0s16/device\n",
    );
    expect(await vm.shell.ok("ls /run/systemd/network")).toBe("10-enp0s16.network\n");
    expect(await vm.shell.ok("cat /boot/config/network-card.json")).toMatch(/"name": "enp0s16"[^]*"because": "only"/);
    expect(await vm.shell.ok("ip -brief link show dev enp0s8")).toMatch(/ DOWN /);
    const doctor = await guestosBoot(vm, "doctor");
    expect(doctor.stdout).toMatch(/enp0s16 is routable: [^]*; not used: enp0s8/);
    expect(await ssh(vm, { account: "admin", key: injected.keys.admin, command: "echo in" })).toMatchObject({ stdout: "in\n" });
  }));

test("a unit and a configuration file in /etc/guestos-boot are part of the boot: it runs like any other, and what the file says counts", () =>
  afterPowerCut.use(async (vm) => {
    const document = runDocument(await guestosBoot(vm, "status --json"));
    expect(document.units.find(({ name }) => name === "greeting")).toMatchObject({ activated: ["write /run/motd.d/10-version"] });
    expect(await vm.shell.ok("cat /run/motd.d/10-version")).toBe("GuestOS 0.1.0\n");
    expect(plannedUnits(await guestosBoot(vm, "plan --json"))["greeting"]).toBe("nothing");
    expect(await vm.shell.ok("guestos-boot list --json | grep -c '\"timeoutSeconds\": 45'")).toBe("1\n");
  }));

test("a power cut takes nothing that was flushed", () =>
  afterPowerCut.use(async (vm) => {
    const flushed = ["/var/lib/ic/data", "/var/lib/ic/crypto", "/var/lib/ic/backup", "/var/lib"].map((folder) => `${folder}/kept`);
    expect(await vm.shell.ok(`cat ${flushed.join(" ")}`)).toBe("kept\n".repeat(flushed.length));
    const after = await lastingState(vm);
    for (const part of ["the machine id", "the config partition", "grubenv", "the keys in use", "file systems and partitions"])
      expect(after[part], part).toEqual(before[part]);
  }));

/** An extra unit of the late half, without which a boot fails: it does what /run/last says. */
const LAST = [
  { path: "units.d/last/unit.yaml", mode: "0644", content: "title: End as it is told\nonFailure: stop\ntimeout: 300\n" },
  {
    path: "units.d/last/last",
    mode: "0755",
    content: `#!/bin/sh
case "$(cat /run/last 2>/dev/null) $1" in
  "fail plan") echo '{"conflict":{"what":"it was told to fail"}}' ;;
  "wait plan") echo '{"actions":[{"id":"wait","description":"wait","effect":"activate"}]}' ;;
  "wait apply") touch /run/waiting; exec sleep 250 ;;
  *) echo '{"nothing":true}' ;;
esac
`,
  },
];

// systemd.unit(5): BindsTo= together with After=; systemd.service(5): OnFailure= also of a service that was active.
test("a boot that fails, or dies, after it has said that it is ready is a failed boot, and starting the target runs it again", () =>
  afterPowerCut.use(async (vm) => {
    const states = async (): Promise<string> =>
      (await vm.shell.run("systemctl is-active guestos-boot.service guestos-boot-late.service guestos-boot.target")).stdout;
    const asked = async (): Promise<number> =>
      Number(await vm.shell.ok("systemctl show -P ConditionTimestampMonotonic guestos-go-back.service"));
    const all = { timeout: BOOT_TIMEOUT };
    await untilBooted(vm);
    await writeOwn(vm, LAST);

    let before = await asked();
    const failing = await vm.shell.run(
      "echo fail >/run/last; systemctl stop guestos-boot.service; systemctl start guestos-boot.target",
      all,
    );
    expect(failing.status).not.toBe(0);
    expect(await states()).toMatch(/^failed\n(failed|inactive)\ninactive\n$/);
    expect(await vm.shell.ok("systemctl show -P ExecMainStatus guestos-boot.service")).toBe("3\n");
    expect(vm.serial.text).toMatch(/\| BOOT FAILED: last +\|/);
    expect(await asked()).toBeGreaterThan(before);
    await vm.shell.ok("rm /run/last; systemctl start guestos-boot.target", all);
    expect(await states()).toBe("active\nactive\nactive\n");

    before = await asked();
    await vm.shell.ok(
      "echo wait >/run/last; systemctl stop guestos-boot.service; systemctl --no-block start guestos-boot.target; until [ -e /run/waiting ]; do sleep 1; done",
      all,
    );
    expect(await states()).toBe("active\nactivating\ninactive\n");
    await vm.shell.ok(
      "systemctl kill --kill-whom=main --signal=KILL guestos-boot.service; while systemctl is-active guestos-boot.service guestos-boot-late.service | grep -qE '^(active|activating|deactivating)$'; do sleep 1; done",
      all,
    );
    expect(await states()).toMatch(/^failed\n(failed|inactive)\ninactive\n$/);
    expect(await asked()).toBeGreaterThan(before);
    expect(await vm.shell.ok("systemctl show -P ConditionResult guestos-go-back.service")).toBe("no\n");
    const status = await guestosBoot(vm, "status");
    expect(status).toMatchObject({ status: 13, stdout: expect.stringContaining("was cut off before its end") });
    await vm.shell.ok("rm /run/last; systemctl start guestos-boot.target", all);
    expect(await states()).toBe("active\nactive\nactive\n");
    expect((await guestosBoot(vm, "status")).status).toBe(0);
  }));
