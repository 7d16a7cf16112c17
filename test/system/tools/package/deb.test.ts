import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { manual } from "../../../../tools/man/manual.ts";
import { copyrightOf } from "../../../../tools/package/copyright.ts";
import { buildDeb, buildTarball } from "../../../../tools/package/deb.ts";

const folder = mkdtempSync(join(tmpdir(), "package-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DATE = 1_767_225_600;

/** What a build leaves, with a program that only knows its version. */
const dist = join(folder, "dist");
mkdirSync(join(dist, "man"), { recursive: true });
writeFileSync(join(dist, "guestos-boot"), '#!/bin/sh\necho "guestos-boot 1.2.3+abc"\n');
chmodSync(join(dist, "guestos-boot"), 0o755);
for (const [name, text] of manual({ version: "1.2.3", date: "2026-01-01" })) writeFileSync(join(dist, "man", name), text);
writeFileSync(join(dist, "sbom.cdx.json"), "{}\n");
writeFileSync(join(dist, "copyright"), copyrightOf([]));

function made(name: string): string {
  mkdirSync(join(folder, name));
  return join(folder, name);
}

const deb = buildDeb({ folder: made("one"), dist, date: DATE });

function dpkgDeb(...args: readonly string[]): string {
  return execFileSync("dpkg-deb", [...args], { encoding: "utf8" });
}

/** Mode, owner and name of each file, links with where they point. */
const contents = dpkgDeb("--contents", deb.file)
  .trim()
  .split("\n")
  .map((line) => line.replace(/^(\S+) (\S+)\s.* \.\/(.*)$/, "$1 $2 $3"));

test("lintian finds nothing wrong", () => {
  const { stdout, status } = spawnSync("lintian", ["--allow-root", "--tag-display-limit", "0", deb.file], { encoding: "utf8" });
  expect(stdout).toBe("");
  expect(status).toBe(0);
});

test("the same inputs give the same bytes, also under another umask", () => {
  const before = process.umask(0o077);
  try {
    const again = buildDeb({ folder: made("two"), dist, date: DATE });
    expect(readFileSync(again.file).equals(readFileSync(deb.file))).toBe(true);
    const [first, second] = ["three", "four"].map((name) => buildTarball({ folder: made(name), dist, date: DATE }));
    expect(readFileSync(first?.file ?? "").equals(readFileSync(second?.file ?? ""))).toBe(true);
  } finally {
    process.umask(before);
  }
});

test("it has the program, the units, the manual and the completions in the places where they are expected", () => {
  expect(contents).toEqual(
    expect.arrayContaining([
      "-rwxr-xr-x root/root usr/bin/guestos-boot",
      "lrwxrwxrwx root/root usr/bin/manageboot -> guestos-boot",
      "-rw-r--r-- root/root usr/lib/systemd/system/guestos-boot.service",
      // sudo(8): not writable by anyone but root, and by default of just this mode.
      "-r--r----- root/root etc/sudoers.d/guestos",
      "-rw-r--r-- root/root usr/share/man/man8/guestos-boot.8.gz",
      "-rw-r--r-- root/root usr/share/man/man8/manageboot.8.gz",
      "-rw-r--r-- root/root usr/share/man/man5/guestos-config.5.gz",
      "-rw-r--r-- root/root usr/share/man/man5/guestos-boot.conf.5.gz",
      "-rw-r--r-- root/root usr/share/bash-completion/completions/guestos-boot",
      "lrwxrwxrwx root/root usr/share/bash-completion/completions/manageboot -> guestos-boot",
      "-rw-r--r-- root/root usr/share/zsh/vendor-completions/_guestos-boot",
      "-rw-r--r-- root/root usr/share/fish/vendor_completions.d/guestos-boot.fish",
      "-rw-r--r-- root/root usr/share/guestos-boot/sbom.cdx.json",
      "-rw-r--r-- root/root usr/share/guestos-boot/schemas/status.json",
      "-rwxr-xr-x root/root usr/share/initramfs-tools/scripts/local-bottom/guestos-machine-id",
    ]),
  );
});

test("what is below /etc is a conffile, and neither the machine's name nor a preset for all of its units is among it", () => {
  const etc = contents.flatMap((line) => /^-\S+ \S+ (etc\/.*)$/.exec(line)?.[1] ?? []);
  const conffiles = dpkgDeb("--info", deb.file, "conffiles").trim().split("\n");
  expect(conffiles.toSorted()).toEqual(etc.map((name) => `/${name}`).toSorted());
  expect(etc).not.toContain("etc/hostname");
  expect(etc.filter((name) => name.includes("preset"))).toEqual([]);
});

test("of the initramfs it takes part in what fits into any: the other scripts wait where an image of ours finds them", () => {
  const names = contents.flatMap((line) => /^-\S+ \S+ usr\/share\/((?:guestos-boot\/)?initramfs-tools\/.*)$/.exec(line)?.[1] ?? []);
  expect(names.filter((name) => !name.startsWith("guestos-boot/"))).toEqual([
    "initramfs-tools/hooks/guestos-machine-id",
    "initramfs-tools/scripts/local-bottom/guestos-machine-id",
  ]);
  expect(names).toContain("guestos-boot/initramfs-tools/hooks/guestos");
});

test("a boundary node's package is another one, with what that node needs and without what it does not, and lintian finds nothing wrong", () => {
  const { file } = buildDeb({ profile: "boundary", folder: made("boundary"), dist, date: DATE });
  const field = (name: string): readonly string[] => dpkgDeb("--field", file, name).trim().split(", ");
  expect(field("Package")).toEqual(["guestos-boot-boundary"]);
  expect(field("Conflicts")).toEqual(["guestos-boot", "guestos-boot-hostos", "guestos-boot-setupos"]);
  expect(field("Depends")).toEqual(expect.arrayContaining(["dante-server", "nginx", "udev"]));
  expect(field("Depends")).not.toContain("lvm2");
  expect(dpkgDeb("--contents", file)).toMatch(/ \.\/etc\/guestos-boot\/profile\n/);
  expect(spawnSync("lintian", ["--allow-root", "--tag-display-limit", "0", file], { encoding: "utf8" })).toMatchObject({
    stdout: "",
    status: 0,
  });
});

test("installed below a folder, it enables what the image's preset enables of ours, starts nothing, and is gone after a purge", () => {
  const root = made("root");
  for (const name of ["var/lib/dpkg/info", "var/lib/dpkg/updates", "etc", "usr/bin"]) mkdirSync(join(root, name), { recursive: true });
  writeFileSync(join(root, "var/lib/dpkg/status"), "");
  const dpkg = (...args: readonly string[]): void => {
    const all = [`--root=${root}`, "--force-script-chrootless", "--force-depends", "--no-triggers", "--log=/dev/null", ...args];
    const { status, stdout, stderr } = spawnSync("dpkg", all, { encoding: "utf8" });
    expect(status, `${stdout}${stderr}`).toBe(0);
  };
  dpkg("--install", deb.file);
  const preset = readFileSync("etc/common/systemd/system-preset/00-guestos.preset", "utf8");
  const ours = [...preset.matchAll(/^enable (guestos-\S+)$/gm)].map(([, unit = ""]) => unit);
  expect(ours.length).toBeGreaterThan(2);
  const enabled = execFileSync("find", [join(root, "etc/systemd/system"), "-type", "l"], { encoding: "utf8" })
    .trim()
    .split("\n");
  expect(enabled.map((path) => path.split("/").at(-1) ?? "").toSorted()).toEqual(ours.toSorted());
  for (const path of enabled) expect(readlinkSync(path)).toMatch(/^\/(usr\/)?lib\/systemd\/system\//);
  expect(readFileSync(join(root, "etc/passwd"), "utf8")).toMatch(/^ic-replica:x:802:/m);
  dpkg("--purge", "guestos-boot");
  expect(spawnSync("find", [join(root, "etc/systemd"), "-type", "l"], { encoding: "utf8" }).stdout).toBe("");
});
