import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { MonitorState, type WatchedUnit } from "../../src/config/state/monitor-state.ts";
import type { VirtualMachine } from "../../lab/virtual-machine.ts";
import { guestosBoot, runDocument, troublesOf } from "./support/chain.ts";
import { BOOT_TIMEOUT, bootedNode } from "./support/node.ts";
import { MIB, STATE, until, usageOf } from "./support/monitored.ts";
import { argumentsOf, monitorExposure, monitorOnce, stopMonitor } from "../support/documented/elsewhere.ts";

/**
 * The monitor on a node: what happens to it after the boot, and what becomes of that. All on one boot, which has no IPv6 router:
 * that comes up later.
 *
 * The pieces run in this order. Each also holds without those before it.
 */

vi.setConfig({ testTimeout: 3 * BOOT_TIMEOUT });

const CONF = "backup_retention_time_secs=7200\nbackup_purging_interval_secs=3600\n";
const RULESET = "/run/ic-node/nftables-ruleset/nftables.conf";

const INJECTED = "/boot/config/nftables.conf";
/** That of the image, with names in it that are resolved outside of the file. */
const INJECTED_RULES = readFileSync(join(import.meta.dirname, "../../etc/guestos/nftables.conf"), "utf8").replace(
  /^.*22, 9100.*$/m,
  (line) => `${line}\n    ip6 saddr ip6-loopback tcp dport ssh meta mark 7 accept\n    meta skuid ic-replica meta mark 8 accept`,
);

const node = bootedNode({
  ...{ name: "mon", size: "8G", boot: "kernel", router: false },
  config: { "backup.conf": CONF, "nftables.conf": INJECTED_RULES },
});

async function monitorState(vm: VirtualMachine): Promise<MonitorState | undefined> {
  const { stdout } = await vm.shell.run(`cat ${STATE}`);
  return stdout === "" ? undefined : MonitorState.parse(JSON.parse(stdout));
}

async function unitOf(vm: VirtualMachine, name: string): Promise<WatchedUnit | undefined> {
  return (await monitorState(vm))?.units.find((unit) => unit.name === name);
}

async function primary(vm: VirtualMachine): Promise<string> {
  return (await vm.shell.ok("basename $(dirname $(ls -d /sys/class/net/*/device | sort -V | head -1))")).trim();
}

test("the packet filter is in place before anything can come in", () =>
  node.use(async (vm) => {
    const at = async (property: string, unit: string): Promise<number> =>
      Number(await vm.shell.ok(`systemctl show -P ${property}TimestampMonotonic ${unit}`));
    const filtered = await at("ExecMainExit", "nftables.service");
    expect(filtered).toBeGreaterThan(0);
    expect(filtered).toBeLessThan(await at("ExecMainStart", "systemd-networkd.service"));
    // Not by chance: networkd waits for it.
    expect(await vm.shell.ok("systemctl show -P Before nftables.service")).toContain("network-pre.target");
    expect(await vm.shell.ok("systemctl show -P After systemd-networkd.service")).toContain("network-pre.target");
    expect(await vm.shell.ok("nft list chain inet filter input")).toContain("policy drop");
  }));

test("the monitor runs after the boot, hardened, and within its bounds", ({ annotate }) =>
  node.use(async (vm) => {
    await until(vm, `test -s ${STATE}`);
    expect(await vm.shell.ok("systemctl is-active guestos-monitor.service")).toBe("active\n");
    const exposure = /exposure level for guestos-monitor.service: ([\d.]+)/.exec(
      await vm.shell.ok(`${monitorExposure} --no-pager guestos-monitor.service`, { timeout: 120_000 }),
    )?.[1];
    expect(Number(exposure)).toBeLessThanOrEqual(4);
    const { rss, peak } = await usageOf(vm);
    await annotate(`exposure ${exposure}; memory ${(rss / MIB).toFixed(1)} MiB, at most ${(peak / MIB).toFixed(1)} MiB`);
    expect(rss).toBeLessThanOrEqual(80 * MIB);
  }));

/**
 * A router in a namespace: networkd, which advertises a prefix on its end of a veth. What the node's card sends is copied to it,
 * and what it sends comes in at the card. The other end has the card's own hardware address: what a router answers to the node alone would
 * else be taken for another machine's.
 */
async function startRouter(vm: VirtualMachine, card: string): Promise<void> {
  const conf = [
    ...["[Match]", "Name=r0", "[Network]", "IPv6AcceptRA=no", "IPv6SendRA=yes", "LinkLocalAddressing=ipv6"],
    ...["[IPv6SendRA]", "RouterLifetimeSec=1800", "[IPv6Prefix]", "Prefix=2001:db8:77::/64"],
  ].join("\\n");
  await vm.shell.ok(
    `systemd-run --quiet --unit router --service-type exec unshare --net --mount --propagation private bash -c '
       mount -t tmpfs tmpfs /run; mkdir -p /run/systemd/network /run/systemd/netif; printf "${conf}\\n" > /run/systemd/network/10-r0.network
       chown -R systemd-network /run/systemd/netif; mount -t sysfs -o ro sysfs /sys
       until ip link show r0 > /dev/null 2>&1; do sleep 0.1; done; ip link set r0 up; exec /usr/lib/systemd/systemd-networkd'
     pid=$(systemctl show -P MainPID router)
     ip link add r1 address $(cat /sys/class/net/${card}/address) type veth peer name r0 netns $pid && ip link set r1 up
     tc qdisc replace dev ${card} clsact && tc filter add dev ${card} egress matchall action mirred egress mirror dev r1
     tc qdisc replace dev r1 clsact && tc filter add dev r1 ingress matchall action mirred ingress redirect dev ${card}`,
    { timeout: 120_000 },
  );
}

test("a node whose router comes up late has its address soon after", ({ annotate }) =>
  node.use(async (vm) => {
    const card = await primary(vm);
    expect(Object.keys(await troublesOf(vm))).toEqual(["ipv6-monitor"]);
    await until(vm, `grep -q '"name":"ipv6-monitor","drift":\\["wait' ${STATE}`);
    // What someone else has put on the card stays, however often a router is asked for.
    await vm.shell.ok(
      `ip address add 198.51.100.7/24 dev ${card}; ip route add 203.0.113.0/24 via 198.51.100.1 dev ${card}
       systemd-run --quiet --unit events --service-type exec --property StandardOutput=file:/run/events ip -o monitor address route`,
    );
    expect((await guestosBoot(vm, "monitor --once --unit ipv6-monitor")).stdout).toContain(`no router advertised a prefix on ${card}`);
    expect(await vm.shell.ok(`journalctl -b -q -o cat -u guestos-solicit@${card}.service`)).not.toMatch(/fail/i);
    expect((await vm.shell.run("systemctl is-failed 'guestos-solicit@*'")).stdout).not.toContain("failed");
    expect((await vm.shell.run("grep -E '198.51.100|203.0.113' /run/events")).stdout).toBe("");
    const has = `ip -6 -o address show dev ${card} scope global -tentative | grep -q 2001:db8:77:`;
    await startRouter(vm, card);
    await annotate(`address ${(await until(vm, has)).toFixed(1)} s after the router was started`);
    await until(vm, `! grep -q '"name":"ipv6-monitor","drift":\\["wait' ${STATE}`);
    expect((await unitOf(vm, "ipv6-monitor"))?.problem).toBeUndefined();
    expect(runDocument(await guestosBoot(vm, "status --json")).units.find(({ name }) => name === "ipv6-monitor")?.outcome).toBe(
      "unchanged",
    );

    // An address that is lost is asked for again. The router answers the node alone; to all it advertises often only in its first minute
    // (RFC 4861, 6.2.4), and on a slow machine that is over by now.
    const before = await unitOf(vm, "ipv6-monitor");
    await vm.shell.ok(`ip -6 address flush dev ${card} scope global`);
    await annotate(`a lost address was there again after ${(await until(vm, has)).toFixed(1)} s`);
    expect((await vm.shell.run("grep -E '198.51.100|203.0.113' /run/events; systemctl stop events")).stdout).toBe("");
    // The inspection that asked for it ends a little later than the address is there.
    await expect
      .poll(async () => (await unitOf(vm, "ipv6-monitor"))?.inspectedAt, { timeout: 180_000, interval: 1_000 })
      .toBeGreaterThan(before?.inspectedAt ?? 0);
    await until(vm, `! grep -q '"name":"ipv6-monitor","drift":\\["wait' ${STATE}`);
  }));

test("a changed ruleset is loaded, a broken one is not, and what is removed by hand is put back", ({ annotate }) =>
  node.use(async (vm) => {
    await vm.shell.ok(
      `mkdir -p $(dirname ${RULESET}); sed 's/22, 9100/22, 9100, 4711/' /etc/nftables.conf > ${RULESET}.new; mv ${RULESET}.new ${RULESET}`,
    );
    const changed = "nft list chain inet filter input | grep -q 4711";
    await annotate(`loaded ${(await until(vm, changed)).toFixed(1)} s after the rename`);
    await vm.shell.ok(`echo 'bogus' >> ${RULESET}`);
    await until(vm, `journalctl -u guestos-monitor -o cat --no-pager | grep -q 'at *${RULESET}:[0-9]*:[0-9]*$'`);
    expect((await vm.shell.run(changed)).status).toBe(0);
    expect((await unitOf(vm, "nftables"))?.problem).toMatchObject({
      where: { file: RULESET, line: expect.any(Number), column: expect.any(Number) },
    });
    await vm.shell.ok("nft flush ruleset");
    // The file is broken: it is what was loaded last that comes back.
    await annotate(`restored ${(await until(vm, changed)).toFixed(1)} s after they were removed by hand`);
    await vm.shell.ok(`rm ${RULESET}`);
    await until(vm, "nft list chain inet filter input | grep -q 'dport { 22, 9100 }'");
    await until(vm, `grep -q '"name":"nftables","drift":\\[\\],"repairs"' ${STATE}`);
  }));

test("an injected ruleset shows nft no other file of the node, at boot and in the monitor, and what it names may come up later", ({
  annotate,
}) =>
  node.use(async (vm) => {
    // The late stage has loaded it, in its own sandbox, where names are known and files are not.
    const why = await guestosBoot(vm, "why nftables");
    expect(why.stdout).toContain(`load ${INJECTED}`);
    expect(why.stdout).toContain("bwrap");
    expect(await vm.shell.ok("nft list chain inet filter input")).toMatch(/ip6 saddr ::1 tcp dport 22 .*accept/);

    const canary = "canary-of-the-node";
    await vm.shell.ok(
      `echo '${canary} {' > /boot/config/canary; echo 'add table inet ${canary.replaceAll("-", "_")}' > /boot/config/canary2; cp ${INJECTED} /run/injected`,
    );
    const tricks = [
      'table inet x { chain y { log prefix "#"; include "/boot/config/store.keyfile"\\n } }',
      ...["/boot/config/canary*", "../boot/config/canary", "/proc/self/root/boot/config/canary2"].map((name) => `include "${name}"`),
      'include \\\\\n"/boot/config/canary2"',
    ];
    for (const trick of tricks) {
      await vm.shell.ok(`{ cat /run/injected; printf '${trick}\n'; } > ${INJECTED}`);
      const { stdout } = await guestosBoot(vm, "monitor --once --unit nftables --wait 60");
      expect(stdout).not.toMatch(/canary.of|store\.keyfile:\d/);
    }
    expect((await vm.shell.run(`grep -raEl 'canary.of|store.keyfile:[0-9]' /run/guestos-boot`)).stdout).toBe("");
    expect((await vm.shell.run("journalctl --no-pager -o cat | grep -aE 'canary.of|store.keyfile:[0-9]'")).stdout).toBe("");
    expect(await vm.shell.ok("nft list ruleset")).not.toMatch(/canary/);

    // The kernel's own word for the device of a hook, and nft's for an interface.
    await vm.shell.ok(
      `{ cat /run/injected; echo 'table netdev later { chain c { type filter hook ingress device "later0" priority 0; }; }'; } > ${INJECTED}`,
    );
    expect((await guestosBoot(vm, "monitor --once --unit nftables --wait 60")).stdout).toContain("an interface to hook into");
    await vm.shell.ok(`{ cat /run/injected; echo 'add rule inet filter input iif "later0" accept'; } > ${INJECTED}`);
    await until(vm, "journalctl -u guestos-monitor -o cat --no-pager | grep -q 'names an interface that does not exist'");
    expect(await vm.shell.ok("nft list chain inet filter input")).toContain("policy drop");
    await vm.shell.ok("ip link add later0 type dummy");
    await annotate(
      `loaded ${(await until(vm, "nft list chain inet filter input | grep -q later0")).toFixed(1)} s after the interface came up`,
    );
    await vm.shell.ok(`cp /run/injected ${INJECTED}; rm /boot/config/canary*`);
    await until(vm, "! nft list chain inet filter input | grep -q later0");
    await vm.shell.ok("ip link delete later0");
  }));

test("the data volume grows as it fills, and an interrupted growth is finished", ({ annotate }) =>
  node.use(async (vm) => {
    const size = "lvs --noheadings --nosuffix --units b --options lv_size store/shared-data";
    const before = Number(await vm.shell.ok(size));
    const group = Number(await vm.shell.ok("vgs --noheadings --nosuffix --units b --options vg_size store"));
    await vm.shell.ok(
      `free=$(df --block-size=1 --output=avail /var/lib/ic/data | tail -1); fallocate -l $((free - ${Math.floor(group / 11)})) /var/lib/ic/data/filler`,
    );
    const freeEnough = `test $(df --block-size=1 --output=avail /var/lib/ic/data | tail -1) -ge ${Math.floor(group / 10)}`;
    await annotate(`grown ${(await until(vm, freeEnough, 300)).toFixed(1)} s after it was filled`);
    const after = Number(await vm.shell.ok(size));
    expect(after - before).toBeGreaterThan(group / 20 - 8 * MIB);
    expect(after - before).toBeLessThanOrEqual(group / 20 + 8 * MIB);
    await until(vm, `grep -q '"name":"data-growth","drift":\\[\\],"repairs":[1-9]' ${STATE}`);
    // As a power cut leaves it between the two; the service is not to be the one that sees it first.
    await vm.shell.ok("systemctl stop guestos-monitor.service; lvextend --extents +8 store/shared-data");
    const blocks = "xfs_growfs -n /var/lib/ic/data | sed -n 's/^data .*blocks=\\([0-9]*\\),.*/\\1/p'";
    const small = Number(await vm.shell.ok(blocks));
    const once = await guestosBoot(vm, argumentsOf(monitorOnce, { NAME: "data-growth" }));
    expect(once.stdout).toMatch(/^data-growth +repaired\n {2}did +grow the file system/);
    expect(Number(await vm.shell.ok(blocks)) - small).toBe((8 * 4 * MIB) / 4096);
    await vm.shell.ok("rm /var/lib/ic/data/filler; systemctl start guestos-monitor.service");
  }));

test("old files of the backup spool are purged again and again, and nothing else", () =>
  node.use(async (vm) => {
    const spool = "/var/lib/ic/backup";
    await vm.shell.ok(
      `mkdir -p ${spool}/deep /var/tmp/outside; echo x | tee ${spool}/deep/old ${spool}/young /var/tmp/outside/old > /dev/null
       ln -s /var/tmp/outside ${spool}/link; touch -d '3 hours ago' ${spool}/deep/old /var/tmp/outside/old
       chown -R backup: ${spool}/deep; chmod 0700 ${spool}/deep
       mkdir /run/systemd/timesync; touch /run/systemd/timesync/synchronized
       sed -i s/3600/5/ /boot/config/backup.conf; systemctl restart guestos-monitor.service`,
    );
    await until(vm, `! test -e ${spool}/deep/old`);
    // Nothing sets this machine's clock: what is deleted here was deleted because of the mark alone.
    await vm.shell.ok(
      `rm -r /run/systemd/timesync; echo x > ${spool}/kept; touch -d '3 hours ago' ${spool}/kept; sleep 12; rm ${spool}/kept`,
    );
    await vm.shell.ok(
      `mkdir /run/systemd/timesync; touch /run/systemd/timesync/synchronized; echo x > ${spool}/later; touch -d '3 hours ago' ${spool}/later`,
    );
    await until(vm, `! test -e ${spool}/later`);
    expect(await vm.shell.ok(`ls ${spool} /var/tmp/outside | grep -v lost+found`)).toMatch(/deep\nlink\nyoung\n[^]*old\n$/);
    await vm.shell.ok("sed -i s/=5$/=3600/ /boot/config/backup.conf; systemctl restart guestos-monitor.service");
  }));

test("it ends when it is told to, and says nothing about a node that it does not watch", () =>
  node.use(async (vm) => {
    await vm.shell.ok(stopMonitor, { timeout: 60_000 });
    expect(await vm.shell.ok("systemctl show -P Result guestos-monitor.service")).toBe("success\n");
    expect(await monitorState(vm)).toBeUndefined();
    expect((await vm.shell.run("pgrep --full 'nft monitor|ip monitor'")).stdout).toBe("");
    await vm.shell.ok("systemctl start guestos-monitor.service");
  }));
