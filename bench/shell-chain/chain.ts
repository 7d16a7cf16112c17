import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import type { Stage } from "../../src/boot/record/record.ts";
import { profiles } from "../../src/profiles/profiles.ts";
import { stagesOf } from "../../src/run/stages.ts";

/** A step of the shell chain: one script, `steps/NAME.sh`, called as the unit that does the same, in one systemd oneshot. */
export interface Step {
  readonly name: string;
  /** What it waits for, and cannot do without. */
  readonly requires: readonly string[];
  readonly stage: Stage;
}

const scripts = readdirSync(join(import.meta.dirname, "steps")).map((name) => basename(name, ".sh"));
const chain = await profiles.guestos.chain();
const stageOf = stagesOf(chain);

/** Units that no script does the work of: what is measured is then not the same work. */
export const withoutStep: readonly string[] = chain.map(({ name }) => name).filter((name) => !scripts.includes(name));

/** The same work, in the same order, as the units of a GuestOS; systemd runs what is independent side by side. */
export const steps: readonly Step[] = chain
  .filter(({ name }) => scripts.includes(name))
  .map((unit) => ({
    name: unit.name,
    stage: stageOf(unit),
    requires: unit.requires.map(({ name }) => name).filter((other) => scripts.includes(other)),
  }));

/** Name of a step's service, without its suffix. */
export function serviceOf({ name }: Pick<Step, "name">): string {
  return `shell-chain-${name}`;
}

export const TARGET = "shell-chain.target";
/** Both chains run in it, so that what they use is counted alike. */
export const SLICE = "chain.slice";

/** Where it is installed in the image. */
export const FOLDER = "/usr/lib/shell-chain";

/** The ordering is that of the two halves of guestos-boot.service (etc/systemd/system): what it is before, and what waits for the bus. */
const STAGES = {
  early: `DefaultDependencies=no
Wants=systemd-udevd.service systemd-udev-trigger.service tmp.mount run-lock.mount network-pre.target
After=systemd-udevd.service systemd-udev-trigger.service systemd-tmpfiles-setup-dev.service systemd-sysctl.service
After=systemd-journald.socket tmp.mount run-lock.mount
Before=local-fs.target sysinit.target
Before=systemd-journal-flush.service systemd-random-seed.service systemd-pstore.service systemd-update-utmp.service
Before=systemd-tmpfiles-setup.service systemd-machine-id-commit.service systemd-timesyncd.service
Before=network-pre.target systemd-networkd.service systemd-resolved.service systemd-hostnamed.service ssh.service
Conflicts=shutdown.target
Before=shutdown.target`,
  late: `Wants=dbus.socket systemd-networkd.service
After=dbus.socket dbus.service systemd-networkd.service nftables.service`,
} satisfies Record<Stage, string>;

/** Unit files by name. */
export function unitFiles(): ReadonlyMap<string, string> {
  const services = steps.map((step) => [`${serviceOf(step)}.service`, serviceFile(step)] as const);
  const all = steps.map((step) => `${serviceOf(step)}.service`).join(" ");
  const target = `[Unit]\nDescription=Everything that the shell chain does is done\nRequires=${all}\nAfter=${all}\n`;
  const slice =
    "[Unit]\nDescription=Boot chain\nDefaultDependencies=no\n\n[Slice]\nCPUAccounting=yes\nMemoryAccounting=yes\nIOAccounting=yes\n";
  const inSlice = `[Service]\nSlice=${SLICE}\n`;
  return new Map([
    ...services,
    [TARGET, target],
    [SLICE, slice],
    ["guestos-boot.service.d/slice.conf", inSlice],
    ["guestos-boot-late.service.d/slice.conf", inSlice],
  ]);
}

function serviceFile(step: Step): string {
  const before = step.requires.map((name) => `${serviceOf({ name })}.service`).join(" ");
  return `[Unit]
Description=Shell chain: ${step.name}
${before === "" ? "" : `Requires=${before}\nAfter=${before}\n`}${STAGES[step.stage]}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${FOLDER}/${step.name}.sh
TimeoutStartSec=30min
Slice=${SLICE}
`;
}
