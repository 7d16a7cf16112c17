import { mkdir, rm } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { dirname } from "node:path";
import { stateFolder } from "../../../image/paths.ts";
import { makeDisk } from "../../../lab/disk.ts";
import { image } from "../../../image/paths.ts";
import type { DiskAttachment, DiskInterface, Medium } from "../../../lab/qemu-command.ts";
import { tool } from "../../../lab/tool.ts";
import { startVirtualMachine } from "../../../lab/start-virtual-machine.ts";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";
import { type RunDocument, runDocument } from "./chain.ts";
import { isRecorded, keepReplay } from "./keep-replay.ts";
import { BOOT_TIMEOUT, diskOf, kernelBoot, type SharedNode, sharedNode } from "./node.ts";

export interface WorkbenchOptions {
  /** Unique among all tests: it names the state folder. */
  readonly name: string;
  readonly diskInterface: DiskInterface;
  readonly extraDisks?: readonly DiskAttachment[];
  readonly media?: readonly Medium[];
  /** Brings the machine into the state in which every piece finds it. */
  readonly prepare: (vm: VirtualMachine) => Promise<void>;
}

/** systemd goes as far as sysinit.target (which wants the lab shell), and the boot chain does not run by itself. */
const MASKED = [
  "systemd.unit=sysinit.target",
  ...["guestos-boot.service", "guestos-boot-late.service", "guestos-boot.target"].map((unit) => `systemd.mask=${unit}`),
];

/** A machine with a new disk of the image, on which nothing has been done: tests run the chain's units one by one. */
export function workbench({ name, diskInterface, extraDisks = [], media = [], prepare }: WorkbenchOptions): SharedNode {
  return sharedNode(async () => {
    const disk = { path: await makeDisk({ backing: image.disk, path: diskOf(name), size: "8G" }), interface: diskInterface };
    const boot = await kernelBoot(MASKED);
    const vm = await startVirtualMachine({ name, disk, boot, extraDisks, media, network: false });
    try {
      await vm.shell.bootId({ readyTimeout: BOOT_TIMEOUT });
      // The unit's own order: udev has seen all devices, and /tmp and /run/lock are what they will stay.
      await vm.shell.ok("systemctl start tmp.mount run-lock.mount systemd-udev-trigger.service && udevadm settle", {
        timeout: BOOT_TIMEOUT,
      });
      await prepare(vm);
      return vm;
    } catch (error) {
      await vm.powerCut();
      throw error;
    }
  });
}

/** An empty disk of its own. @returns its path */
export async function blankDisk(name: string, size: string): Promise<string> {
  const path = `${stateFolder(name)}/blank-${size}.qcow2`;
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  await tool("qemu-img", ["create", "-q", "-f", "qcow2", path, size]);
  return path;
}

/** A run of the program in the guest, as one of several in a script. */
export interface Step {
  /** Unique in the script. */
  readonly name: string;
  /** What is done before it, and is not watched. Must succeed. */
  readonly before?: string;
  /** Of guestos-boot, without --json. */
  readonly args: string;
  /** What is kept of it as it is recorded: the plans of a unit, by the fixture's name. */
  readonly fixtures?: readonly { readonly name: string; readonly unit: string }[];
}

export interface StepResult {
  readonly status: number;
  /** Whether anything was written to a watched device, anywhere on it. */
  readonly wroteDevice: boolean;
  /** Whether the config partition holds anything else than before. */
  readonly wroteConfig: boolean;
  readonly document: RunDocument;
}

export interface Watch {
  /** Paths of block devices on which the kernel's count of writes and discards is compared. */
  readonly devices?: readonly string[];
  /** Before the first and after the last step; the latter also where a step failed. */
  readonly first?: string;
  readonly last?: string;
}

/**
 * Runs several steps in one script: starting a program costs an emulated guest more than what it does.
 *
 * The kernel counts what reaches a block device, partition by partition, so "not a byte was written" needs no reading.
 */
export async function runSteps(
  vm: VirtualMachine,
  steps: readonly Step[],
  { devices = [], first = "", last = "" }: Watch = {},
): Promise<ReadonlyMap<string, StepResult>> {
  const script = [
    "set -euo pipefail",
    isRecorded ? "export GUESTOS_OBSERVE=1" : "",
    `watched=(); for device in ${devices.join(" ")}; do device=$(readlink -f "$device"); watched+=("\${device##*/}"); done`,
    STATE,
    `finish() { set +e; ${last === "" ? ":" : last}\n}; trap finish EXIT`,
    first,
    ...steps.flatMap(({ name, before = "", args }) => [before, `step '${name}' ${args}`]),
  ].join("\n");
  const output = await vm.shell.ok(script, { timeout: BOOT_TIMEOUT });
  const results = new Map<string, StepResult>();
  for (const part of output.split("\x1e").slice(1)) {
    const [name = "", status, device, config, stdout = "", stderr = "", observed = ""] = part.split("\x1f");
    const { fixtures = [] } = steps.find((step) => step.name === name) ?? {};
    if (isRecorded)
      for (const fixture of fixtures) keepReplay(fixture.name, fixture.unit, gunzipSync(Buffer.from(observed, "base64")).toString());
    const document = runDocument({ status: Number(status), stdout, stderr, bytes: Buffer.from(stdout) });
    results.set(name, { status: Number(status), wroteDevice: device !== "same", wroteConfig: config !== "same", document });
  }
  return results;
}

/** stat's fields 5, 7, 12 and 14: writes, sectors written, discards, sectors discarded (Documentation/block/stat.rst). */
const STATE = `
devices() {
  local name fields
  for name in "\${watched[@]}"; do
    read -ra fields <"/sys/class/block/$name/stat"
    printf '%s ' "$name" "\${fields[4]}" "\${fields[6]}" "\${fields[11]}" "\${fields[13]}"
  done
}
config() {
  local file content
  for file in /boot/config/* /boot/config/*/*; do
    printf '%s\n' "$file"
    [[ -f $file ]] || continue
    mapfile -d '' -t content <"$file"
    printf '%s:' "$file" "\${content[@]@Q}"
  done
}
step() {
  local name=$1 status=0 devices config
  shift
  sync
  devices=$(devices) config=$(config)
  rm -f /run/guestos-boot/observed.jsonl
  guestos-boot "$@" --json >/run/step.out 2>/run/step.err || status=$?
  [[ $devices == "$(devices)" ]] && devices=same || devices=other
  [[ $config == "$(config)" ]] && config=same || config=other
  printf '\\x1e%s\\x1f%s\\x1f%s\\x1f%s\\x1f%s\\x1f%s\\x1f%s' "$name" "$status" "$devices" "$config" "$(</run/step.out)" "$(</run/step.err)" \
    "$([[ -z \${GUESTOS_OBSERVE-} ]] || gzip --stdout /run/guestos-boot/observed.jsonl | base64 --wrap=0)"
}
`;
