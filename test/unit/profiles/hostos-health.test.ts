import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { profiles } from "../../../src/profiles/profiles.ts";
import type { Host } from "../../../src/system/host.ts";
import { type Check, runOwnChecks } from "../../../src/upgrade/health.ts";
import { type FakeMachine, fakeHost } from "../../support/fake-host.ts";
import { installed } from "../../support/slot-machine.ts";

const { layout, health } = profiles.hostos;

const VIRSH = "virsh --connect qemu:///system list --all";
const ROUTES = "ip -json -6 route show default dev br6";
const ASK = "ip -6 neighbour replace 2001:db8:6772::2 dev br6 use";
const ANSWER = "ip -json -6 neighbour show 2001:db8:6772::2 dev br6";
const PROBE = "blkid --probe --output export /dev/hostlvm/guestos";
const table = (...rows: readonly string[]): string => [" Id   Name      State", "-------------------------", ...rows, "", ""].join("\n");
/** The address that is computed from lab/hostos-config.json, on the interface with the number 3, with these flags. */
const address = (flags: string): string => `20010db8677200006800a5fffecfdc85 03 40 00 ${flags}      br6\n`;

/** A host on trial that is healthy. */
const healthy = {
  files: {
    "/proc/cmdline": "root=/dev/mapper/hostlvm-B_root dfinity.system=B\n",
    "/boot/config/slots/B.json": JSON.stringify(installed),
    "/opt/ic/share/version.txt": "2.0.0\n",
    "/boot/config/config.json": readFileSync("lab/hostos-config.json", "utf8"),
    "/sys/class/net/br6/ifindex": "3\n",
    "/proc/net/if_inet6": address("80"),
    "/dev/hostlvm/guestos": Buffer.alloc(16 * 1024 * 1024, 0x41),
  },
  commands: {
    [VIRSH]: table(" 1    guestos   running"),
    [ROUTES]: '[{"dst":"default","gateway":"2001:db8:6772::2","dev":"br6"}]',
    [ASK]: "",
    [ANSWER]: '[{"dst":"2001:db8:6772::2","state":["REACHABLE"]}]',
    [PROBE]: "PTTYPE=gpt\n",
  },
} as const satisfies FakeMachine;

interface Change {
  readonly files?: Readonly<Record<string, string | Uint8Array | undefined>>;
  readonly commands?: FakeMachine["commands"];
}

function hostWith({ files = {}, commands = {} }: Change): Host {
  const all: Record<string, string | Uint8Array> = { ...healthy.files };
  for (const [path, content] of Object.entries(files)) {
    if (content === undefined) delete all[path];
    else all[path] = content;
  }
  return fakeHost({ files: all, commands: { ...healthy.commands, ...commands } });
}

const checked = async (change: Change = {}): Promise<readonly Check[]> => runOwnChecks(hostWith(change), layout, await health());
const failed = async (change: Change): Promise<readonly string[]> =>
  (await checked(change)).flatMap(({ name, problem }) => (problem === undefined ? [] : `${name} ${problem.code}`));

test("a host that runs what was installed, with libvirt, its bridge, a gateway and its guest, is healthy", async () => {
  expect(await checked()).toEqual([{ name: "version" }, { name: "libvirt" }, { name: "bridge" }, { name: "gateway" }, { name: "guest" }]);
});

const absent = { [VIRSH]: table() };
const LIBVIRT_IS_GONE = ["libvirt tool-failed", "guest tool-failed"];

test.each<readonly [string, Change, readonly string[]]>([
  [
    "another version than the one that was installed",
    { files: { "/opt/ic/share/version.txt": "1.0.0\n" } },
    ["version other-version-booted"],
  ],
  ["no version", { files: { "/opt/ic/share/version.txt": undefined } }, ["version other-version-booted"]],
  ["a record that cannot be read", { files: { "/boot/config/slots/B.json": "{" } }, ["version slot-record-unreadable"]],
  ["what other tools installed", { files: { "/boot/config/slots/B.json": undefined } }, []],
  ["no answer of libvirt", { commands: { [VIRSH]: { status: 1, stderr: "failed to connect" } } }, LIBVIRT_IS_GONE],
  ["nonsense of libvirt", { commands: { [VIRSH]: "" } }, ["libvirt libvirt-answer-unclear", "guest libvirt-answer-unclear"]],
  ["no bridge", { files: { "/sys/class/net/br6/ifindex": undefined } }, ["bridge bridge-missing"]],
  ["no address", { files: { "/proc/net/if_inet6": undefined } }, ["bridge bridge-without-address"]],
  ["an address that another machine has", { files: { "/proc/net/if_inet6": address("88") } }, ["bridge bridge-without-address"]],
  ["an address of another interface", { files: { "/sys/class/net/br6/ifindex": "4\n" } }, ["bridge bridge-without-address"]],
  [
    "another address than the computed one",
    { files: { "/proc/net/if_inet6": address("80").replace("dc85", "dc86") } },
    ["bridge bridge-without-address"],
  ],
  ["no default route", { commands: { [ROUTES]: "[]" } }, ["gateway gateway-silent"]],
  ["a gateway that does not answer", { commands: { [ANSWER]: '[{"state":["FAILED"]}]' } }, ["gateway gateway-silent"]],
  ["a guest that has ended", { commands: absent }, ["guest guest-not-running"]],
  ["a guest that is held", { commands: { [VIRSH]: table(" 1    guestos   paused") } }, ["guest guest-not-running"]],
  [
    "no guest yet: its volume is blank",
    { files: { "/dev/hostlvm/guestos": Buffer.alloc(16 * 1024 * 1024) }, commands: { ...absent, [PROBE]: { status: 2 } } },
    [],
  ],
  ["a guest's volume whose table is gone", { commands: { ...absent, [PROBE]: { status: 2 } } }, ["guest guest-not-running"]],
  ["no volume of a guest", { files: { "/dev/hostlvm/guestos": undefined }, commands: absent }, ["guest device-not-inspected"]],
])("%s", async (_, change, codes) => {
  expect(await failed(change)).toEqual(codes);
});

test("of a guest that does not run, its service's problem is said", async () => {
  const account = {
    phase: "waiting",
    since: "2026-01-01T00:00:00Z",
    onTrial: false,
    failures: 3,
    problem: { code: "test-problem", what: "no memory" },
  };
  const checks = await checked({ files: { "/run/guestos-boot/guest.json": JSON.stringify(account) }, commands: absent });
  expect(checks.at(-1)?.problem).toMatchObject({ code: "guest-not-running", found: "absent: 3 failures in a row: no memory" });
});

test.each([
  ["has not failed", 0, 0, []],
  ["failed a moment ago, and was started again", 50, 1, ["guest guest-not-running"]],
  ["failed, and has run for a minute since", 60, 1, []],
  ["failed, before the clock was set back", -10, 1, []],
])("a guest that runs, and %s", async (_, seconds, failures, codes) => {
  const since = new Date(Date.now() - seconds * 1000).toISOString();
  const account = JSON.stringify({ phase: "running", since, onTrial: false, failures });
  expect(await failed({ files: { "/run/guestos-boot/guest.json": account } })).toEqual(codes);
});
