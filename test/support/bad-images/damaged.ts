import { BOOT, type BadImageCase, good, plainOrder, ROOT, VERSION } from "./case.ts";
import { rawTar } from "../raw-tar.ts";
import { compressions, formats, imageTar, noise, sha256Of, smallImage, usualOrder } from "../update-images.ts";

/** A seed of one's own: the same table in each run. */
let state = 12_345;
const random = (below: number): number => {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return (state >>> 8) % below;
};

export function cutOff(): readonly BadImageCase[] {
  return formats.flatMap((format) => {
    const whole = compressions[format](imageTar(smallImage));
    return Array.from({ length: 20 }, (_, index) => {
      const bytes = whole.subarray(0, Math.max(520, Math.floor((whole.length * (index + 1)) / 20) - 1 - index));
      return { name: `${format} cut off after ${bytes.length} of ${whole.length} bytes`, bytes, says: /cut off/ };
    });
  });
}

export function flipped(): readonly BadImageCase[] {
  const flip = (whole: Buffer, bit: number): Buffer => {
    const bytes = Buffer.from(whole);
    bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    return bytes;
  };
  const anywhere = formats.flatMap((format) => {
    const whole = compressions[format](imageTar(smallImage));
    return Array.from({ length: 20 }, () => {
      const bit = random(whole.length * 8);
      return {
        name: `${format} with bit ${bit} flipped, hash known`,
        bytes: flip(whole, bit),
        says: /not the requested one/,
        asked: sha256Of(whole),
      };
    });
  });
  // Without any hash, the manifest and the tar's own checksums are what is left.
  const tar = imageTar(smallImage);
  const unknown = Array.from({ length: 40 }, () => {
    const bit = random(tar.length * 8);
    return {
      name: `tar with bit ${bit} flipped, no hash`,
      bytes: flip(tar, bit),
      says: /manifest|header|padding|refused|after the end|cut off|VERSION|MANIFEST|no upgrade image/,
    };
  });
  return [...anywhere, ...unknown];
}

export function behindTheEnd(): readonly BadImageCase[] {
  const tar = imageTar(smallImage);
  const behind = (name: string, more: Buffer): readonly BadImageCase[] =>
    formats.map((format) => ({
      name: `${format} with ${name} after the end of the tar`,
      bytes: compressions[format](Buffer.concat([tar, more])),
      says: /after the end of the tar/,
    }));
  const text = Buffer.from("and one more thing");
  return [
    ...behind("a word", text),
    ...behind("a second tar", tar),
    ...behind("a word, after padding", Buffer.concat([Buffer.alloc(9216), text])),
    ...behind("2 MiB of zeros", Buffer.alloc(2 * 1024 * 1024)),
    {
      name: "one block of zeros in the middle",
      bytes: Buffer.concat([rawTar([VERSION], { end: false }), Buffer.alloc(512), rawTar([BOOT, ROOT])]),
      says: /after the end of the tar/,
    },
    {
      name: "tar.zst with a word behind it",
      bytes: Buffer.concat([compressions["tar.zst"](tar), text]),
      says: /after the end of the zstd data|zstd data is damaged/,
    },
    {
      name: "tar.gz with a word behind it",
      bytes: Buffer.concat([compressions["tar.gz"](tar), text]),
      says: /after the end of the gzip data|gzip data is damaged/,
    },
    ...formats.slice(1).map((format) => ({
      name: `${format} with zeros behind it, and a word behind those`,
      bytes: Buffer.concat([compressions[format](tar), Buffer.alloc(9216), text]),
      says: /after the end of the (?:gzip|zstd) data/,
    })),
    {
      name: "tar.zst twice",
      bytes: Buffer.concat([compressions["tar.zst"](tar), compressions["tar.zst"](tar)]),
      says: /after the end of the tar/,
    },
    {
      name: "tar without an end mark",
      bytes: rawTar(
        usualOrder.map((each) => good[each]),
        { end: false },
      ),
      says: /cut off/,
    },
    { name: "something in the padding", bytes: paddingChanged(), says: /padding of a member/ },
  ];
}

function paddingChanged(): Buffer {
  const bytes = imageTar(smallImage, plainOrder);
  // VERSION.TXT is six bytes, behind its header.
  bytes.write("x", 512 + 100);
  return bytes;
}

export function noImages(): readonly BadImageCase[] {
  const start = (name: string, bytes: readonly number[] | string): BadImageCase => ({
    name,
    bytes: Buffer.concat([Buffer.from(typeof bytes === "string" ? Buffer.from(bytes) : bytes), noise(2000, name)]),
    says: /this is no upgrade image/,
  });
  return [
    { name: "an empty file", bytes: Buffer.alloc(0), says: /this is no upgrade image.*an empty file/ },
    { name: "a file of zeros", bytes: Buffer.alloc(4096), says: /this is no upgrade image/ },
    start("noise", []),
    start("a program", "\u007fELF"),
    start("a zip", "PK\u0003\u0004"),
    start("a web page", "<!doctype html>"),
    start("an xz file", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]),
    start("a bzip2 file", "BZh91AY&SY"),
    start("an lz4 file", [0x04, 0x22, 0x4d, 0x18]),
    { name: "one byte", bytes: Buffer.from("x"), says: /this is no upgrade image/ },
    { name: "a gzip of nothing", bytes: compressions["tar.gz"](Buffer.alloc(0)), says: /cut off/ },
    { name: "a zstd of nothing", bytes: compressions["tar.zst"](Buffer.alloc(0)), says: /cut off/ },
    { name: "a gzip of noise", bytes: compressions["tar.gz"](noise(5000, "gz")), says: /no valid tar header/ },
    { name: "a zstd of a gzip", bytes: compressions["tar.zst"](compressions["tar.gz"](imageTar(smallImage))), says: /no valid tar header/ },
    { name: "a tar with nothing in it", bytes: compressions["tar.gz"](Buffer.alloc(1024)), says: /not complete/ },
    {
      name: "gzip's magic, and then noise",
      bytes: Buffer.concat([Buffer.from([0x1f, 0x8b]), noise(2000, "g")]),
      says: /gzip data is damaged/,
    },
    {
      name: "zstd's magic, and then noise",
      bytes: Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), noise(2000, "z")]),
      says: /zstd data is damaged|too much memory|cut off/,
    },
    { name: "a tar of the seventh edition", bytes: seventhEdition(), says: /no valid tar header|no upgrade image/ },
  ];
}

function seventhEdition(): Buffer {
  const bytes = compressions["tar"](imageTar(smallImage, plainOrder));
  bytes.fill(0, 257, 265);
  return bytes;
}
