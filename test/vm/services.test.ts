import { expect, test, vi } from "vitest";
import * as z from "../../src/base/schema.ts";
import { guestos } from "../support/chains.ts";
import type { VirtualMachine } from "../../lab/virtual-machine.ts";
import { guestosBoot, runDocument } from "./support/chain.ts";
import { assertCleanBoot } from "./support/clean-boot.ts";
import { injectedNode } from "./support/injected-node.ts";
import { logHostCredentials, NOTIFICATIONS, RECEIVED, startReceiver } from "./support/log-host.ts";
import { BOOT_TIMEOUT, bootedNode, reportOf } from "./support/node.ts";
import { filled, receivedJournal } from "../support/documented/elsewhere.ts";

/**
 * Logs, the services that the chain starts, and what the host hears: one boot of one node, whose host listens and collects logs. It has a
 * second network card that leads nowhere.
 */

vi.setConfig({ testTimeout: 2 * BOOT_TIMEOUT });

const UPLOAD = "systemd-journal-upload.service";
const injected = await injectedNode();
const node = bootedNode({
  name: "services",
  size: "8G",
  boot: "kernel",
  config: { ...injected.config, "journalbeat.conf": "journalbeat_hosts=localhost:19532\njournalbeat_tags=lab eu-1\n" },
  credentials: logHostCredentials(),
  strayCard: true,
});

const Entry = z.looseObject({ MESSAGE: z.string(), PRIORITY: z.string(), _TRANSPORT: z.string(), _SYSTEMD_UNIT: z.optional(z.string()) });

async function entries(vm: VirtualMachine, matches: string): Promise<readonly z.infer<typeof Entry>[]> {
  const output = await vm.shell.ok(`journalctl --boot --quiet --output json ${matches}`);
  return output
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => Entry.parse(JSON.parse(line)));
}

test("each unit has one entry in the journal, with its name, outcome and priority as fields", () =>
  node.use(async (vm) => {
    const units = await entries(vm, "GUESTOS_EVENT=unit GUESTOS_STAGE=boot _SYSTEMD_UNIT=guestos-boot.service");
    expect(units.map(({ GUESTOS_UNIT: name }) => String(name)).toSorted()).toEqual(guestos.map(({ name }) => name).toSorted());
    for (const entry of units) {
      expect(entry, entry.MESSAGE).toMatchObject({ PRIORITY: "6", _TRANSPORT: "journal" });
      expect(entry["GUESTOS_OUTCOME"]).toMatch(/^(?:changed|unchanged)$/);
    }
    const actions = await entries(vm, "GUESTOS_EVENT=action GUESTOS_UNIT=var");
    expect(actions.map(({ GUESTOS_ACTION: action }) => action)).toEqual(expect.arrayContaining([expect.stringMatching(/LUKS2/)]));
  }));

test("of two cards at a first boot, the one on which a router answers is the node's, which is said and remembered", () =>
  node.use(async (vm) => {
    const said =
      "the node's network card is enp0s16 (52:54:00:12:34:56 at pci0000:00/0000:00:10.0) (of enp0s8, enp0s16): only it has an IPv6 router";
    const { units } = runDocument(await guestosBoot(vm, "status --json"));
    expect(units.find(({ name }) => name === "network-card")).toMatchObject({ outcome: "changed", notes: [said] });
    expect(await vm.shell.ok("cat /boot/config/network-card.json")).toMatch(/"name": "enp0s16"[^]*"because": "router"/);
    expect(await vm.shell.ok("ls /run/systemd/network")).toBe("10-enp0s16.network\n");
    expect((await entries(vm, "GUESTOS_EVENT=note GUESTOS_UNIT=network-card")).map(({ MESSAGE }) => MESSAGE)).toEqual([
      `note from network-card: ${said}`,
    ]);
    expect((await guestosBoot(vm, "plan --unit network-card")).status).toBe(0);
    // Both were up for that; the packet filter was in force by then.
    expect(await vm.shell.ok("systemctl show -P After guestos-boot.service")).toContain("nftables.service");
    const at = async (property: string, unit: string): Promise<number> =>
      Number(await vm.shell.ok(`systemctl show -P ${property}TimestampMonotonic ${unit}`));
    expect(await at("ExecMainExit", "nftables.service")).toBeLessThan(await at("ExecMainStart", "guestos-boot.service"));
  }));

test("no line is said twice: lines on the console are not in the journal, and entries are in it once", () =>
  node.use(async (vm) => {
    expect(await entries(vm, "_SYSTEMD_UNIT=guestos-boot.service _TRANSPORT=stdout")).toEqual([]);
    const messages = (await entries(vm, "_SYSTEMD_UNIT=guestos-boot.service")).map(({ MESSAGE }) => MESSAGE);
    expect(messages.filter((message, index) => messages.indexOf(message) !== index)).toEqual([]);
    const { units, end } = reportOf(vm);
    expect(units.length).toBe(end?.total);
  }));

test("the boot is clean, and no secret is in the log", () =>
  node.use(async (vm) => {
    await assertCleanBoot(vm, { secrets: injected.secrets });
  }));

test("the host hears how the boot goes, and that the node is ready once it is", () =>
  node.use(async (vm) => {
    const heard = await vm.shell.ok(`cat ${NOTIFICATIONS}`);
    const lines = heard.split("\n").filter((line) => !line.startsWith("STATUS=User job"));
    const place = (pattern: RegExp): number => lines.findIndex((line) => pattern.test(line));
    const order = [
      /^STATUS=guestos-boot: boot: started$/,
      /^READY=1$/,
      /^X_GUESTOS_BOOT=done$/,
      // systemd's own: the target that the node's software waits for.
      /^X_SYSTEMD_UNIT_ACTIVE=guestos-boot\.target$/,
    ].map(place);
    expect(order, heard).not.toContain(-1);
    expect(order, heard).toEqual(order.toSorted((one, other) => one - other));
    expect(place(/^STATUS=guestos-boot: boot: \d+ units?: .* 0 failed.* in \d/), heard).toBe((order[1] ?? 0) + 1);
  }));

test("a receiver that comes up after the boot gets the whole journal over TLS, with the tags", () =>
  node.use(async (vm) => {
    expect(await vm.shell.ok(`systemctl show --property=ActiveState,User,NRestarts ${UPLOAD}`)).not.toContain("failed");
    await vm.shell.ok(startReceiver);
    const received = (matches: string, output = "cat"): string =>
      filled(receivedJournal, { json: output, "GUESTOS_TAG=lab": matches, "--directory …": `--quiet --directory ${RECEIVED}` });
    // The tags were written after the stage's units had begun; what is asked for is in the node's journal already.
    await vm.shell.ok(`until ${received("GUESTOS_TAG=eu-1")} 2>/dev/null | grep -q .; do sleep 1; done`, { timeout: 300_000 });
    const [tags = ""] = (await vm.shell.ok(received("GUESTOS_TAG=lab", "json"))).split("\n");
    const [machine, boot] = (await vm.shell.ok("cat /etc/machine-id /proc/sys/kernel/random/boot_id | tr -d -")).split("\n");
    expect(JSON.parse(tags)).toMatchObject({ MESSAGE: expect.stringContaining("tags: lab eu-1"), _MACHINE_ID: machine, _BOOT_ID: boot });
    expect(await vm.shell.ok(received("GUESTOS_UNIT=var GUESTOS_EVENT=unit"))).toMatch(/^var +changed/);
    expect(await vm.shell.ok(`systemctl is-active ${UPLOAD}`)).toBe("active\n");
    // What systemd brought about by itself is as it was wanted.
    expect((await guestosBoot(vm, "plan --unit journalbeat")).status).toBe(0);
    await vm.shell.ok(`systemctl stop test-receiver`);
  }));

test("a receiver whose certificate is not known gets nothing", () =>
  node.use(async (vm) => {
    const marker = (await vm.shell.ok("cat /proc/sys/kernel/random/uuid")).trim();
    await vm.shell.ok(
      `rm -rf /run/test-receiver; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout /run/other.key -out /run/other.certificate 2>/dev/null && ` +
        startReceiver
          .replace("/run/credentials/@system/test.key", "/run/other.key")
          .replace("/run/credentials/@system/test.certificate", "/run/other.certificate"),
    );
    await vm.shell.ok(`logger ${marker}; systemctl restart ${UPLOAD}`);
    const refused = `journalctl --boot --quiet --output cat --unit ${UPLOAD} --grep 'certificate|SSL'`;
    await vm.shell.ok(`until ${refused} | grep -q .; do sleep 1; done`, { timeout: 120_000 });
    expect(await vm.shell.ok(`grep -r -c ${marker} ${RECEIVED} | grep -v ":0$" || true`)).toBe("");
    await vm.shell.ok("systemctl stop test-receiver; rm -rf /run/test-receiver /run/other.*");
  }));

test("a service that does not start is told with its last words, as a warning with the unit's name", () =>
  node.use(async (vm) => {
    const folder = "/run/systemd/system/node_exporter.service.d";
    const broken = `[Service]\\nExecStartPre=/bin/sh -c "echo the disk of metrics is square; exit 1"\\n`;
    await vm.shell.ok(
      `mkdir -p ${folder}; printf '${broken}' >${folder}/broken.conf; systemctl daemon-reload; systemctl stop node_exporter`,
    );
    try {
      // As systemd runs the chain.
      const options = "--property=OpenFile=/run/systemd/journal/socket:journal --property=SuccessExitStatus=10";
      await vm.shell.ok(`systemd-run --wait --quiet --unit=test-run ${options} guestos-boot --unit node-exporter || [ $? = 10 ]`, {
        timeout: BOOT_TIMEOUT,
      });
      const [entry, ...others] = await entries(vm, "_SYSTEMD_UNIT=test-run.service GUESTOS_UNIT=node-exporter GUESTOS_EVENT=unit");
      expect(others).toEqual([]);
      expect(entry).toMatchObject({ PRIORITY: "4", GUESTOS_OUTCOME: "degraded" });
      expect(entry?.MESSAGE).toContain("the disk of metrics is square");
    } finally {
      await vm.shell.ok(`rm -r ${folder}; systemctl daemon-reload; systemctl reset-failed node_exporter; systemctl start node_exporter`);
    }
  }));

test("where there is a Filebeat, it is started with what journalbeat.conf says, and the other shipper is not asked", () =>
  node.use(async (vm) => {
    const unit = '[Service]\\nExecStart=/bin/sh -c "exec sleep infinity" $BEAT_CONFIG_OPTS\\n';
    await vm.shell.ok(`printf '${unit}' >/run/systemd/system/filebeat.service; systemctl daemon-reload; mkdir -p /var/lib/filebeat`);
    try {
      const run = runDocument(await guestosBoot(vm, "--unit journalbeat --json"));
      expect(run.units.find(({ name }) => name === "journalbeat")?.activated).toEqual([
        "ship the journal to localhost:19532 by filebeat.service",
      ]);
      expect(await vm.shell.ok("cat /run/ic-node/filebeat/filebeat.yml")).toContain(
        'hosts:\n    - "https://localhost:19532"\ntags:\n  - "lab"\n  - "eu-1"\n',
      );
      expect(await vm.shell.ok("systemctl show --property=Environment filebeat.service")).toContain(
        "-c /run/ic-node/filebeat/filebeat.yml",
      );
      await vm.shell.ok("mv /boot/config/journalbeat.conf /boot/config/journalbeat.conf.off");
      expect((await guestosBoot(vm, "--unit journalbeat")).status).toBe(0);
      expect(await vm.shell.ok("systemctl show --property=ActiveState filebeat.service")).toBe("ActiveState=inactive\n");
    } finally {
      await vm.shell.ok(
        "systemctl stop filebeat; rm -f /run/systemd/system/filebeat.service; systemctl daemon-reload; mv /boot/config/journalbeat.conf.off /boot/config/journalbeat.conf || true",
      );
    }
  }));

/** What `systemd-analyze security` says on the image; docs/logging.md states it with reasons. */
const EXPOSURE = { "guestos-boot.service": 5.6, "guestos-boot-late.service": 3.8, "node_exporter.service": 1.9, [UPLOAD]: 1.5 };

test("the services may do little more than they must", () =>
  node.use(async (vm) => {
    for (const [service, most] of Object.entries(EXPOSURE)) {
      const text = await vm.shell.ok(`systemd-analyze security --no-pager ${service} | tail -n 1`);
      const exposure = Number(/: ([\d.]+) /.exec(text)?.[1]);
      expect(exposure, text).toBeLessThanOrEqual(most);
    }
  }));
