import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inspectBootstrapTar } from "../../../src/medium/bootstrap-tar.ts";
import { guestosMedium } from "../../../src/medium/guestos-medium.ts";
import { buildConfigImage } from "../../../src/medium/config-image.ts";
import { systemHost } from "../../../src/system/host.ts";
import { problemOf } from "../../support/problem-of.ts";
import { pieces } from "../../support/raw-tar.ts";

const host = systemHost({ signal: new AbortController().signal });
let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "config-image-"));
});
afterAll(() => rmSync(root, { recursive: true }));

let count = 0;
function folder(files: Readonly<Record<string, string | Uint8Array>>): string {
  count += 1;
  const path = join(root, `input-${count}`);
  mkdirSync(path);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  return path;
}

function outFile(): string {
  const path = join(root, `out-${(count += 1)}`);
  mkdirSync(path);
  return join(path, "config.img");
}

function tool(program: string, ...args: readonly string[]): { readonly stdout: Buffer; readonly status: number | null } {
  return spawnSync(program, args, { maxBuffer: 1024 ** 3 });
}

const FILES = {
  "network.conf": "hostname=a\n",
  "accounts_ssh_authorized_keys/admin": "# nobody\n",
  "ic_crypto/node/key": "k",
  [`ic_state/${"deep/".repeat(22)}${"n".repeat(120)}`]: "long",
};

test("the image is what a node searches for, and holds what was put in", async () => {
  const out = outFile();
  const inspection = await buildConfigImage(host, { contents: guestosMedium, out, folder: folder(FILES) });
  const image = readFileSync(out);
  expect(image.toString("latin1", 43, 54)).toBe("CONFIG     ");
  expect(image.toString("latin1", 54, 59)).toBe("FAT12");
  expect(tool("fsck.vfat", "-n", out).status).toBe(0);
  const tar = tool("mtype", "-i", out, "::ic-bootstrap.tar").stdout;
  expect(await inspectBootstrapTar(pieces(tar), "t.tar", guestosMedium)).toEqual(inspection);
  expect(Buffer.from(inspection.config.get("network.conf") ?? []).toString()).toBe("hostname=a\n");
  expect(inspection.data.map(({ target }) => target)).toEqual(["ic_crypto/node", "ic_state"]);
  expect(inspection.warnings).toEqual([]);
  // It may hold a private key.
  expect(statSync(out).mode & 0o777).toBe(0o600);
});

test("the tar is one that other tools read", async () => {
  const out = outFile();
  await buildConfigImage(host, { contents: guestosMedium, out, folder: folder(FILES) });
  const tar = join(dirname(out), "t.tar");
  writeFileSync(tar, tool("mtype", "-i", out, "::ic-bootstrap.tar").stdout);
  expect(tool("tar", "--list", "--file", tar).stdout.toString().trim().split("\n")).toEqual(
    expect.arrayContaining(["network.conf", "ic_crypto/node/key", Object.keys(FILES).at(-1)]),
  );
});

test("the same input gives the same bytes, at another time, from other folders, owners and modes", async () => {
  const [first, second] = [outFile(), outFile()];
  await buildConfigImage(host, { contents: guestosMedium, out: first, folder: folder(FILES) });
  // FAT counts time in steps of two seconds.
  await sleep(2500);
  const other = folder(Object.fromEntries(Object.entries(FILES).toReversed()));
  chmodSync(join(other, "network.conf"), 0o777);
  utimesSync(join(other, "network.conf"), 1e9, 1e9);
  await buildConfigImage(host, { contents: guestosMedium, out: second, folder: other });
  expect(readFileSync(first).equals(readFileSync(second))).toBe(true);
});

test("another input gives another image", async () => {
  const [first, second] = [outFile(), outFile()];
  await buildConfigImage(host, { contents: guestosMedium, out: first, folder: folder({ "network.conf": "hostname=a\n" }) });
  await buildConfigImage(host, { contents: guestosMedium, out: second, folder: folder({ "network.conf": "hostname=b\n" }) });
  expect(readFileSync(first).equals(readFileSync(second))).toBe(false);
});

test("single entries win over the folder's", async () => {
  const mine = join(folder({ "node7.conf": "hostname=mine\n" }), "node7.conf");
  const keys = folder({ root: "# nobody\n" });
  const { config } = await buildConfigImage(host, {
    contents: guestosMedium,
    out: outFile(),
    folder: folder(FILES),
    entries: { "network.conf": mine, accounts_ssh_authorized_keys: keys },
  });
  expect([...config.keys()]).toEqual(["accounts_ssh_authorized_keys/root", "network.conf"]);
  expect(Buffer.from(config.get("network.conf") ?? []).toString()).toBe("hostname=mine\n");
});

test.each<readonly [string, Readonly<Record<string, string>>]>([
  ["nothing at all", {}],
  ["files with nothing in them", { "network.conf": "", "nns.conf": "\n" }],
  ["a tree of empty files", { "ic_state/x": "" }],
])("%s is no configuration: it would configure a node with nothing, permanently", async (_, files) => {
  const out = outFile();
  const build = async () => buildConfigImage(host, { contents: guestosMedium, out, folder: folder(files) });
  expect(await problemOf(build)).toMatchObject({ what: "there is no configuration in the tar", where: { file: "ic-bootstrap.tar" } });
  expect(readdirSync(dirname(out))).toEqual([]);
});

test("an empty folder of keys is no configuration", async () => {
  const keys = join(folder({}), "keys");
  mkdirSync(keys);
  const request = { contents: guestosMedium, out: outFile(), entries: { accounts_ssh_authorized_keys: keys } };
  expect(await problemOf(async () => buildConfigImage(host, request))).toMatchObject({ found: '"accounts_ssh_authorized_keys"' });
});

test("a folder one too high is named, with the one that was meant", async () => {
  const input = folder({ "node7/network.conf": "hostname=a\n" });
  expect(await problemOf(async () => buildConfigImage(host, { contents: guestosMedium, out: outFile(), folder: input }))).toMatchObject({
    what: '"node7" is not part of the configuration',
    todo: `build the medium from ${join(input, "node7")} instead: it holds what belongs at the top`,
  });
});

test.each([0, 1, 3, 8, 9, 17, 33])("an image has room for %d MiB, and not much more", async (mebibytes) => {
  const out = outFile();
  const bytes = mebibytes * 1024 ** 2;
  await buildConfigImage(host, {
    contents: guestosMedium,
    out,
    folder: folder({ "ic_state/large": Buffer.alloc(bytes, 1), "network.conf": "hostname=a\n" }),
  });
  expect(tool("fsck.vfat", "-n", out).status).toBe(0);
  expect(statSync(out).size).toBeLessThan(bytes * 1.01 + 200 * 1024);
});

test.each<readonly [string, Readonly<Record<string, string>>, object]>([
  ["a bad value", { "network.conf": "hostname=-\n" }, { where: { file: "ic-bootstrap.tar: network.conf", line: 1, column: 10 } }],
  [
    "a value that a node would leave out",
    { "network.conf": "domain=localhost\n" },
    { where: { file: "ic-bootstrap.tar: network.conf", line: 1, column: 8 } },
  ],
  ["a key that is none", { "node_operator_private_key.pem": "x" }, { where: { file: "ic-bootstrap.tar: node_operator_private_key.pem" } }],
  ["a name that no node knows", { "netwrok.conf": "" }, { expected: "perhaps network.conf" }],
])("%s is refused before anything is written, and leaves what was there", async (_, files, expected) => {
  const out = outFile();
  writeFileSync(out, "the image of yesterday");
  expect(await problemOf(async () => buildConfigImage(host, { contents: guestosMedium, out, folder: folder(files) }))).toMatchObject(
    expected,
  );
  expect(readFileSync(out, "utf8")).toBe("the image of yesterday");
  expect(readdirSync(dirname(out))).toEqual(["config.img"]);
});

test("a link is refused, for it would not arrive as what it points to", async () => {
  const input = folder({ "network.conf": "" });
  symlinkSync("/etc/passwd", join(input, "nns.conf"));
  expect(await problemOf(async () => buildConfigImage(host, { contents: guestosMedium, out: outFile(), folder: input }))).toMatchObject({
    found: "a link, device or pipe",
  });
});

test.each([
  ["a folder", { folder: "/nonexistent" }],
  ["a file", { entries: { "network.conf": "/nonexistent" } }],
])("%s that is not there is named", async (_, request) => {
  expect((await problemOf(async () => buildConfigImage(host, { contents: guestosMedium, out: outFile(), ...request }))).what).toContain(
    "/nonexistent",
  );
});

test("what an interrupted build left is no obstacle, and no part of the next image", async () => {
  const out = outFile();
  mkdirSync(join(dirname(out), ".config.img.building"));
  writeFileSync(join(dirname(out), ".config.img.building", "ic-bootstrap.tar"), "x");
  await buildConfigImage(host, { contents: guestosMedium, out, folder: folder(FILES) });
  expect(readdirSync(dirname(out))).toEqual(["config.img"]);
});
