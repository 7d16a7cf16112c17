import { execFileSync } from "node:child_process";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { machineNamed } from "../../lab/accelerator.ts";
import { withPanicRetry } from "../../lab/panic-retry.ts";
import type { VirtualMachine } from "../../lab/virtual-machine.ts";
import { stateFolder } from "../../image/paths.ts";
import { deadlineIn, pause, systemClock } from "../../src/base/clock.ts";
import { BOOT_TIMEOUT } from "../vm/support/node.ts";
import { emptyDrives, newStick, startStick } from "../vm/support/stick.ts";

/**
 * Power cuts spread over an installation: after each, going on ends in the same disk as the installation that was not cut (CUTS=20,
 * MACHINE=user-mode). What a cut leaves is kept while one installation goes on: the machine is held for as long as its drives are copied.
 */

const COUNT = Number(process.env["CUTS"] || "20");
const NAME = "setupos-cuts";
const accelerator = machineNamed(process.env["MACHINE"] ?? "");
const DISKS = accelerator?.kind === "user-mode" ? ["/dev/ubdb", "/dev/ubdc"] : ["/dev/vda", "/dev/vdb"];
/** Only ends what hangs. */
const INSTALLATION = 6 * BOOT_TIMEOUT;
/** Milliseconds between two copies, to begin with. */
const PACE = 1000;

const ENDED = /setup-boot-loader +(?:changed|unchanged|failed|skipped)/;
const BEGUN = /waiting for setup-disk|setup-disk +changed/;

/**
 * What is on the drives after an installation, without what is random: LVM chooses UUIDs for the drives that it takes in, and ext4 counts the
 * mounts of the volume with the configuration.
 */
const STATE = `set -e
  system=${DISKS[0]} other=${DISKS[1]}
  member=$(lsblk --noheadings --list --output PATH $system | sed -n 4p)
  devices="--devices $member,$other"
  sfdisk --dump $system
  dd if=$system bs=512 skip=1024 count=1 status=none | tr -d '\\0'
  dd if=$system bs=1M count=1 status=none | sha256sum
  for part in $(lsblk --noheadings --list --output PATH $system | sed -n 2,3p); do sha256sum <$part; done
  lvs --noheadings --units b --options lv_name,lv_size,seg_size,segtype,stripes,devices $devices hostlvm
  vgchange --quiet --quiet --activate y $devices hostlvm
  for volume in A_boot A_root A_var B_boot B_root B_var; do echo $volume $(sha256sum </dev/hostlvm/$volume); done
  echo guestos $(head -c 2G /dev/hostlvm/guestos | sha256sum) $(tail -c 8M /dev/hostlvm/guestos | sha256sum)
  mkdir -p /run/held && mount -o ro /dev/hostlvm/config /run/held
  cd /run/held && find . -printf '%p %y %m %U:%G %s\\n' | sort && find . -type f -exec sha256sum {} + | sort
  cd / && umount /run/held && vgchange --quiet --quiet --activate n $devices hostlvm`;

const drives = await emptyDrives(NAME, 2, accelerator);
const kept = join(stateFolder(NAME), "kept");

/** Starts the stick, and hands over the machine while it installs. */
async function installing<T>(use: (vm: VirtualMachine) => Promise<T>): Promise<T> {
  return withPanicRetry(async () => {
    // A new one: what is on the stick is no part of what a cut leaves on the drives.
    const vm = await startStick(NAME, await newStick(NAME, accelerator), drives, { accelerator, screen: false });
    try {
      return await use(vm);
    } finally {
      await vm.powerCut();
    }
  });
}

/** Waits for its end, and says what is then on the drives. */
async function stateAtItsEnd(vm: VirtualMachine): Promise<string> {
  const [said] = await vm.waitForSerial(ENDED, { timeout: INSTALLATION });
  expect(said).toMatch(/changed/);
  return vm.shell.ok(STATE, { timeout: INSTALLATION });
}

/** The process of the machine, and all that it has started. */
function processesOf(pid: number): readonly number[] {
  const children = execFileSync("ps", ["-e", "-o", "pid=,ppid="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found = [pid];
  for (const one of found) for (const [child, parent] of children) if (parent === one && child !== undefined) found.push(child);
  return found;
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // A program of the machine that has ended meanwhile.
    }
  }
}

/** Copies the drives while the machine is held: what is on them is what a power cut leaves now. */
async function keep(vm: VirtualMachine, name: string): Promise<string> {
  const folder = join(kept, name);
  await mkdir(folder, { recursive: true });
  const all = processesOf(vm.pid);
  signal(all, "SIGSTOP");
  try {
    for (const { path } of drives) execFileSync("cp", ["--sparse=always", path, folder]);
  } finally {
    signal(all, "SIGCONT");
  }
  return folder;
}

/** Keeps what cuts would leave until the installation ends: so many, evenly spread, and at most twice as many on the way. */
async function keepSpread(vm: VirtualMachine): Promise<readonly string[]> {
  let folders: string[] = [];
  let every = PACE;
  const left = deadlineIn(INSTALLATION);
  await vm.waitForSerial(BEGUN, { timeout: INSTALLATION });
  for (let number = 1; !ENDED.test(vm.serial.text) && left() > 0; number += 1) {
    folders.push(await keep(vm, String(number)));
    if (folders.length >= 2 * COUNT) {
      every *= 2;
      folders = await thinned(folders, (_, index) => index % 2 === 0);
    }
    await pause(systemClock, every);
  }
  const step = folders.length / Math.min(COUNT, folders.length);
  const wanted = new Set(Array.from({ length: Math.min(COUNT, folders.length) }, (_, index) => Math.floor((index + 0.5) * step)));
  return thinned(folders, (_, index) => wanted.has(index));
}

async function thinned(folders: readonly string[], isKept: (folder: string, index: number) => boolean): Promise<string[]> {
  for (const folder of folders.filter((each, index) => !isKept(each, index))) await rm(folder, { recursive: true });
  return folders.filter((each, index) => isKept(each, index));
}

test("going on after a power cut ends in the same disk, wherever it was cut", { timeout: 24 * 3600_000 }, async () => {
  await rm(kept, { recursive: true, force: true });
  let cuts: readonly string[] = [];
  const whole = await installing(async (vm) => {
    cuts = await keepSpread(vm);
    return stateAtItsEnd(vm);
  });
  expect(whole).toContain('"phase":"complete"');
  expect(cuts.length).toBeGreaterThan(0);
  const failures: string[] = [];
  for (const [index, folder] of cuts.entries()) {
    for (const { path } of drives) await rename(join(folder, path.split("/").at(-1) ?? ""), path);
    const { state, log } = await installing(async (vm) => ({ state: await stateAtItsEnd(vm), log: vm.serial.path }));
    const done = [...(await readFile(log, "utf8")).matchAll(/\]: (\S+) +changed/g)].map(([, name]) => name).join(", ");
    console.log(
      `cut ${index + 1} of ${cuts.length}: ${state === whole ? "the same disk" : "ANOTHER DISK"}; done after it: ${done || "nothing"}`,
    );
    if (state !== whole) failures.push(`cut ${index + 1}:\n${state}\n--- without a cut:\n${whole}`);
  }
  await rm(kept, { recursive: true, force: true });
  expect(failures).toEqual([]);
});
