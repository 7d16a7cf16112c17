import { gunzipSync } from "node:zlib";
import { expect } from "vitest";
import { printable } from "../../../lab/serial-log.ts";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";
import { type KnownSecret, namesFound, secretsIn } from "../../support/known-secrets.ts";
import { replayedHere } from "./replayed.ts";

export interface CleanBootOptions {
  /** Beside what the node made itself: what the test injected. */
  readonly secrets?: readonly KnownSecret[];
  /** systemd units that this test makes fail. */
  readonly failedUnits?: readonly string[];
  /** Warnings that this test provokes. */
  readonly warnings?: readonly RegExp[];
}

/** The services whose warnings are ours. */
const SERVICES = [
  "guestos-boot.service",
  "guestos-boot-late.service",
  "guestos-monitor.service",
  "node_exporter.service",
  "nftables.service",
  "nginx.service",
  "danted.service",
];

/**
 * What every test of a whole boot also asserts: no failed unit, no unexpected warning, no secret in any log, one word to the host, no
 * unit that reads or writes what it has not declared, and none that would decide otherwise from the same answers.
 */
export async function assertCleanBoot(vm: VirtualMachine, options: CleanBootOptions = {}): Promise<void> {
  const { secrets = [], failedUnits = [], warnings = [] } = options;
  expect(
    (await failedSystemdUnits(vm)).filter((unit) => !failedUnits.includes(unit)),
    "failed systemd units",
  ).toEqual([]);
  const unexpected = (await warningsOfOurs(vm)).filter((line) => !warnings.some((pattern) => pattern.test(line)));
  expect(unexpected, "unexpected warnings in the journal").toEqual([]);
  expect(wordsIn(vm), "words to the host").toEqual(["SUCCESS"]);
  const observed = "/run/guestos-boot/observed.jsonl";
  const { stderr: races } = await vm.shell.run(`[ ! -e ${observed} ] || guestos-boot verify --record ${observed}`, { timeout: 300_000 });
  expect(races, "units that read or write what they have not declared").toBe("");
  const other = (await replayedHere(vm)).filter(({ kind }) => kind === "differs");
  expect(other, "what units decide otherwise from what they were answered").toEqual([]);
  expect(await leaks(vm, [...secrets, ...(await secretsOfNode(vm))]), "secrets where none may be").toEqual([]);
}

/** The words on the serial line of how the boot ended: the host searches all of it for them. */
export function wordsIn(vm: VirtualMachine, from = 0): readonly string[] {
  return [...printable(vm.serial.text.slice(from)).matchAll(/GUESTOS BOOT (SUCCESS|FAILURE)/g)].map(([, word = ""]) => word);
}

async function failedSystemdUnits(vm: VirtualMachine): Promise<readonly string[]> {
  const list = await vm.shell.ok("systemctl list-units --state=failed --plain --no-legend");
  return list.split("\n").flatMap((line) => line.trim().split(/\s+/)[0] || []);
}

/** Warnings and worse of our services and of systemd about them; and every ordering cycle, whatever unit closed it. */
async function warningsOfOurs(vm: VirtualMachine): Promise<readonly string[]> {
  const about = SERVICES.flatMap((unit) => [`_SYSTEMD_UNIT=${unit}`, "+", `UNIT=${unit}`, "+"]).join(" ");
  const ours = await vm.shell.ok(`journalctl -b -q -p warning -o cat ${about} SYSLOG_IDENTIFIER=guestos-boot`);
  const cycles = await vm.shell.ok("journalctl -b -q -o cat _PID=1 | grep -i 'ordering cycle' || true");
  return [...ours.split("\n"), ...cycles.split("\n")].filter((line) => line !== "");
}

/** What the node made for itself; files that are not there (an early failure) give no secret. */
async function secretsOfNode(vm: VirtualMachine): Promise<readonly KnownSecret[]> {
  const files = (
    await vm.shell.ok("find /boot/config -type f \\( -name '*key*' -o -name '*.pem' \\) ! -name '*.pub' ! -path '*authorized*'")
  )
    .trim()
    .split("\n");
  const secrets: KnownSecret[] = [];
  for (const file of files.filter((name) => name !== "")) {
    const { bytes } = await vm.shell.run(`cat '${file}'`);
    secrets.push(...secretsIn(file, bytes));
  }
  return secrets;
}

/** Everything that is written down while a node boots; each a script whose output is searched. */
const PLACES: Readonly<Record<string, string>> = {
  "the journal": "journalctl -b -a -o export",
  "the kernel log": "dmesg",
  "the record of the boots": "tar -cf - --ignore-failed-read /run/guestos-boot /var/lib/guestos-boot /run/node_exporter 2>/dev/null",
  "command lines and environments of processes": "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null",
  "core files":
    "find / -xdev \\( -path '/var/lib/systemd/coredump/*' -o -name 'core' -o -name 'core.[0-9]*' \\) -type f -exec cat {} + ; cat /var/lib/systemd/coredump/* 2>/dev/null",
};

/** Where which secret was found. The search is made on the host: the guest never sees what is searched for. */
async function leaks(vm: VirtualMachine, secrets: readonly KnownSecret[]): Promise<readonly string[]> {
  const found: string[] = [];
  const search = (place: string, haystack: Buffer): void => {
    for (const name of namesFound(secrets, haystack)) found.push(`${name} in ${place}`);
  };
  search("the serial log", Buffer.from(printable(vm.serial.text)));
  for (const [place, script] of Object.entries(PLACES)) {
    const { bytes } = await vm.shell.run(`{ ${script}; } | gzip -1`, { timeout: 300_000 });
    search(place, gunzipSync(bytes));
  }
  return [...new Set(found)];
}
