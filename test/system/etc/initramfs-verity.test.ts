import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { kernelArguments, partitionsOf } from "../../../image/layout.ts";

/**
 * What the initramfs makes of a kernel's command line: whether it opens a verified root, mounts it as it is, or restarts the machine.
 * test/vm boots with it; here are the lines that no image of ours has. The parts of initramfs-tools and the programs only say how they were
 * called: a kernel with device-mapper is what a build machine may not have.
 */

const SCRIPT = resolve("etc/common/initramfs-tools/scripts/local-premount/guestos-verity");
const hash = "0123456789abcdef".repeat(4);
const folder = mkdtempSync(join(tmpdir(), "guestos-verity-"));
afterAll(() => rmSync(folder, { recursive: true }));

const scripts = join(folder, "scripts");
mkdirSync(join(scripts, "bin"), { recursive: true });
writeFileSync(join(scripts, "functions"), 'panic() { echo "panic: $*"; exit 1; }\n');
writeFileSync(join(scripts, "local"), 'local_device_setup() { [ "$1" = "$ROOT" ] && DEV=/dev/vda5; }\n');
for (const name of ["modprobe", "dmsetup"])
  writeFileSync(join(scripts, "bin", name), `#!/bin/sh\necho "${name} $*"\n[ ! -e /conf/fails-${name} ]\n`, { mode: 0o755 });

function booted(cmdline: string, fails?: "modprobe" | "dmsetup"): { readonly said: string; readonly conf: string } {
  const [line, conf] = [join(folder, "cmdline"), join(folder, "conf")];
  rmSync(conf, { recursive: true, force: true });
  mkdirSync(conf);
  writeFileSync(join(conf, "param.conf"), "BEFORE=kept\n");
  if (fails !== undefined) writeFileSync(join(conf, `fails-${fails}`), "");
  writeFileSync(line, `${cmdline}\n`);
  const { stdout, stderr } = spawnSync(
    "bwrap",
    [
      ...["--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"],
      ...["--dir", "/proc", "--ro-bind", line, "/proc/cmdline", "--ro-bind", scripts, "/scripts", "--bind", conf, "/conf"],
      ...[
        "--ro-bind",
        SCRIPT,
        "/script",
        "--clearenv",
        "--setenv",
        "PATH",
        "/scripts/bin:/usr/bin",
        "--setenv",
        "ROOT",
        "PARTUUID=7c0a626e",
      ],
      ...["sh", "/script"],
    ],
    { encoding: "utf8" },
  );
  expect(stderr).toBe("");
  return { said: stdout, conf: readFileSync(join(conf, "param.conf"), "utf8") };
}

test("the line of an image opens its root, with all that the kernel needs, and the root is then the mapping", () => {
  const offset = 1_325_400_064;
  const { said, conf } = booted(kernelArguments("A", partitionsOf("lab"), { hash, offset }));
  const table = `0 2588672 verity 1 /dev/vda5 /dev/vda5 4096 4096 323584 323585 sha256 ${hash} -`;
  expect(said.split("\n").at(-2)).toMatch(/^dmsetup create vroot .*--readonly /);
  expect(said.split("\n").at(-2)?.endsWith(`--table ${table}`)).toBe(true);
  expect(said).toContain("modprobe -q dm-verity\n");
  expect(conf).toBe("BEFORE=kept\nROOT=/dev/mapper/vroot\n");
});

test("a root larger than 4 GiB is opened to its end", () => {
  expect(booted(kernelArguments("B", partitionsOf("prod"), { hash, offset: 10_603_200_512 })).said).toContain(
    ` --table 0 20709376 verity 1 /dev/vda5 /dev/vda5 4096 4096 2588672 2588673 sha256 ${hash} -\n`,
  );
});

test("a system on trial panics where a block does not match", () => {
  expect(booted(`ro root_hash=${hash} root_hash_offset=8192 guestos-boot.trial`).said).toContain(
    `sha256 ${hash} - 1 panic_on_corruption\n`,
  );
});

test("the last of a name counts", () => {
  const { said } = booted(`root_hash=x root_hash_offset=4096 root_hash=${hash} root_hash_offset=8192`);
  expect(said).toContain(`0 16 verity 1 /dev/vda5 /dev/vda5 4096 4096 2 3 sha256 ${hash} -\n`);
});

test.each(["ro quiet", `ro xroot_hash=${hash}`, "root_hash_offset=8192", ""])("without a hash the root stays as it is: %j", (line) => {
  expect(booted(line)).toEqual({ said: "", conf: "BEFORE=kept\n" });
});

test.each([
  "root_hash=",
  "root_hash=none",
  "root_hash=ROOT_HASH root_hash_offset=8192",
  `root_hash=${hash}`,
  `root_hash=${hash}0 root_hash_offset=8192`,
  `root_hash=${hash.slice(1)} root_hash_offset=8192`,
  `root_hash=${hash.toUpperCase()} root_hash_offset=8192`,
  `root_hash=${hash.slice(1)}/ root_hash_offset=8192`,
  "root_hash=4abcde root_hash_offset=8192",
  `root_hash=* root_hash_offset=8192`,
  `root_hash=${hash} root_hash_offset=`,
  `root_hash=${hash} root_hash_offset=0`,
  `root_hash=${hash} root_hash_offset=-8192`,
  `root_hash=${hash} root_hash_offset=08192`,
  `root_hash=${hash} root_hash_offset=8192x`,
  `root_hash=${hash} root_hash_offset=8193`,
  `root_hash=${hash} root_hash_offset=*`,
  `root_hash=${hash} root_hash_offset=8192 root_hash=`,
])("what is wrong with a hash restarts the machine, and mounts nothing: %s", (line) => {
  const { said, conf } = booted(line);
  expect(said).toMatch(/^panic: guestos: root_hash/);
  expect(said).not.toContain("dmsetup");
  expect(conf).toBe("BEFORE=kept\n");
});

test("a mapping that cannot be made restarts the machine; a module that is built in, or not there, does not", () => {
  const line = `root_hash=${hash} root_hash_offset=8192`;
  const { said, conf } = booted(line, "dmsetup");
  expect(said).toMatch(/\npanic: guestos: the root cannot be opened by dm-verity/);
  expect(conf).toBe("BEFORE=kept\n");
  expect(booted(line, "modprobe").conf).toContain("ROOT=/dev/mapper/vroot");
});
