import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fileSource } from "../../../src/system/files/byte-source.ts";
import { ProblemError } from "../../../src/base/problem.ts";
import { signatureText } from "../../../src/upgrade/signature.ts";
import { readSlotRecord, refuseImage, writeSlotRecord } from "../../../src/upgrade/slot-state.ts";
import { trustFor } from "../../../src/upgrade/trust.ts";
import { compressions, formats, imageTar, noise, sha256Of, smallImage, usualOrder, type EntryName } from "../../support/update-images.ts";
import { bytesSource, grubenvText, upgradeMachine, type UpgradeMachine } from "../../support/upgrade-machine.ts";
import { updateTar } from "../../../image/update/update-tar.ts";

const MIB = 1024 * 1024;
const whole = compressions["tar.zst"](imageTar(smallImage));

function expectInstalled(machine: UpgradeMachine, image = smallImage): void {
  expect(machine.read("B_boot").subarray(0, image.boot.length).equals(image.boot)).toBe(true);
  expect(machine.read("B_root").subarray(0, image.root.length).equals(image.root)).toBe(true);
}

const record = async (machine: UpgradeMachine) => readSlotRecord(machine.host, machine.layout, "B");

const orders: readonly (readonly EntryName[])[] = [
  usualOrder,
  ["root.img", "boot.img", "MANIFEST.json", "VERSION.TXT"],
  ["boot.img", "VERSION.TXT", "root.img"],
  ["VERSION.TXT", "root.img", "boot.img"],
];

test.each(formats.flatMap((format) => orders.map((order) => ({ format, order: order.join(" ") }))))(
  "$format with $order is installed, whatever pieces it comes in",
  async ({ format, order }) => {
    const bytes = compressions[format](imageTar(smallImage, order.split(" ") as EntryName[]));
    for (const size of [97, 100_000]) {
      using machine = upgradeMachine();
      const before = machine.untouchable();
      const installed = await machine.install(bytesSource(bytes, size), { trust: { kind: "hash", sha256: sha256Of(bytes) } });
      expectInstalled(machine);
      expect(installed).toMatchObject({ slot: "B", version: "2.0.0", sha256: sha256Of(bytes), beginning: "fresh", received: bytes.length });
      expect(await record(machine)).toMatchObject({
        kind: "installed",
        version: "2.0.0",
        sha256: sha256Of(bytes),
        install: installed.install,
      });
      expect(machine.untouchable()).toBe(before);
    }
  },
);

// gzip(1) itself: `gzip -dc` ends with 0 for zeros behind its data, and warns of anything else. Media and dd fill up their last block.
test.each(formats.slice(1).flatMap((format) => [1, 600, 200_000].map((zeros) => ({ format, zeros }))))(
  "$format with $zeros zeros behind it is installed, whatever pieces it comes in",
  async ({ format, zeros }) => {
    const bytes = Buffer.concat([compressions[format](imageTar(smallImage)), Buffer.alloc(zeros)]);
    for (const size of [97, 100_000]) {
      using machine = upgradeMachine();
      await machine.install(bytesSource(bytes, size), { trust: { kind: "hash", sha256: sha256Of(bytes) } });
      expectInstalled(machine);
    }
  },
);

test("the other system's /var loses its header and its intent, and nothing behind the header", async () => {
  using machine = upgradeMachine({ varBytes: 17 * MIB });
  await machine.install(bytesSource(whole));
  const left = machine.read("B_var");
  expect(left.subarray(0, 16 * MIB).every((byte) => byte === 0)).toBe(true);
  expect(left.subarray(16 * MIB).equals(Buffer.alloc(17 * MIB, "Bvar.").subarray(16 * MIB))).toBe(true);
  expect(existsSync(join(machine.layout.config.intents, "var-B.json"))).toBe(false);
});

test("what is behind an image in its partition stays as it is, to the byte", async () => {
  using machine = upgradeMachine();
  await machine.install(bytesSource(whole));
  const expected = Buffer.alloc(MIB, "Bboot.");
  smallImage.boot.forEach((byte, index) => expected.writeUInt8(byte, index));
  expect(machine.read("B_boot").equals(expected)).toBe(true);
});

test("the same image again writes nothing, and one changed byte writes one unit of 64 KiB", async () => {
  const image = { version: "2.0.0", boot: noise(500_000, "b"), root: noise(9 * MIB, "r") };
  using machine = upgradeMachine({ rootBytes: 10 * MIB });
  await machine.install(bytesSource(imageTar(image)));
  const again = await machine.install(bytesSource(imageTar(image)));
  expect(again.boot).toMatchObject({ written: 0, zeroed: 0 });
  expect(again.root).toEqual({ written: 0, zeroed: 0, identical: 9 * MIB });
  const root = Buffer.from(image.root);
  root.writeUInt8(root.readUInt8(5 * MIB) ^ 1, 5 * MIB);
  const changed = await machine.install(bytesSource(imageTar({ ...image, version: "2.0.1", root })));
  expect(changed.root).toEqual({ written: 64 * 1024, zeroed: 0, identical: 9 * MIB - 64 * 1024 });
  expectInstalled(machine, { ...image, root });
});

test("a chunk of which nothing seems to be there is written whole; one of which a sample is there, only where it differs", async () => {
  const image = { version: "2.0.0", boot: noise(500_000, "b"), root: noise(8 * MIB, "r") };
  using machine = upgradeMachine({ rootBytes: 8 * MIB });
  const held = Buffer.alloc(8 * MIB, "other");
  // No sample is here; one is at the beginning of the second chunk.
  image.root.copy(held, 65_536, 65_536, 131_072);
  image.root.copy(held, 4 * MIB, 4 * MIB, 4 * MIB + 131_072);
  writeFileSync(machine.places.root.path, held);
  const { root } = await machine.install(bytesSource(imageTar(image)));
  expect(root).toEqual({ written: 8 * MIB - 131_072, zeroed: 0, identical: 131_072 });
  expectInstalled(machine, image);
});

test("long runs of zeros are zeroed and not written, and are zeros on the partition", async () => {
  const root = Buffer.concat([noise(2 * MIB + 5, "r"), Buffer.alloc(13 * MIB), noise(3 * MIB + 77, "s"), Buffer.alloc(2 * MIB)]);
  using machine = upgradeMachine({ rootBytes: 24 * MIB });
  const { root: counts } = await machine.install(bytesSource(imageTar({ ...smallImage, root })));
  expectInstalled(machine, { ...smallImage, root });
  expect(counts.zeroed).toBeGreaterThan(12 * MIB);
  expect(counts.written).toBeLessThan(7 * MIB);
  expect(counts.written + counts.zeroed + counts.identical).toBe(Math.ceil(root.length / 4096) * 4096);
});

test.each(["gnu", "pax"])("a sparse image made by GNU tar, format %s, is read right", async (format) => {
  using machine = upgradeMachine({ rootBytes: 40 * MIB });
  const folder = join(machine.root, "image");
  mkdirSync(folder);
  const root = Buffer.alloc(32 * MIB);
  // Enough stretches that the map does not fit the header of either format.
  for (let at = 0; at < 32; at += 1) noise(5000 + at * 97, `part ${at}`).copy(root, at * MIB + 8192);
  const file = openSync(join(folder, "root.img"), "w");
  for (let at = 0; at < 32; at += 1) writeSync(file, root, at * MIB + 8192, 12_288, at * MIB + 8192);
  writeSync(file, Buffer.alloc(1), 0, 1, 32 * MIB - 1);
  closeSync(file);
  writeFileSync(join(folder, "boot.img"), smallImage.boot);
  writeFileSync(join(folder, "VERSION.TXT"), "2.0.0\n");
  const tar = execFileSync("tar", ["--create", "--sparse", "--hole-detection=raw", `--format=${format}`, "--directory", folder, "."], {
    maxBuffer: 64 * MIB,
  });
  expect(tar.length).toBeLessThan(2 * MIB);
  await machine.install(bytesSource(tar, 10_000));
  expectInstalled(machine, { ...smallImage, root });
});

test("the images of our own builder are read by GNU tar and by us, and give the same", async () => {
  using machine = upgradeMachine({ rootBytes: 40 * MIB });
  const root = Buffer.alloc(33 * MIB);
  for (let at = 0; at < 33; at += 1) noise(70_000, `part ${at}`).copy(root, at * MIB + at * 4096);
  const [bootFile, rootFile] = [join(machine.root, "boot.img"), join(machine.root, "root.img")];
  writeFileSync(bootFile, smallImage.boot);
  writeFileSync(rootFile, root);
  const pieces = await Array.fromAsync(
    updateTar({
      version: "2.0.0",
      boot: { path: bootFile, offset: 0, bytes: smallImage.boot.length },
      root: { path: rootFile, offset: 0, bytes: root.length },
    }),
  );
  const tar = Buffer.concat(pieces);
  const unpacked = execFileSync("tar", ["--extract", "--to-stdout", "root.img"], { input: tar, maxBuffer: 64 * MIB });
  expect(unpacked.equals(root)).toBe(true);
  const installed = await machine.install(bytesSource(tar));
  expect(installed.hasManifest).toBe(true);
  expectInstalled(machine, { ...smallImage, root });
});

test("a source that breaks off leaves the slot incomplete, and the same image takes it up again", async () => {
  using machine = upgradeMachine();
  const tar = imageTar(smallImage);
  const trust = { kind: "hash", sha256: sha256Of(tar) } as const;
  async function* broken(): AsyncIterable<Uint8Array> {
    yield tar.subarray(0, tar.length - 4000);
    throw new ProblemError({ code: "test-problem", what: "the cable was pulled" });
  }
  await expect(machine.install({ ...bytesSource(tar), chunks: broken() }, { trust })).rejects.toThrow("the cable was pulled");
  const incomplete = await record(machine);
  expect(incomplete).toMatchObject({ kind: "incomplete", sha256: trust.sha256 });
  const resumed = await machine.install(bytesSource(tar), { trust });
  expect(resumed).toMatchObject({ beginning: "resumed", install: incomplete?.kind === "incomplete" ? incomplete.install : "" });
  expectInstalled(machine);
});

test("another image after an interrupted one starts over, and says so", async () => {
  using machine = upgradeMachine();
  await writeSlotRecord(machine.host, machine.layout, "B", {
    ...{ kind: "incomplete", install: "7c1c9a52-8b1e-4f0e-9a55-0a4a86d6a6f1", sha256: "1".repeat(64), since: new Date(0).toISOString() },
  });
  expect((await machine.install(bytesSource(whole), { trust: { kind: "hash", sha256: sha256Of(whole) } })).beginning).toBe("restarted");
});

test("the slot is marked incomplete before its first byte is written, and installed after everything else", async () => {
  using machine = upgradeMachine();
  const order: string[] = [];
  await machine.install(
    bytesSource(whole),
    {},
    {
      writeFile: async (path, content, attributes) => {
        // The running slot's own record is not meant.
        if (!path.endsWith("B.json")) return machine.host.writeFile(path, content, attributes);
        const { kind } = JSON.parse(String(content)) as { kind: string };
        const untouched = machine.read("B_boot").equals(Buffer.alloc(MIB, "Bboot."));
        order.push(`${kind}: boot ${untouched ? "untouched" : "written"}, var ${machine.read("B_var")[0] === 0 ? "wiped" : "there"}`);
        return machine.host.writeFile(path, content, attributes);
      },
      remove: async (path) => {
        order.push(`intent: var ${machine.read("B_var")[0] === 0 ? "wiped" : "there"}`);
        await machine.host.remove(path);
      },
    },
  );
  expect(order).toEqual(["incomplete: boot untouched, var there", "intent: var wiped", "installed: boot written, var wiped"]);
});

test("a bit that the disk changed after the write is found by reading back, and the slot is not installed", async () => {
  using machine = upgradeMachine();
  const { path } = machine.places.root;
  let flipped = false;
  const onProgress = ({ phase }: { readonly phase: string }): void => {
    // Progress of the read-back is told after boot.img was read and before root.img is.
    if (phase !== "read-back" || flipped) return;
    flipped = true;
    const content = readFileSync(path);
    content.writeUInt8(content.readUInt8(40_000) ^ 0x10, 40_000);
    writeFileSync(path, content);
  };
  await expect(machine.install(bytesSource(whole), { onProgress })).rejects.toThrow("does not hold what was written");
  expect((await record(machine))?.kind).toBe("incomplete");
  expect(machine.read("B_var")[0]).not.toBe(0);
});

test.each([
  ["first_boot", "A", "on trial"],
  ["failsafe_check", "A", "on trial"],
  ["first_boot", "B", "committed"],
  ["stable", "B", "not the one that the boot loader"],
])("with boot_cycle %s and boot_alternative %s nothing is installed", async (cycle, alternative, says) => {
  using machine = upgradeMachine({ grubenv: grubenvText(alternative, cycle) });
  const before = machine.read("B_boot");
  await expect(machine.install(bytesSource(whole))).rejects.toThrow(says);
  expect(machine.read("B_boot").equals(before)).toBe(true);
  expect((await record(machine))?.kind).not.toBe("incomplete");
});

test("a grubenv that cannot be written stops an install before it begins", async () => {
  using machine = upgradeMachine();
  const before = machine.read("B_boot");
  const writeInPlace = async (): Promise<void> => {
    throw new ProblemError({ code: "test-problem", what: "cannot write grubenv: read-only file system" });
  };
  await expect(machine.install(bytesSource(whole), {}, { writeInPlace })).rejects.toThrow("read-only");
  expect(machine.read("B_boot").equals(before)).toBe(true);
  expect(await record(machine)).toBeUndefined();
});

test("the same or an older version is refused before anything is written, unless that is wanted", async () => {
  for (const version of ["2.0.0", "2.0.1"]) {
    using machine = upgradeMachine({ version });
    const before = machine.read("B_boot");
    await expect(machine.install(bytesSource(whole))).rejects.toThrow(/has the version that is running|older than the running/);
    expect(machine.read("B_boot").equals(before)).toBe(true);
    expect(await record(machine)).toBeUndefined();
    await machine.install(bytesSource(whole), { allowDowngrade: true });
    expectInstalled(machine);
  }
});

test("an image that is remembered as refused is not tried again, also where its hash is only known at the end", async () => {
  using machine = upgradeMachine();
  await refuseImage(machine.host, machine.layout, { sha256: sha256Of(whole), reason: "it fell back", at: new Date(0).toISOString() });
  await expect(machine.install(bytesSource(whole), { trust: { kind: "hash", sha256: sha256Of(whole) } })).rejects.toThrow("it fell back");
  expect(await record(machine)).toBeUndefined();
  await expect(machine.install(bytesSource(whole))).rejects.toThrow("it fell back");
  expect((await record(machine))?.kind).toBe("incomplete");
});

test("a forged copy marks the slot as failed, and does not stop the true image", async () => {
  using machine = upgradeMachine();
  const trust = { kind: "hash", sha256: sha256Of(whole) } as const;
  const forged = compressions["tar.zst"](imageTar({ ...smallImage, root: noise(50_000, "forged") }));
  await expect(machine.install(bytesSource(forged), { trust })).rejects.toThrow("not the requested one");
  expect(await record(machine)).toMatchObject({ kind: "failed", reason: "the image is not the requested one" });
  await machine.install(bytesSource(whole), { trust });
  expectInstalled(machine);
});

test("a signature by a key of this machine vouches for an image; another key, another file and no key do not", async () => {
  using machine = upgradeMachine();
  const { host, layout, root } = machine;
  const [own, foreign] = [generateKeyPairSync("ed25519"), generateKeyPairSync("ed25519")];
  const signature = join(root, "image.sig");
  const ask = async (): Promise<unknown> => trustFor(host, layout, { signature, insecure: false });
  writeFileSync(signature, signatureText(sha256Of(whole), own.privateKey));
  await expect(ask()).rejects.toThrow("this machine has no keys");
  mkdirSync(layout.upgradeKeys, { recursive: true });
  writeFileSync(join(layout.upgradeKeys, "a.pem"), generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }));
  writeFileSync(join(layout.upgradeKeys, "b.pem"), own.publicKey.export({ type: "spki", format: "pem" }));
  expect(await ask()).toEqual({ kind: "signature", sha256: sha256Of(whole), key: join(layout.upgradeKeys, "b.pem") });
  writeFileSync(signature, signatureText(sha256Of(whole), foreign.privateKey));
  await expect(ask()).rejects.toThrow("none of this machine's keys");
  writeFileSync(signature, signatureText(sha256Of(whole), own.privateKey).replace(sha256Of(whole), "1".repeat(64)));
  await expect(ask()).rejects.toThrow("none of this machine's keys");
  writeFileSync(signature, "sha256: nothing\n");
  await expect(ask()).rejects.toThrow("this is no signature");
  writeFileSync(join(layout.upgradeKeys, "c.pem"), "-----BEGIN");
  writeFileSync(signature, signatureText(sha256Of(whole), own.privateKey));
  await expect(ask()).rejects.toThrow("a public key cannot be read");
});

test("an image whose origin cannot be verified is refused, and so is a hash that is none", async () => {
  using machine = upgradeMachine();
  await expect(trustFor(machine.host, machine.layout, { insecure: false })).rejects.toThrow("the origin of the image cannot be verified");
  await expect(trustFor(machine.host, machine.layout, { insecure: true, sha256: "abc" })).rejects.toThrow("no SHA-256");
  expect(await trustFor(machine.host, machine.layout, { insecure: true })).toEqual({ kind: "insecure" });
});

test("an install that is told to stop leaves the slot incomplete", async () => {
  const stop = new AbortController();
  using machine = upgradeMachine({ signal: stop.signal });
  const file = join(machine.root, "update.tar");
  writeFileSync(file, imageTar(smallImage));
  const source = await fileSource(file, stop.signal);
  const onProgress = ({ done }: { readonly done: number }): void => void (done > 0 && stop.abort());
  await expect(machine.install(source, { onProgress })).rejects.toThrow();
  expect((await record(machine))?.kind).not.toBe("installed");
});
