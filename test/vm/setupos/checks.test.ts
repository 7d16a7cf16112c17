import { createServer } from "node:http";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";
import { guestosBoot, runDocument } from "../support/chain.ts";
import { BOOT_TIMEOUT, sharedNode } from "../support/node.ts";
import { startNtpServer } from "../support/ntp-server.ts";
import { emptyDrives, newStick, startStick } from "../support/stick.ts";

/** One start from a stick, whose checks are on: what a machine can have under an emulator passes, and the rest is told at once. */

vi.setConfig({ testTimeout: 3 * BOOT_TIMEOUT, hookTimeout: BOOT_TIMEOUT });

const NAME = "setupos-checks";
const ROUTER = "2001:db8:6772::2";

/** The NNS of the lab's stick. Where someone else has the port, that one answers, which will do as well. */
const nns = createServer((_, answer) => answer.writeHead(404).end());
const ntp = await startNtpServer();
beforeAll(async () => new Promise<void>((resolve) => nns.once("error", () => resolve()).listen(8080, "::1", resolve)));
afterAll(() => {
  ntp.stop();
  nns.close();
});

const PAGE_END = /THE NODE IS NOT INSTALLED[^]*time {5}[-\d]+ [:\d]+ UTC/;

const stick = sharedNode(async () => {
  const vm = await startStick(NAME, await newStick(NAME), await emptyDrives(NAME, 1), {
    checks: true,
    // chrony asks what is listed there (chrony.conf(5), sourcedir), beside servers that this network does not lead to. It reads whole lines
    // alone, and tmpfiles.d(5) writes a line end only where it is told so.
    credentials: {
      "tmpfiles.extra": `d /run/chrony-dhcp 0755 root root\nf /run/chrony-dhcp/lab.sources 0644 root root - server ${ROUTER} port ${ntp.port} iburst\\n\n`,
    },
  });
  try {
    await vm.waitForSerial(PAGE_END, { timeout: 2 * BOOT_TIMEOUT });
  } catch (error) {
    await vm.powerCut();
    throw error;
  }
  return vm;
});

const unitsOf = async (vm: VirtualMachine) => runDocument(await guestosBoot(vm, "status --json")).units;

test("the gateways, the time and the NNS are asked for, and answer; the version is noted", () =>
  stick.use(async (vm) => {
    const units = await unitsOf(vm);
    const outcomes = Object.fromEntries(units.map(({ name, outcome }) => [name, outcome]));
    expect(outcomes).toMatchObject({ "check-network": "unchanged", "check-time": "unchanged", "check-nns": "unchanged" });
    expect(outcomes).toMatchObject({ "check-age": "unchanged" });
    expect(outcomes).toMatchObject({ "check-hardware": "failed", "check-images": "unchanged" });
    // Whoever is not wanted is not waited for, and no drive is touched.
    expect(outcomes).toMatchObject({ "check-hsm": "skipped", "setup-disk": "skipped", "setup-boot-loader": "skipped" });
    const notes = (name: string) => units.find((unit) => unit.name === name)?.notes.join("\n");
    expect(notes("check-network")).toMatch(/port enp0s16: link, .*gateway answered$/m);
    expect(notes("check-elected-version")).toContain("this image has no /opt/ic/bin/check-elected-version");
    expect(units.find(({ name }) => name === "check-network")?.activated.join()).toContain(
      `ask ${ROUTER} and 10.0.2.2 on each network port`,
    );
    expect(ntp.answers()).toBeGreaterThan(0);
    expect(await vm.shell.ok("chronyc -n tracking")).toContain("Stratum         : 2");
  }));

/** What no emulated machine of the lab has, as the page says it. */
const MISTAKES = [
  "this system was not started by UEFI",
  "the processor is not one of this reward type",
  "a processor does not offer sev_snp",
  "there are not enough processors",
  "the number of threads of the processors is not that of this reward type",
  "there is not enough memory",
  "the large drives are too small",
];
/** The same in codes. */
const MISSING = [
  "not-started-by-uefi",
  "processor-other",
  "processor-capability-missing",
  "processors-few",
  "processor-threads",
  "memory-small",
  "disks-small",
];

test("all that is wrong with the machine is on one page, of 80 columns and 25 rows, and all of it is on the stick", () =>
  stick.use(async (vm) => {
    const [page = ""] = PAGE_END.exec(vm.serial.text) ?? [];
    const lines = page.split(/\r+\n/);
    expect(lines.length).toBeLessThan(25);
    for (const line of lines) expect([...line].length).toBeLessThanOrEqual(80);
    // Of the QR code beside it, without what is drawn with blocks.
    const words = lines.map((line) => line.replaceAll(/\s*[█▀▄ ]{20,}$/g, "")).join(" ");
    expect(words).toContain("check-hardware: this machine is not one that a node can be installed on: ");
    for (const mistake of MISTAKES) expect(words).toContain(mistake);
    expect(page).toContain("code     several-problems");
    expect(page).toContain("all of it: installation.txt on the stick");
    const problem = (await unitsOf(vm)).find(({ name }) => name === "check-hardware")?.problem;
    const log = await vm.shell.ok("cat /config/installation.txt");
    for (const code of MISSING) {
      expect(problem?.found).toContain(`(${code})`);
      expect(log.replaceAll(/\s+/g, " ")).toContain(`(${code})`);
    }
  }));

test("the same stick rehearses on a machine that is not checked: what would be lost, and nothing is written", () =>
  stick.use(async (vm) => {
    await vm.shell.ok("echo ic.setupos.run_checks=0 >/run/cmdline && mount --bind /run/cmdline /proc/cmdline");
    await vm.shell.ok("echo rehearse=true >>/config/config.ini; mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=1 /dev/vda 8M");
    const before = await vm.shell.ok("head -c 16M /dev/vda | sha256sum");
    expect((await guestosBoot(vm, "run")).status).not.toBe(0);
    const units = await unitsOf(vm);
    const disk = units.find(({ name }) => name === "setup-disk");
    expect(disk?.problem).toMatchObject({ code: "only-a-rehearsal" });
    expect(disk?.problem?.found).toMatch(/empty \/dev\/vda .*taken as system drive; lost with it: \/dev\/vda .*ext4/);
    expect(disk?.problem?.found).toMatch(/\/dev\/sda .* is left: this system runs from it/);
    expect(await vm.shell.ok("head -c 16M /dev/vda | sha256sum")).toBe(before);
    await vm.shell.ok("umount /proc/cmdline; sed -i /rehearse/d /config/config.ini");
  }));
