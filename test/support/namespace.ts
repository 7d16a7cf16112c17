import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { protectTheRest } from "./protect-the-rest.ts";

/**
 * Tests that mount things, or set the host name, must not do it to the machine they run on.
 *
 * As vitest's `globalSetup` this starts the whole test run a second time in a mount and UTS namespace of its own, and ends
 * the first with its exit status: so it does not matter how vitest was called, a test mounts as a unit does, and all that is
 * mounted is gone with the last process. No Node process can move itself into a new mount namespace: all of its threads
 * would have to, at once.
 */
export function setup(): void {
  // In a fresh clone it is not there yet.
  mkdirSync("build", { recursive: true });
  if (inNamespace()) return protectTheRest(WRITABLE);
  // A test starts a program many times: what Node has made of the same sources is kept, for accounts without rights too, by their id.
  mkdirSync(COMPILED, { recursive: true });
  chmodSync(COMPILED, 0o1777);
  const [node, ...args] = process.argv;
  const { status, error } = spawnSync(
    // The inner run must not outlive the outer one, whatever ends that.
    "setpriv",
    [
      "--pdeathsig",
      "KILL",
      "unshare",
      "--mount",
      "--uts",
      "--propagation",
      "private",
      "--",
      node ?? process.execPath,
      ...process.execArgv,
      ...args,
    ],
    { stdio: "inherit", env: { ...process.env, [OUTSIDE]: mountNamespace(), NODE_COMPILE_CACHE: COMPILED } },
  );
  if (error !== undefined) throw error;
  process.exit(status ?? 1);
}

/**
 * What tests may change outside the folders that they make: temporary files, what is built, devices, what is gone with a reboot, and the
 * host name, which is the namespace's own.
 */
const WRITABLE = [
  tmpdir(),
  "/var/tmp",
  ...["build", "node_modules/.vite"].map((name) => resolve(name)),
  "/dev",
  "/run",
  "/proc/sys/kernel/hostname",
];

const COMPILED = resolve("build/cache/compiled");

/** Holds the name of the mount namespace that the run came from. */
const OUTSIDE = "GUESTOS_BOOT_TEST_OUTSIDE";

function mountNamespace(): string {
  return readlinkSync("/proc/self/ns/mnt");
}

function inNamespace(): boolean {
  return process.env[OUTSIDE] !== undefined && process.env[OUTSIDE] !== mountNamespace();
}

/**
 * A new folder with a tmpfs on it: a machine's root for one test, in which it may mount what it likes.
 *
 * @throws Error outside the namespace: the test project lacks this file as its globalSetup
 */
export function namespaceRoot(): string {
  if (!inNamespace()) throw new Error("this test mounts, and must run in a namespace: globalSetup test/support/namespace.ts");
  // One folder outside, always the same and always empty there, holds them all.
  const base = join(tmpdir(), "guestos-boot-test");
  mkdirSync(base, { recursive: true });
  if (!readFileSync("/proc/self/mountinfo", "utf8").includes(` ${base} `)) mountTmpfs(base);
  const root = mkdtempSync(join(base, "machine-"));
  mountTmpfs(root);
  return root;
}

function mountTmpfs(path: string): void {
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", "mode=0755", "tmpfs", path], { encoding: "utf8" });
  if (status !== 0) throw new Error(`cannot mount a tmpfs at ${path}: ${stderr}`);
}
