import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, globSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { namespaceRoot } from "../../support/namespace.ts";

/** What ic-replica may do as root: sudo itself, on the image's files. The programs only say what they were called as. */

const SUDOERS = globSync("etc/*/sudoers.d/*");
const HASH = "a".repeat(64);
const REPLICA = "802";
const NAMES = ["manageboot.sh", "provision-ssh-keys.sh", "guestos_tool"];
const [MANAGEBOOT, KEYS, TOOL] = NAMES.map((name) => `/opt/ic/bin/${name}`);
const IPV4 = ["--ipv4-address=192.0.2.17", "--ipv4-prefix-length=24", "--ipv4-gateway=192.0.2.1"];

beforeAll(() => {
  const root = namespaceRoot();
  const etc = join(root, "etc");
  // Links of /etc lead out of it, and sudo needs none of them.
  cpSync("/etc", etc, { recursive: true, verbatimSymlinks: true });
  rmSync(join(etc, "sudoers.d"), { recursive: true, force: true });
  mkdirSync(join(etc, "sudoers.d"));
  for (const file of SUDOERS) {
    writeFileSync(join(etc, "sudoers.d", basename(file)), readFileSync(file));
    chmodSync(join(etc, "sudoers.d", basename(file)), 0o440);
  }
  const account = (file: string, line: string): void => writeFileSync(join(etc, file), `${readFileSync(join(etc, file), "utf8")}${line}\n`);
  account("passwd", `ic-replica:x:${REPLICA}:${REPLICA}::/nonexistent:/usr/sbin/nologin`);
  account("group", `ic-replica:x:${REPLICA}:`);
  account("shadow", "ic-replica:*:19000::::::");
  mount("--bind", etc, "/etc");
  mkdirSync("/opt", { recursive: true });
  mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/opt");
  mkdirSync("/opt/ic/bin", { recursive: true });
  for (const name of NAMES) writeFileSync(join("/opt/ic/bin", name), `#!/bin/sh\necho "$(id -un):" "$0" "$@"\n`, { mode: 0o755 });
});

afterAll(() => {
  for (const folder of ["/opt", "/etc"]) spawnSync("umount", [folder]);
});

function mount(...args: readonly string[]): void {
  const { status, stderr } = spawnSync("mount", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}

function asReplica(...command: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync("setpriv", ["--reuid", REPLICA, "--regid", REPLICA, "--clear-groups", ...command], { encoding: "utf8", input: "" });
}

test("visudo takes every file", () => {
  expect(SUDOERS.length).toBeGreaterThan(1);
  for (const file of SUDOERS) expect(spawnSync("visudo", ["--check", "--file", file]).status, file).toBe(0);
});

const ALLOWED: readonly (readonly (string | undefined)[])[] = [
  ...["confirm", "upgrade-commit", "current", "target", "next", "current_partition", "target_partition"].map((verb) => [
    MANAGEBOOT,
    "guestos",
    verb,
  ]),
  [MANAGEBOOT, "guestos", "upgrade-install", "/var/lib/ic/data/images/guest-os/image.tar.zst"],
  [MANAGEBOOT, "guestos", "upgrade-install", `--sha256=${HASH}`, "/var/lib/ic/data/images/image.tar.zst"],
  [MANAGEBOOT, "guestos", "upgrade-install", "/var/lib/ic/data/images/image.tar.zst", "--sha256", HASH],
  [MANAGEBOOT, "guestos", "upgrade-install", "/var/lib/ic/data/images/image.tar.zst", "--allow-downgrade"],
  ...["readonly", "backup", "recovery"].map((account) => [KEYS, account]),
  [TOOL, "regenerate-network-config", ...IPV4],
  [TOOL, "regenerate-network-config"],
];

const REFUSED: readonly (readonly (string | undefined)[])[] = [
  [MANAGEBOOT],
  [MANAGEBOOT, "confirm"],
  [MANAGEBOOT, "hostos", "confirm"],
  [MANAGEBOOT, "guestos", "rollback"],
  [MANAGEBOOT, "guestos", "confirm", "--json"],
  [MANAGEBOOT, "guestos", "confirm\nrun"],
  [MANAGEBOOT, "-f", "/etc/shadow", "guestos", "confirm"],
  [MANAGEBOOT, "guestos", "upgrade-install"],
  [MANAGEBOOT, "guestos", "upgrade-install", "https://example.org/image.tar"],
  [MANAGEBOOT, "guestos", "upgrade-install", "--header-file", "/root/headers", "/image.tar"],
  [MANAGEBOOT, "guestos", "upgrade-install", "/image.tar", "--header-file=/root/headers"],
  [MANAGEBOOT, "guestos", "upgrade-install", "/image.tar", "--insecure"],
  [MANAGEBOOT, "guestos", "upgrade-install", "--sha256=abc", "/image.tar"],
  [MANAGEBOOT, "guestos", "upgrade-install", "/a b"],
  [MANAGEBOOT, "guestos", "upgrade-install", "-"],
  ...["admin", "root", "", "../admin", "readonly admin", "readonly\n", "ic-replica"].map((account) => [KEYS, account]),
  [KEYS],
  [TOOL],
  [TOOL, "run"],
  [TOOL, "regenerate-network-config", IPV4[0]],
  [TOOL, "regenerate-network-config", ...IPV4, "--json"],
  [TOOL, "regenerate-network-config", "--ipv4-address=::1", ...IPV4.slice(1)],
  ["/usr/bin/guestos-boot", "upgrade", "commit"],
  ["/bin/sh", "-c", "id"],
  ["/usr/sbin/nft", "--json", "--file", "-"],
];

const words = (command: readonly (string | undefined)[]): readonly string[] => command.map((word) => word ?? "");

describe("ic-replica may run, as root and without a password", () => {
  test.each(ALLOWED.map((command) => [words(command).join(" "), words(command)] as const))("%s", (_, command) => {
    expect(asReplica("sudo", "-n", ...command)).toMatchObject({ status: 0, stdout: `root: ${command.join(" ")}\n` });
  });
});

describe("and nothing else", () => {
  test.each(REFUSED.map((command) => [JSON.stringify(words(command)), words(command)] as const))("%s", (_, command) => {
    const { status, stdout, stderr } = asReplica("sudo", "-n", ...command);
    expect([status, stdout, stderr.trim()]).toEqual([1, "", "sudo: a password is required"]);
  });
});

test("the rules are ic-replica's alone", () => {
  const other = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
  expect(spawnSync("setpriv", [...other, "sudo", "-n", MANAGEBOOT ?? "", "guestos", "current"]).status).toBe(1);
});

test("a name that the orchestrator calls becomes root by itself, with the same words", () => {
  // As the links of an image: the program has the name that was typed.
  const program = join(namespaceRoot(), "provision-ssh-keys.sh");
  symlinkSync(process.execPath, program);
  const called = asReplica(program, resolve("src/cli/main.ts"), "readonly");
  expect(called, called.stderr).toMatchObject({ status: 0, stdout: `root: ${KEYS} readonly\n` });
});
