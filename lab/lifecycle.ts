/**
 * `make lifecycle`: from a stick to a running node. Boots the stick of the lab against empty drives, installs, starts the machine again from its
 * drives alone, and waits until HostOS runs its guest. Ends with a table.
 *
 * DRIVES=2 says on how many drives. Exit status: 0 when everything ended well.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { imageOf, stateFolder } from "../image/paths.ts";
import { deadlineIn, pause, systemClock } from "../src/base/clock.ts";
import * as z from "../src/base/schema.ts";
import { findAccelerator } from "./accelerator.ts";
import { bootReport, bootTable, consoleEvents, hasEnded, hasSucceeded } from "./console.ts";
import { makeDisk } from "./disk.ts";
import { withPanicRetry } from "./panic-retry.ts";
import { program } from "./program.ts";
import type { DiskAttachment } from "./qemu-command.ts";
import { startVirtualMachine } from "./start-virtual-machine.ts";
import { tool } from "./tool.ts";
import type { VirtualMachine } from "./virtual-machine.ts";

const NAME = "lifecycle";
const TIMEOUT = 1_200_000;
/** Bytes that show as T, of files that take what is written. */
const DRIVE = String(2 * 1024 ** 4);

interface Stage {
  readonly name: string;
  readonly seconds: number;
  readonly isWell: boolean;
  readonly says: string;
}

const folder = stateFolder(NAME);

async function main(): Promise<number> {
  console.log((await findAccelerator()).text);
  await mkdir(folder, { recursive: true });
  const drives = await emptyDrives(Number(process.env["DRIVES"] ?? 2));
  const stages: Stage[] = [];
  for (const [name, stage] of [
    ["the stick installs", async () => install(drives)],
    ["the node and its guest start", async () => startNode(drives)],
  ] as const) {
    const start = systemClock.now();
    const { isWell, says } = await withPanicRetry(stage);
    stages.push({ name, isWell, says, seconds: systemClock.now() - start });
    if (!isWell) break;
  }
  console.log(
    `\n${stages.map(({ name, isWell, says, seconds }) => `${name.padEnd(28)} ${isWell ? "well  " : "failed"} ${seconds.toFixed(0).padStart(5)} s  ${says}`).join("\n")}`,
  );
  return stages.length === 2 && stages.every(({ isWell }) => isWell) ? 0 : 1;
}

async function emptyDrives(count: number): Promise<readonly DiskAttachment[]> {
  const drives = Array.from({ length: count }, (_, index) => ({ path: join(folder, `drive${index}.qcow2`), serial: `LAB${index}` }));
  for (const { path } of drives) {
    await rm(path, { force: true });
    await tool("qemu-img", ["create", "-q", "-f", "qcow2", path, DRIVE]);
  }
  return drives;
}

interface Ended {
  readonly isWell: boolean;
  readonly says: string;
}

async function install(drives: readonly DiskAttachment[]): Promise<Ended> {
  const stick = await makeDisk({ backing: imageOf("setupos").disk, path: join(folder, "stick.qcow2") });
  await using vm = await startVirtualMachine({
    name: NAME,
    disk: { path: stick, interface: "scsi", serial: "STICK" },
    extraDisks: drives,
    memory: 2048,
  });
  return await untilEnded(vm);
}

async function startNode([system, ...others]: readonly DiskAttachment[]): Promise<Ended> {
  if (system === undefined) return { isWell: false, says: "no drive" };
  await using vm = await startVirtualMachine({ name: NAME, disk: system, extraDisks: others, memory: 3072 });
  const ended = await untilEnded(vm);
  if (!ended.isWell) return ended;
  const left = deadlineIn(TIMEOUT);
  for (;;) {
    const { stdout } = await vm.shell.run("guestos-boot guest --json", { timeout: 120_000 });
    const { machine, service } = Guest.parse(JSON.parse(stdout));
    const boot = service?.boot ?? "has not said how its boot went";
    const says = `its guest is ${machine.state}, and its system ${boot}`;
    if (machine.state === "running" && boot === "success") return { isWell: true, says: `${ended.says}; ${says}` };
    if (left() === 0) return { isWell: false, says };
    await pause(systemClock, 5000);
  }
}

/** There is no account of the service before its supervisor has looked at the guest. */
const Guest = z.object({
  machine: z.object({ state: z.string() }),
  service: z.exactOptional(z.object({ boot: z.exactOptional(z.string()) })),
});

/** Shows the table of the chain, once it has ended. */
async function untilEnded(vm: VirtualMachine): Promise<Ended> {
  const report = await vm.waitFor("the boot chain to end", TIMEOUT, () => {
    const found = bootReport(consoleEvents(vm.serial.text));
    return hasEnded(found) ? found : undefined;
  });
  console.log(`\n${bootTable(report).join("\n")}\n`);
  return { isWell: hasSucceeded(report), says: `${report.units.length} units` };
}

await program(main);
