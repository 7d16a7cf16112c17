import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ProblemError } from "../src/base/problem.ts";
import { CommandError } from "../src/system/command.ts";
import { emulator } from "./emulator.ts";
import { buildFolder } from "../image/paths.ts";
import { tool } from "./tool.ts";

export interface Accelerator {
  readonly kind: "kvm" | "tcg" | "user-mode";
  /** What QEMU is started with; nothing for a user-mode machine, which does without. */
  readonly args: readonly string[];
  /** One line for the operator: which, and why. */
  readonly text: string;
}

const PROBE_TIMEOUT = 5_000;
/** isa-debug-exit ends QEMU with (value << 1) | 1. */
const PROBE_VALUE = 0x10;
const PROBE_STATUS = (PROBE_VALUE << 1) | 1;

/**
 * KVM when it truly works, else TCG.
 *
 * That /dev/kvm can be opened proves little (nested machines refuse an MSR, or hang), so a boot sector of four
 * instructions is run: only a processor that executes it ends QEMU with the expected status. The answer is kept for
 * this boot of the host.
 *
 * MACHINE_CLOCK=instructions in the environment: an emulated machine in any case, whose clock counts instructions.
 *
 * @param folder where the probe disk and the answer are kept
 */
export async function findAccelerator(folder: string = buildFolder): Promise<Accelerator> {
  if (process.env["MACHINE_CLOCK"] === "instructions") return countedAccelerator;
  const bootId = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  const cache = join(folder, "accelerator.json");
  const known = await readKnown(cache, bootId);
  const failure = known === undefined ? await probe(["-accel", "kvm", "-cpu", "host"], folder) : known.failure;
  if (known === undefined) await writeFile(cache, `${JSON.stringify({ bootId, failure })}\n`);
  return failure === null ? kvm() : emulation(`because KVM does not work here: ${failure}`);
}

function kvm(): Accelerator {
  return { kind: "kvm", args: ["-accel", "kvm", "-cpu", "host"], text: "accelerator: KVM" };
}

/**
 * Emulated, `rep movsb` and `rep stosb` go byte by byte. Where the processor does not call them fast, kernel and C library copy by words:
 * reading a file of 120 MB that is in the page cache takes 0.08 s instead of 0.27.
 */
const EMULATED_PROCESSOR = "max,-erms,-fsrm";

/** @param why it is not KVM, for the line of text */
export function emulation(why: string): Accelerator {
  return {
    kind: "tcg",
    args: ["-accel", "tcg,thread=multi", "-cpu", EMULATED_PROCESSOR],
    text: `accelerator: TCG (emulation, slow), ${why}`,
  };
}

/**
 * A processor that does an instruction in a nanosecond, whatever its emulation takes: what a machine waits for and what it computes are to
 * each other nearly as on a processor of its own, and the same on every host. All processors of such a machine share one thread (QEMU's
 * docs/devel/tcg-icount), so it is one processor that is measured: MACHINE_PROCESSORS=1.
 */
export const countedAccelerator: Accelerator = {
  kind: "tcg",
  args: ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=on", "-cpu", EMULATED_PROCESSOR],
  text: "accelerator: TCG, one nanosecond an instruction",
};

/** No emulator: the guest's programs run on the real processor, and its kernel is a process of the host (lab/user-mode). */
export const userMode: Accelerator = { kind: "user-mode", args: [], text: "accelerator: none, a user-mode Linux" };

/** The machine that a command asks for: "user-mode", or "" for the one that tests have (`undefined`). @throws ProblemError for any other word */
export function machineNamed(wanted: string): Accelerator | undefined {
  if (wanted === "") return undefined;
  if (wanted === userMode.kind) return userMode;
  throw new ProblemError({ code: "test-problem", what: "there is no such machine", found: wanted, expected: userMode.kind });
}

/**
 * Runs the boot sector with these QEMU arguments.
 *
 * @returns `null` when the processor ran it, else what went wrong, in one line
 */
export async function probe(accelerator: readonly string[], folder: string): Promise<string | null> {
  const image = join(folder, "accelerator-probe.img");
  await mkdir(dirname(image), { recursive: true });
  await writeFile(image, bootDisk());
  const machine = ["-machine", "q35", "-m", "64", "-nodefaults", "-display", "none", "-no-reboot"];
  const exit = ["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"];
  const disk = ["-drive", `if=ide,format=raw,snapshot=on,file=${image}`];
  try {
    await tool(emulator(), [...machine, ...accelerator, ...exit, ...disk], { okStatuses: [PROBE_STATUS], timeout: PROBE_TIMEOUT });
    return null;
  } catch (error) {
    if (!(error instanceof CommandError) || error.ending.kind === "not-found") throw error;
    if (error.ending.kind === "timed-out") return `it hung for ${PROBE_TIMEOUT / 1000} s`;
    return error.problem.found ?? error.problem.what;
  }
}

/** `mov al, PROBE_VALUE; out 0xf4, al; hlt; jmp -3`, and the signature that the BIOS expects. */
function bootDisk(): Uint8Array {
  // SeaBIOS does not boot from a disk smaller than a cylinder.
  const disk = new Uint8Array(1024 * 1024);
  disk.set([0xb0, PROBE_VALUE, 0xe6, 0xf4, 0xf4, 0xeb, 0xfd]);
  disk.set([0x55, 0xaa], 510);
  return disk;
}

/** The kept answer, when it is of this boot of the host; a file that cannot be read is no answer. */
async function readKnown(path: string, bootId: string): Promise<{ readonly failure: string | null } | undefined> {
  try {
    const known: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof known !== "object" || known === null || !("bootId" in known) || known.bootId !== bootId) return undefined;
    if (!("failure" in known)) return undefined;
    return known.failure === null || typeof known.failure === "string" ? { failure: known.failure } : undefined;
  } catch {
    return undefined;
  }
}
