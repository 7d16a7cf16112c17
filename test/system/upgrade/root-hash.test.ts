import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { addHashTree, type VerifiedRoot } from "../../../image/verity.ts";
import { ProblemError } from "../../../src/base/problem.ts";
import { readRefusedImages, readSlotRecord } from "../../../src/upgrade/slot-state.ts";
import { type ImageParts, imageTar, noise, sha256Of } from "../../support/update-images.ts";
import { bytesSource, upgradeMachine, type UpgradeMachine } from "../../support/upgrade-machine.ts";

const MIB = 1024 * 1024;
const DATA = 2 * MIB;
const UUID = "7c0a626e-e5ea-e543-b5c5-300eb8304db7";

interface SealedImage extends ImageParts {
  readonly verified: VerifiedRoot;
}

/** An image with a hash tree, as the builder of the disk image makes it. */
async function sealed(machineRoot: string, bootArgs: (words: string) => string | undefined): Promise<SealedImage> {
  const folder = join(machineRoot, "image");
  mkdirSync(folder);
  const [rootFile, bootFile, content] = [join(folder, "root.img"), join(folder, "boot.img"), join(folder, "boot")];
  writeFileSync(rootFile, noise(DATA, "root"));
  truncateSync(rootFile, DATA + 256 * 1024);
  const verified = await addHashTree(rootFile, DATA, UUID);
  mkdirSync(content);
  const args = bootArgs(`root_hash=${verified.hash} root_hash_offset=${verified.offset}`);
  if (args !== undefined) writeFileSync(join(content, "boot_args"), args);
  writeFileSync(bootFile, "");
  truncateSync(bootFile, MIB);
  execFileSync("mke2fs", ["-q", "-F", "-t", "ext4", "-O", "^has_journal", "-d", content, bootFile]);
  return { version: "2.0.0", boot: readFileSync(bootFile), root: readFileSync(rootFile), verified };
}

const bothLines = (words: string): string => `boot_args_B="ro ${words} quiet"\nBOOT_ARGS_B="ro ${words} quiet"\n`;
const big = { rootBytes: 4 * MIB };

async function installed(machine: UpgradeMachine, parts: ImageParts, trusted = true) {
  const tar = imageTar(parts);
  return machine.install(bytesSource(tar), trusted ? { trust: { kind: "hash", sha256: sha256Of(tar) } } : {});
}

/** The problem with which the image is refused; it is remembered, and the slot is not installed. */
async function refusal(machine: UpgradeMachine, parts: ImageParts): Promise<ProblemError> {
  const before = machine.untouchable();
  const error: unknown = await installed(machine, parts).catch((thrown: unknown) => thrown);
  if (!(error instanceof ProblemError)) throw new Error("it was not refused", { cause: error });
  expect(await readSlotRecord(machine.host, machine.layout, "B")).toMatchObject({
    kind: "failed",
    version: "2.0.0",
    reason: error.problem.what,
  });
  const refused = await readRefusedImages(machine.host, machine.layout);
  expect(refused).toMatchObject([{ sha256: sha256Of(imageTar(parts)), reason: error.problem.what }]);
  expect(machine.untouchable()).toBe(before);
  // Nothing that only an installed slot may lose is gone.
  expect(machine.read("B_var")[0]).not.toBe(0);
  await expect(installed(machine, parts)).rejects.toThrow("was tried or refused before");
  return error;
}

function flipped(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}

test("a root that matches its hash is installed, and the hash is told", async () => {
  using machine = upgradeMachine(big);
  const { verified, ...parts } = await sealed(machine.root, bothLines);
  expect(await installed(machine, parts)).toMatchObject({ slot: "B", rootHash: verified.hash });
  expect(await readSlotRecord(machine.host, machine.layout, "B")).toMatchObject({ kind: "installed" });
  expect(machine.tools.map(({ program }) => program)).toContain("veritysetup");
});

test.each([
  ["the file system", 1_234_567, /^Verification failed at position 1232896/],
  ["the tree's lowest level", DATA + 8192 + 40, /^Verification failed/],
  ["the tree's top", DATA + 4096, /^Verification/],
  ["veritysetup's superblock", DATA, /not a valid VERITY device/],
] as const)("a flipped bit in %s is found before the slot counts as installed", async (_, at, found) => {
  using machine = upgradeMachine(big);
  const { verified, ...parts } = await sealed(machine.root, bothLines);
  const { problem } = await refusal(machine, { ...parts, root: flipped(parts.root, at) });
  expect(problem).toMatchObject({ code: "root-hash-differs", found: expect.stringMatching(found), where: { file: "update.tar" } });
  expect(problem.expected).toContain(`root_hash=${verified.hash}`);
});

test("a root without a tree, and one of another hash, do not match", async () => {
  for (const args of [bothLines, (words: string) => bothLines(words.replace(/=./, (text) => (text === "=0" ? "=1" : "=0")))]) {
    using machine = upgradeMachine(big);
    const parts = await sealed(machine.root, args);
    const root = args === bothLines ? noise(DATA, "root") : parts.root;
    expect((await refusal(machine, { ...parts, root })).problem.code).toBe("root-hash-differs");
  }
});

test("a line with a hash that is none, or with two of them, makes a bad image", async () => {
  for (const args of [() => 'boot_args_B="root_hash=ROOT_HASH"\n', (words: string) => `boot_args_B="${words}"\nBOOT_ARGS_B="ro"\n`]) {
    using machine = upgradeMachine(big);
    expect((await refusal(machine, await sealed(machine.root, args))).problem.code).toBe("root-hash-not-valid");
  }
});

test("a boot.img whose file system is broken is not taken for one without a hash", async () => {
  using machine = upgradeMachine(big);
  const parts = await sealed(machine.root, bothLines);
  const boot = Buffer.from(parts.boot).fill(0x55, 1024 + 0x40, 4096);
  expect((await refusal(machine, { ...parts, boot })).problem.code).toBe("boot-args-unreadable");
});

test("an image from before there was a hash is installed, and says that it has none", async () => {
  for (const args of [() => 'boot_args_B="ro quiet"\n', () => undefined]) {
    using machine = upgradeMachine(big);
    const parts = await sealed(machine.root, args);
    expect(await installed(machine, { ...parts, root: flipped(parts.root, 5000) })).not.toHaveProperty("rootHash");
    expect(machine.tools.map(({ program }) => program)).not.toContain("veritysetup");
  }
});

test("a bad image that no one vouched for is not remembered: its hash proves nothing", async () => {
  using machine = upgradeMachine(big);
  const parts = await sealed(machine.root, bothLines);
  await expect(installed(machine, { ...parts, root: flipped(parts.root, 0) }, false)).rejects.toThrow("does not match the root hash");
  expect(await readRefusedImages(machine.host, machine.layout)).toEqual([]);
  expect(await readSlotRecord(machine.host, machine.layout, "B")).toMatchObject({ kind: "failed" });
});

test("a tool that is not there, or is stopped, is no fault of the image: the slot stays incomplete", async () => {
  using machine = upgradeMachine(big);
  const tar = imageTar(await sealed(machine.root, bothLines));
  const run: typeof machine.host.run = async (command) =>
    machine.host.run(command.program === "veritysetup" ? { ...command, program: "/nonexistent/veritysetup" } : command);
  const trust = { kind: "hash", sha256: sha256Of(tar) } as const;
  await expect(machine.install(bytesSource(tar), { trust }, { run })).rejects.toThrow(/veritysetup/);
  expect(await readSlotRecord(machine.host, machine.layout, "B")).toMatchObject({ kind: "incomplete" });
  expect(await machine.install(bytesSource(tar), { trust })).toMatchObject({ beginning: "resumed" });
});

test("the same file system gets the same tree and the same hash", async () => {
  using machine = upgradeMachine();
  const files = ["one", "two"].map((name) => join(machine.root, name));
  const roots: VerifiedRoot[] = [];
  for (const file of files) {
    writeFileSync(file, noise(DATA, "root"));
    truncateSync(file, DATA + 256 * 1024);
    roots.push(await addHashTree(file, DATA, UUID));
  }
  expect(roots[0]).toEqual(roots[1]);
  expect(readFileSync(files[0] ?? "").equals(readFileSync(files[1] ?? ""))).toBe(true);
  const dump = execFileSync("veritysetup", ["dump", files[0] ?? "", `--hash-offset=${DATA}`], { encoding: "utf8" });
  expect(dump).toMatch(new RegExp(`UUID:\\s+${UUID}`));
  // What the initramfs takes for granted (etc/common/initramfs-tools/scripts/local-premount/guestos-verity).
  expect(dump).toMatch(/Hash type:\s+1\nData blocks:\s+512\nData block size:\s+4096\n.*Hash block size:\s+4096\n.*sha256\nSalt:\s+-\n/s);
});
