import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { expect, test, vi } from "vitest";
import { withPanicRetry } from "../../lab/panic-retry.ts";
import { directBoot } from "../../lab/direct-boot.ts";
import type { VirtualMachine } from "../../lab/virtual-machine.ts";
import { stateFolder } from "../../image/paths.ts";
import { assertCleanBoot, wordsIn } from "../vm/support/clean-boot.ts";
import { injectedNetwork, injectedNode } from "../vm/support/injected-node.ts";
import { configMedium } from "../vm/support/media.ts";
import { BOOT_TIMEOUT, untilBooted } from "../vm/support/node.ts";
import { orchestratedDisk, orchestratedImage } from "../vm/support/orchestrated-system.ts";
import { ssh } from "../vm/support/reach.ts";
import { diskOver, serve, start, startedByGrub, untilRestart, upgradeOf } from "../vm/support/upgrade.ts";

/**
 * A node with an orchestrator, on a host that boots its kernel: a stand-in for each does what today's does. The node is taken through an
 * upgrade by the old names, and goes back by the host's own rules. At the end GRUB chooses the same
 * system on that disk.
 */

vi.setConfig({ testTimeout: 6 * BOOT_TIMEOUT });

const NAME = "orchestrated";
const INBOX = "/run/ic-node/orchestrator-test";
const injected = await injectedNode();

interface Answer {
  readonly status: number;
  readonly said: string;
}

/** Gives the stand-in something to do, and waits until it has done it. */
async function instruct(vm: VirtualMachine, what: string, text: string): Promise<Answer> {
  const said = await vm.shell.ok(
    `cd ${INBOX} && rm -f ${what}.* && printf '%s' '${text}' >${what}.new && chown ic-replica: ${what}.new && mv ${what}.new ${what}.do
    until [ -e ${what}.done ]; do sleep 0.2; done; cat ${what}.done ${what}.out`,
    { timeout: BOOT_TIMEOUT },
  );
  const [status = "", ...lines] = said.split("\n");
  return { status: Number(status), said: lines.join("\n") };
}

/** The host's part: it reads and advances the boot state on the disk, and boots the kernel of that slot. */
async function hosted(disk: string, expected: "A" | "B", options: Parameters<typeof start>[2] = {}): Promise<VirtualMachine> {
  const { slot, boot } = await directBoot({ path: disk }, join(stateFolder(NAME), "host"));
  expect(slot).toBe(expected);
  return start(NAME, disk, { ...options, boot });
}

async function makeInbox(vm: VirtualMachine): Promise<void> {
  await vm.shell.ok(`mkdir -p ${INBOX} && chown ic-replica: ${INBOX}`);
}

/** ic.json5 as what it is: JSON5 is a part of ECMAScript. */
async function icConfigOf(vm: VirtualMachine): Promise<unknown> {
  return JSON.parse(JSON.stringify(runInNewContext(`(${await vm.shell.ok("cat /run/ic-node/config/ic.json5")})`)));
}

const OWNERS = `cd /var/lib/ic && stat -c '%n %U:%G %a' backup crypto data/ic_consensus_pool data/ic_state data/ic_state/page_deltas data/cups \
data/orchestrator data/ic_registry_local_store data/recovery data/ic_adapter/* && stat -c '%n %U:%G %a' data/ic_state/page_deltas/slot_0/canister.bin`;

async function firstSystem(vm: VirtualMachine): Promise<void> {
  expect(await untilBooted(vm)).toBe("running");
  expect(await vm.shell.ok("cat /proc/cmdline")).toContain("dfinity.system=A");
  await assertCleanBoot(vm, { secrets: injected.secrets });

  // What the orchestrator finds, and when.
  expect(await vm.shell.ok("systemctl show -P ActiveState ic-replica.service")).toBe("active\n");
  const at = async (unit: string): Promise<number> => Number(await vm.shell.ok(`systemctl show -P ActiveEnterTimestampMonotonic ${unit}`));
  expect(await at("ic-replica.service")).toBeGreaterThan(await at("guestos-boot.target"));
  expect(await vm.shell.ok("stat -c '%U:%G %a' /run/ic-node/config/ic.json5")).toBe("root:root 644\n");
  expect(await icConfigOf(vm)).toMatchObject({
    initial_ipv4_config: { public_address: `${injectedNetwork.address}/24`, public_gateway: "10.0.2.2" },
    domain: injectedNetwork.domain,
    artifact_pool: { backup: { retention_time_secs: 86_400, purging_interval_secs: 3600 } },
    hypervisor: { query_stats_epoch_length: 600 },
    registration: { nns_url: "http://[2001:db8:6772::2]:8080", node_reward_type: "" },
    firewall: { file_template: expect.stringContaining("ip6 saddr { 2001:db8:6772::/64 } ct state") },
    malicious_behavior: null,
  });
  expect((await vm.shell.ok(OWNERS)).trim().split("\n")).toEqual([
    "backup ic-replica:backup 2750",
    "crypto ic-csp-vault:ic-csp-vault 2750",
    "data/ic_consensus_pool ic-replica:ic-consensus-pool 2750",
    "data/ic_state ic-replica:nonconfidential 2750",
    "data/ic_state/page_deltas ic-replica:nonconfidential 2750",
    "data/cups ic-replica:nonconfidential 2750",
    "data/orchestrator ic-replica:nonconfidential 2750",
    "data/ic_registry_local_store ic-replica:ic-registry-local-store 2750",
    "data/recovery admin:nonconfidential 2750",
    "data/ic_adapter/dogecoin_mainnet_cache ic-replica:nonconfidential 2750",
    "data/ic_adapter/dogecoin_testnet_cache ic-replica:nonconfidential 2750",
    "data/ic_state/page_deltas/slot_0/canister.bin ic-replica:nonconfidential 640",
  ]);
  const journal = await vm.shell.ok("journalctl -b -q -o cat -u ic-replica.service");
  expect(journal).toContain("orchestrator: started by ic-replica, with root 644");
  expect(journal).toContain("orchestrator: confirm ended with 0");
}

async function calls(vm: VirtualMachine): Promise<void> {
  // Keys, for an account that had none: permanently, and at once. The account of the injected key keeps it.
  const key = (await readFile(`${injected.keys.readonly}.pub`, "utf8")).trim();
  expect((await ssh(vm, { account: "recovery", key: injected.keys.readonly })).status).toBe(255);
  expect(await instruct(vm, "keys", `recovery\n${key}`)).toEqual({ status: 0, said: "recovery: 1 key\n" });
  expect((await ssh(vm, { account: "recovery", key: injected.keys.readonly })).status).toBe(0);
  expect(await instruct(vm, "keys", "recovery\n")).toEqual({ status: 0, said: "recovery: 0 keys\n" });
  expect((await ssh(vm, { account: "recovery", key: injected.keys.readonly })).status).toBe(255);
  // Not those of the account that may do everything.
  expect(await instruct(vm, "keys", `admin\n${key}`)).toMatchObject({ status: 1, said: expect.stringContaining("a password is required") });

  // The network: the registry's address, then the configuration's own again.
  const addresses = (): Promise<string> => vm.shell.ok("ip -4 -o address show scope global");
  expect((await instruct(vm, "network", "10.0.2.77 24 10.0.2.2")).status).toBe(0);
  expect(await addresses()).toContain("inet 10.0.2.77/24");
  expect((await instruct(vm, "network", "10.0.2.77 24 10.9.9.9")).status).toBe(2);
  expect((await instruct(vm, "network", "\n")).status).toBe(0);
  expect(await addresses()).toContain(`inet ${injectedNetwork.address}/24`);
  expect(await addresses()).not.toContain("10.0.2.77");

  // The firewall: loaded as soon as it is written.
  const rules =
    "flush ruleset\ntable inet filter {\n chain input {\n  type filter hook input priority 0; policy drop;\n  iif lo accept\n  ct state established,related accept\n  meta l4proto ipv6-icmp accept\n  tcp dport { 22, 9100, 4100 } accept\n }\n}\n";
  expect((await instruct(vm, "ruleset", rules)).status).toBe(0);
  await vm.shell.ok("until nft list ruleset | grep -q 4100; do sleep 0.5; done", { timeout: BOOT_TIMEOUT });

  // The word was said: a start by hand says none, and a failure of the chain none any more.
  await vm.shell.ok("systemctl start guestos-boot.target && systemctl restart guestos-boot-success.service");
  await vm.shell.ok("systemctl start guestos-boot-failure.service");
  expect(wordsIn(vm)).toEqual(["SUCCESS"]);
}

async function story(): Promise<void> {
  const image = await orchestratedImage("0.2.0");
  const server = await serve(image);
  const disk = await orchestratedDisk(NAME, "12G");
  const media = [{ id: "config", image: await configMedium(NAME, injected.config) }];
  const a = await hosted(disk, "A", { media });
  try {
    await firstSystem(a);
    await makeInbox(a);
    await calls(a);
    const { hostname, port, pathname } = new URL(server.url);
    // It ends with the machine: the answer of the commit may not be seen.
    await a.shell.ok(
      `cd ${INBOX} && printf '%s' '${hostname} ${port} ${pathname} ${image.sha256}' >u && chown ic-replica: u && mv u upgrade.do`,
    );
    await untilRestart(a, BOOT_TIMEOUT);
  } finally {
    server.close();
    await a.powerCut();
  }
  const [tried, committed] = [await diskOver(disk, `${NAME}-tried`), await diskOver(disk, `${NAME}-committed`)];

  // The host tries B; the orchestrator there keeps it.
  const b = await hosted(tried, "B");
  try {
    expect(await untilBooted(b)).toBe("running");
    expect(await b.shell.ok("cat /opt/ic/share/version.txt")).toBe("0.2.0\n");
    expect(await b.shell.ok("cat /proc/cmdline")).not.toContain("guestos-boot.trial");
    await b.shell.ok("until journalctl -b -q -o cat -u ic-replica.service | grep -q 'confirm ended with 0'; do sleep 0.5; done", {
      timeout: BOOT_TIMEOUT,
    });
    expect(await upgradeOf(b)).toMatchObject({
      ...{ running: "B", version: "0.2.0", phase: "stable", next: "B", toDo: [], refused: [] },
      grubenv: { alternative: "B", cycle: "stable", faults: [] },
      slots: { A: { kind: "proven" }, B: { kind: "proven", version: "0.2.0", image: { sha256: image.sha256 } } },
    });
    expect(await b.shell.ok("/opt/ic/bin/manageboot.sh guestos current; /opt/ic/bin/manageboot.sh guestos target_partition")).toBe(
      "B\n/dev/vda5\n",
    );
    await assertCleanBoot(b, { secrets: injected.secrets });
  } finally {
    await b.powerCut();
  }

  // GRUB, on the disk that the host had: the same system. How that comes up is in upgrade.test.ts.
  const grub = await start(NAME, tried);
  try {
    expect(await startedByGrub(grub)).toBe("B (stable)");
  } finally {
    await grub.powerCut();
  }

  // The host tries B and it never comes up: at the next start A is back, and knows that.
  expect((await directBoot({ path: committed }, join(stateFolder(NAME), "host"))).slot).toBe("B");
  const back = await hosted(committed, "A");
  try {
    expect(await untilBooted(back)).toBe("running");
    expect(await upgradeOf(back)).toMatchObject({
      ...{ running: "A", phase: "stable", next: "A", toDo: [] },
      slots: { A: { kind: "proven" }, B: { kind: "failed", sha256: image.sha256 } },
      refused: [{ sha256: image.sha256 }],
    });
  } finally {
    await back.powerCut();
  }
}

test("an orchestrator and a host of today take the node through an upgrade and back, and GRUB chooses the same system", () =>
  withPanicRetry(story));
