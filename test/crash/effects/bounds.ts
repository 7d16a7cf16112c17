/**
 * Units act here for real, as root: what they may touch of the machine that runs the test is its folder, and no more. The host refuses any
 * other path, with a word on what to do; what no inspect a path finds, such as what a tool does, the kernel refuses: in the worker's
 * namespace everything else is read-only.
 */
import { join, resolve } from "node:path";
import { ProblemError } from "../../../src/base/problem.ts";
import { buildFolder } from "../../../image/paths.ts";
import { protectTheRest } from "../../support/protect-the-rest.ts";

/** Files of the kernel that are the worker's own: its UTS namespace has this one. */
const OWN_KERNEL_FILES = ["/proc/sys/kernel/hostname"];
/** Node's compiled sources (coverage.ts). */
const CACHE = join(buildFolder, "cache");
const TODO =
  "take the path from the layout (src/config/layout/layout.ts), which the test moves below a folder; what is a tool's or the kernel's " +
  "belongs in src/system, and a unit that is nothing without it in ELSEWHERE of test/crash/effects/chain.ts";

let root: string | undefined;

/**
 * Where a setting of the kernel (sysctl(8)) is kept: below the machine's folder, but for those that are the worker's own. A setting that
 * no one has written there is what the real kernel has.
 */
export function settingPlace(path: string): string | undefined {
  return root === undefined || !path.startsWith("/proc/sys/") || OWN_KERNEL_FILES.includes(path) ? undefined : join(root, path);
}

/** From then on only what is below that folder may be touched. */
export function stayBelow(folder: string): void {
  root = folder;
}

/** The machine's folder. @throws Error before there is one */
export function machineRoot(): string {
  if (root === undefined) throw new Error("there is no machine yet");
  return root;
}

/** @throws ProblemError for a path that is not the machine's */
export function requireOwn(path: string): void {
  if (root !== undefined && resolve(path).startsWith(`${root}/`)) return;
  if (OWN_KERNEL_FILES.includes(path)) return;
  throw new ProblemError({
    code: "test-would-harm",
    what: `a unit would change ${path} of the machine that runs this test`,
    expected: `a path below ${root ?? "the machine's folder"}`,
    todo: TODO,
  });
}

/** What a tool says when the kernel has refused it (errno(3), EROFS). @throws ProblemError */
export function explainRefusal(error: unknown): never {
  if (error instanceof Error && /read-only file system/i.test(error.message)) {
    throw new ProblemError(
      { code: "test-would-harm", what: "a tool would change the machine that runs this test", found: error.message, todo: TODO },
      { cause: error },
    );
  }
  throw error;
}

/** For the rest of this process, and what it starts. */
export function protectTheMachine(folders: readonly string[]): void {
  protectTheRest([...folders, CACHE, ...OWN_KERNEL_FILES]);
}
