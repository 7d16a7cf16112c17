import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { namespaceRoot } from "../../support/namespace.ts";

const main = join(import.meta.dirname, "../../../src/cli/main.ts");

function configImage(
  root: string,
  ...args: readonly string[]
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, [main, "config-image", ...args], { cwd: root, encoding: "utf8" });
}

test("a folder and single files give the same medium for the same input", () => {
  const root = namespaceRoot();
  mkdirSync(join(root, "node7"));
  writeFileSync(join(root, "node7/network.conf"), "hostname=node7\n");
  const one = configImage(root, "--out", "one.img", "node7");
  expect(one).toMatchObject({ status: 0, stderr: "" });
  expect(one.stdout).toMatch(/^network\.conf\none\.img: ic-bootstrap\.tar has sha256 [0-9a-f]{64}\n$/);
  const two = configImage(root, "--json", "--out", "two.img", "--network-conf", "node7/network.conf");
  expect(JSON.parse(two.stdout)).toMatchObject({ out: "two.img", config: ["network.conf"], data: [], warnings: [] });
  expect(readFileSync(join(root, "one.img")).equals(readFileSync(join(root, "two.img")))).toBe(true);
});

test("a bad value is refused with 12, by file, line and column, and nothing is written", () => {
  const root = namespaceRoot();
  writeFileSync(join(root, "network.conf"), "hostname=node7\nipv4_address=banana\n");
  const { status, stderr } = configImage(root, "--out", "one.img", "--network-conf", "network.conf");
  expect(status).toBe(12);
  expect(stderr).toContain("network.conf:2:14");
  expect(existsSync(join(root, "one.img"))).toBe(false);
});

test("a folder with nothing in it for a node is refused with 12, in either profile, and nothing is written", () => {
  const root = namespaceRoot();
  mkdirSync(join(root, "empty"));
  mkdirSync(join(root, "blank"));
  for (const name of ["network.conf", "nns.conf"]) writeFileSync(join(root, "blank", name), "\n");
  for (const folder of ["empty", "blank"]) {
    for (const [profile, known] of [
      ["guestos", "ic_crypto"],
      ["boundary", "bn_vars.conf"],
    ] as const) {
      const { status, stderr } = configImage(root, "--profile", profile, "--out", "one.img", folder);
      expect(status).toBe(12);
      expect(stderr.replaceAll(/\s+/g, " ")).toMatch(
        new RegExp(`there is no configuration in the tar .*expected at least one of .*${known}`),
      );
      expect(existsSync(join(root, "one.img"))).toBe(false);
    }
  }
});

test("without --out, or with nothing to put on it, it is wrong usage", () => {
  const root = namespaceRoot();
  expect(configImage(root, "node7")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("required option '--out <file>' not specified") as string,
  });
  expect(configImage(root, "--out", "one.img")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("there is nothing to put on the medium") as string,
  });
});

test("its help names every file that may lie in the tar", () => {
  const { stdout } = configImage(namespaceRoot(), "--help");
  for (const option of ["--network-conf", "--accounts-ssh-authorized-keys", "--node-operator-private-key-pem", "--ic-crypto"])
    expect(stdout).toContain(option);
});
