import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { probe } from "../../../lab/accelerator.ts";
import { diskFacts, makeDisk } from "../../../lab/disk.ts";
import { stateFolder } from "../../../image/paths.ts";
import { MachineEndedError, MachineTimeoutError } from "../../../lab/problems.ts";
import type { DiskInterface } from "../../../lab/qemu-command.ts";
import { startVirtualMachine } from "../../../lab/start-virtual-machine.ts";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";

const NAME = "lab-test";
let folder: string;
let image: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lab-test-"));
  image = join(folder, "blank.img");
  await writeFile(image, new Uint8Array(1024 * 1024));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
  await rm(stateFolder(NAME), { recursive: true, force: true });
});

/** A machine with nothing to boot: the firmware searches forever. */
async function idleMachine(diskInterface: DiskInterface = "virtio"): Promise<VirtualMachine> {
  const path = await makeDisk({ backing: image, path: join(folder, "disk.qcow2"), size: "64M" });
  return startVirtualMachine({ name: NAME, disk: { path, interface: diskInterface }, memory: 128, labShell: false });
}

test("an accelerator that runs a boot sector is told from one that does not", async () => {
  expect(await probe(["-accel", "tcg"], folder)).toBeNull();
  expect(await probe(["-accel", "nonsense"], folder)).toMatch(/nonsense/);
});

test("a disk is made from an image, larger than that, by reference or as a copy", async () => {
  const overlay = await makeDisk({ backing: image, path: join(folder, "a.qcow2"), size: "64M" });
  expect(await diskFacts(overlay)).toEqual({ format: "qcow2", bytes: 64 * 1024 * 1024 });
  const copy = await makeDisk({ backing: image, path: join(folder, "b.qcow2"), size: "64M", copy: true });
  await rm(image);
  expect(await diskFacts(copy)).toEqual({ format: "qcow2", bytes: 64 * 1024 * 1024 });
});

test.for<DiskInterface>(["virtio", "nvme", "scsi"])(
  "a machine with a %s disk starts, takes a medium while it runs, gives it back, and dies of a power cut",
  async (kind) => {
    await using vm = await idleMachine(kind);
    await vm.plug({ id: "late", image });
    expect(JSON.stringify(await vm.qmp("query-block"))).toContain("late");
    await vm.unplug({ id: "late" });
    expect(JSON.stringify(await vm.qmp("query-block"))).not.toContain("late");
    await vm.powerCut();
    expect(await vm.ended).toBe("ended by SIGKILL");
    expect(vm.failure).toBeInstanceOf(MachineEndedError);
  },
);

test("waiting for words that do not come ends in time, and shows the log", async () => {
  await using vm = await idleMachine();
  await expect(vm.waitForSerial(/never said/, { timeout: 200 })).rejects.toThrow(MachineTimeoutError);
});

test("every waiting caller is told at once when the machine ends", async () => {
  await using vm = await idleMachine();
  const waits = [vm.waitForSerial(/never said/), vm.shell.run("true"), vm.shell.bootId()];
  const ended = Promise.all(waits.map((wait) => expect(wait).rejects.toThrow(MachineEndedError)));
  await vm.powerCut();
  await ended;
  await expect(vm.shell.run("true")).rejects.toThrow(MachineEndedError);
});

test("a machine that does not start says why, in QEMU's words", async () => {
  const start = startVirtualMachine({ name: NAME, disk: { path: join(folder, "missing.qcow2") }, memory: 128 });
  await expect(start).rejects.toThrow(/missing\.qcow2/);
});

test("a machine does not outlive its owner, even one that is killed", async () => {
  const path = await makeDisk({ backing: image, path: join(folder, "disk.qcow2") });
  const machine = join(import.meta.dirname, "../../../lab/start-virtual-machine.ts");
  const script = `const { startVirtualMachine } = await import(${JSON.stringify(machine)});
    const vm = await startVirtualMachine({ name: ${JSON.stringify(NAME)}, disk: { path: ${JSON.stringify(path)} }, memory: 128 });
    console.log(vm.pid);
    setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(owner.stdout, "data")) as [Buffer];
  const pid = Number(line.toString());
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  owner.kill("SIGKILL");
  await once(owner, "exit");
  await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 10_000 }).toBe(false);
});
