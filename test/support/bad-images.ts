import { constants, zstdCompressSync } from "node:zlib";
import { CHUNK_BYTES } from "../../src/upgrade/manifest.ts";
import { sparseHeader } from "../../image/update/update-tar.ts";
import { paxRecord, type RawEntry, rawTar } from "./raw-tar.ts";
import {
  compressions,
  entriesOf,
  type EntryName,
  formats,
  imageTar,
  manifestOf,
  noise,
  sha256Of,
  smallImage,
  usualOrder,
} from "./update-images.ts";

export interface BadImageCase {
  readonly name: string;
  readonly bytes: Buffer;
  /** What the error must say. */
  readonly says: RegExp;
  /** The hash that was asked for, where it is another one than that of these bytes. */
  readonly asked?: string;
}

const good = entriesOf(smallImage);
const plainOrder: readonly EntryName[] = ["VERSION.TXT", "boot.img", "root.img"];
const VERSION = good["VERSION.TXT"];
const BOOT = good["boot.img"];
const ROOT = good["root.img"];
/** A seed of one's own: the same table in each run. */
let state = 12_345;
const random = (below: number): number => {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return (state >>> 8) % below;
};

/** At least 200 images that must not be installed, each with what the operator is told. */
export function badImages(): readonly BadImageCase[] {
  return [
    ...cutOff(),
    ...flipped(),
    ...members(),
    ...sizes(),
    ...sparse(),
    ...pax(),
    ...behindTheEnd(),
    ...noImages(),
    ...manifests(),
    ...versions(),
    ...bombs(),
  ];
}

function cutOff(): readonly BadImageCase[] {
  return formats.flatMap((format) => {
    const whole = compressions[format](imageTar(smallImage));
    return Array.from({ length: 20 }, (_, index) => {
      const bytes = whole.subarray(0, Math.max(520, Math.floor((whole.length * (index + 1)) / 20) - 1 - index));
      return { name: `${format} cut off after ${bytes.length} of ${whole.length} bytes`, bytes, says: /cut off/ };
    });
  });
}

function flipped(): readonly BadImageCase[] {
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

function members(): readonly BadImageCase[] {
  const missing = formats.flatMap((format) =>
    plainOrder.map((name) => ({
      name: `${format} without ${name}`,
      bytes: compressions[format](rawTar(plainOrder.filter((each) => each !== name).map((each) => good[each]))),
      says: new RegExp(`not complete.*no ${name.replace(".", "\\.")}`),
    })),
  );
  const twice = usualOrder.map((name) => ({
    name: `${name} twice`,
    bytes: rawTar([...usualOrder.map((each) => good[each]), good[name]]),
    says: /the same name for the second time/,
  }));
  const twiceWithDot = usualOrder.map((name) => ({
    name: `${name} and ./${name}`,
    bytes: rawTar([...usualOrder.map((each) => good[each]), { ...good[name], name: `./${name}` }]),
    says: /the same name for the second time/,
  }));
  const foreign = [
    "README",
    "boot.img.bak",
    "boot.IMG",
    "root.img/",
    "etc/passwd",
    "boot.img ",
    "VERSION.txt",
    "a/boot.img",
    "././boot.img",
    "grubenv",
    "\u001b[31m",
    "-rf",
  ].map((name) => ({
    name: `a member called ${JSON.stringify(name)}`,
    bytes: rawTar([VERSION, { name, content: "x", type: "0" }, BOOT, ROOT]),
    says: /not part of an image/,
  }));
  const outside = ["../boot.img", "../../etc/shadow", "a/../boot.img", "./../root.img", ".."].map((name) => ({
    name: `a member called ${name}`,
    bytes: rawTar([VERSION, { name, content: "x" }]),
    says: /with \.\. in it/,
  }));
  const absolute = ["/boot.img", "/etc/passwd", "//root.img"].map((name) => ({
    name: `a member called ${name}`,
    bytes: rawTar([VERSION, { name, content: "x" }]),
    says: /an absolute name/,
  }));
  const types: readonly (readonly [string, RegExp])[] = [
    ["1", /a hard link/],
    ["2", /a symbolic link/],
    ["3", /a device/],
    ["4", /a device/],
    ["5", /a folder/],
    ["6", /a FIFO/],
    ["7", /a member of type "7"/],
    ["g", /a global pax header/],
    ["L", /a long name/],
    ["K", /a long name/],
    ["M", /a member of type "M"/],
    ["V", /a member of type "V"/],
  ];
  const kinds = types.flatMap(([type, says]) => [
    { name: `boot.img of type ${type}`, bytes: rawTar([VERSION, { name: "boot.img", type, linkname: "/dev/vda1" }, ROOT]), says },
    {
      name: `root.img of type ${type}, after everything`,
      bytes: rawTar([VERSION, BOOT, ROOT, { name: "root.img", type, linkname: "boot.img" }]),
      says,
    },
  ]);
  const checksums = usualOrder.map((name) => ({
    name: `${name} with a wrong checksum`,
    bytes: rawTar(usualOrder.map((each) => (each === name ? { ...good[each], badChecksum: true } : good[each]))),
    says: /no valid tar header.*a checksum of/,
  }));
  return [...missing, ...twice, ...twiceWithDot, ...foreign, ...outside, ...absolute, ...kinds, ...checksums];
}

function sizes(): readonly BadImageCase[] {
  const base256 = (value: bigint): Uint8Array => {
    const field = Buffer.alloc(12);
    field[0] = 0x80;
    field.writeBigUInt64BE(value, 4);
    return field;
  };
  const withSize = (entry: RawEntry, size: RawEntry["size"]): Buffer =>
    rawTar([VERSION, { ...entry, ...(size === undefined ? {} : { size }) }, ROOT]);
  return [
    { name: "boot.img that says it is longer", bytes: rawTar([VERSION, ROOT, { ...BOOT, size: 900_000 }]), says: /cut off.*in boot\.img/ },
    { name: "boot.img that says it is shorter", bytes: withSize(BOOT, 512), says: /no valid tar header/ },
    { name: "boot.img that says it is empty", bytes: withSize(BOOT, 0), says: /an empty file/ },
    { name: "root.img that is empty", bytes: rawTar([VERSION, BOOT, { name: "root.img" }]), says: /an empty file/ },
    { name: "a size in words", bytes: withSize(BOOT, "very large!!"), says: /a size that is no number/ },
    { name: "a negative size", bytes: withSize(BOOT, "-0000000001\0"), says: /a size that is no number/ },
    { name: "a negative size in base 256", bytes: withSize(BOOT, Buffer.alloc(12, 0xff)), says: /a size that is no number/ },
    { name: "a size of 2^63", bytes: withSize(BOOT, base256(2n ** 63n)), says: /a size that is no number/ },
    { name: "a size of 2^52", bytes: withSize(BOOT, base256(2n ** 52n)), says: /boot\.img is larger than its partition/ },
    {
      name: "a size of one byte more than the partition",
      bytes: withSize(BOOT, 1024 * 1024 + 1),
      says: /boot\.img is larger than its partition/,
    },
    {
      name: "root.img larger than its partition",
      bytes: rawTar([VERSION, BOOT, { name: "root.img", size: 3 * 1024 * 1024 }]),
      says: /root\.img is larger than its partition/,
    },
    {
      name: "members exchanged, root.img in the place of boot.img",
      bytes: rawTar([VERSION, { name: "boot.img", content: Buffer.alloc(1_500_000, 1) }, ROOT]),
      says: /boot\.img is larger than its partition/,
    },
  ];
}

function sparse(): readonly BadImageCase[] {
  const data = noise(1024, "sparse");
  const old = (
    name: string,
    size: number,
    segments: readonly (readonly [number, number])[],
    says: RegExp,
    content = data,
  ): BadImageCase => ({
    name: `an old GNU sparse member: ${name}`,
    bytes: Buffer.concat([
      rawTar([VERSION, BOOT], { end: false }),
      sparseHeader(
        "root.img",
        size,
        segments.map(([offset, length]) => ({ offset, length })),
      ),
      content,
      Buffer.alloc(1024),
    ]),
    says,
  });
  const map = (name: string, text: string, says: RegExp, size = 8192, stored = data): BadImageCase => ({
    name: `a PAX 1.0 sparse member: ${name}`,
    bytes: rawTar([
      VERSION,
      BOOT,
      {
        name: "x",
        type: "x",
        content: paxHeader({
          "GNU.sparse.major": "1",
          "GNU.sparse.minor": "0",
          "GNU.sparse.name": "root.img",
          "GNU.sparse.realsize": String(size),
        }),
      },
      {
        name: "GNUSparseFile.0/root.img",
        content: Buffer.concat([Buffer.from(text.padEnd(Math.ceil(text.length / 512) * 512, "\0")), stored]),
      },
    ]),
    says,
  });
  const nonsense = /sparse map of .*root\.img is not valid/;
  return [
    old(
      "stretches that overlap",
      8192,
      [
        [0, 512],
        [256, 512],
      ],
      nonsense,
    ),
    old(
      "stretches in the wrong order",
      8192,
      [
        [4096, 512],
        [0, 512],
      ],
      nonsense,
    ),
    old("a stretch beyond the end", 4096, [[3840, 1024]], nonsense),
    old("a last entry beyond the end", 512, [[0, 1024]], nonsense),
    old("larger than its partition", 10 * 1024 ** 3, [[0, 1024]], /root\.img is larger than its partition/),
    old("larger than its partition, all holes", 2 ** 42, [], /root\.img is larger than its partition/, Buffer.alloc(0)),
    old(
      "cut off in its map",
      1_000_000,
      Array.from({ length: 30 }, (_, index) => [index * 1024, 512] as const),
      /cut off/,
      Buffer.alloc(0),
    ),
    { ...old("an entry that is no number", 8192, [[0, 1024]], nonsense), bytes: brokenEntry(386, "notanumber!\0") },
    { ...old("no size", 8192, [[0, 1024]], nonsense), bytes: brokenEntry(483, "???????????\0") },
    { ...old("a stored size that is another one", 8192, [[0, 1024]], nonsense), bytes: brokenEntry(124, "00000001000\0") },
    map("no number of stretches", "many\n0\n1024\n", nonsense),
    map("a negative offset", "1\n-512\n1024\n", nonsense),
    map("fewer stretches than it says", "3\n0\n512\n1024\n512\n", nonsense),
    map("stretches that overlap", "2\n0\n512\n256\n512\n", nonsense),
    map("a stretch beyond the end", "1\n8000\n1024\n", nonsense),
    map("more data than in the map", "1\n0\n512\n", nonsense),
    map("less data than in the map", "1\n0\n2048\n", nonsense),
    map("millions of stretches", "999999999\n0\n1\n", nonsense),
    map("larger than its partition", "1\n0\n1024\n", /larger than its partition/, 2 ** 40),
  ];
}

/** A sparse root.img with something else at that place of its header, and the checksum right. */
function brokenEntry(at: number, text: string): Buffer {
  const header = sparseHeader("root.img", 8192, [{ offset: 0, length: 1024 }]);
  header.write(text, at, "latin1");
  header.write("        ", 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([rawTar([VERSION, BOOT], { end: false }), header, noise(1024, "sparse"), Buffer.alloc(1024)]);
}

function paxHeader(records: Readonly<Record<string, string>>): string {
  return Object.entries(records)
    .map(([key, value]) => paxRecord(key, value))
    .join("");
}

function pax(): readonly BadImageCase[] {
  const before = (content: string | Uint8Array, says: RegExp, name: string, size?: number): BadImageCase => ({
    name: `a pax header ${name}`,
    bytes: rawTar([VERSION, { name: "x", type: "x", content, ...(size === undefined ? {} : { size }) }, BOOT, ROOT]),
    says,
  });
  return [
    before(paxHeader({ path: "../../etc/passwd" }), /with \.\. in it/, "with another name"),
    before(paxHeader({ path: "root.img2" }), /not part of/, "with a foreign name"),
    before(paxHeader({ size: "99999999999" }), /two sizes/, "with another size"),
    before(paxHeader({ size: "many" }), /no number/, "with a size in words"),
    before(paxHeader({ path: "boot.img" }) + paxHeader({ path: "root.img" }), /twice/, "with two names"),
    before("12 nonsense", /pax header of the tar is damaged/, "with a wrong length"),
    before("no length at all\n", /pax header of the tar is damaged/, "without lengths"),
    before("9 =value\n", /pax header of the tar is damaged/, "without a key"),
    before("99999 a=b\n", /pax header of the tar is damaged/, "that is longer than itself"),
    before(
      paxHeader({ "GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.map": "0,6000" }),
      /the sparse format 0\.1/,
      "of sparse format 0.1",
    ),
    before(paxHeader({ "GNU.sparse.numblocks": "1" }), /the sparse format 0/, "of sparse format 0.0"),
    before(paxHeader({ "GNU.sparse.major": "1", "GNU.sparse.minor": "0" }), /without its size/, "of a sparse file without its size"),
    before(Buffer.alloc(70_000, "a"), /a pax header of 70000 bytes/, "of 70000 bytes"),
    {
      name: "a pax header of a pax header",
      bytes: rawTar([
        VERSION,
        { name: "x", type: "x", content: paxHeader({ path: "boot.img" }) },
        { name: "x", type: "x", content: paxHeader({ path: "boot.img" }) },
        BOOT,
        ROOT,
      ]),
      says: /a member of type "x"/,
    },
  ];
}

function behindTheEnd(): readonly BadImageCase[] {
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

function noImages(): readonly BadImageCase[] {
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

function manifests(): readonly BadImageCase[] {
  const right = manifestOf(smallImage);
  const boot = right.members["boot.img"];
  const wrong = "0".repeat(64);
  const other = manifestOf({ ...smallImage, boot: noise(6000, "other") });
  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    ["of another boot.img", other, /boot\.img is not what the manifest says, from byte 0 on/],
    ["of a longer boot.img", manifestOf({ ...smallImage, boot: noise(7000, "boot") }), /boot\.img has another size than the manifest says/],
    [
      "of another root.img",
      manifestOf({ ...smallImage, root: noise(smallImage.root.length, "other") }),
      /root\.img is not what the manifest says/,
    ],
    ["of another version", { ...right, version: "2.0.1" }, /VERSION\.TXT is not the version of the manifest/],
    ["of another format", { ...right, format: 2 }, /MANIFEST\.json is not valid/],
    ["of another chunk size", { ...right, chunkBytes: CHUNK_BYTES / 2 }, /MANIFEST\.json is not valid/],
    ["without members", { ...right, members: {} }, /MANIFEST\.json is not valid/],
    ["with one more member", { ...right, members: { ...right.members, "etc.img": boot } }, /MANIFEST\.json is not valid/],
    ["with one more field", { ...right, run: "reboot" }, /MANIFEST\.json is not valid/],
    [
      "with a digest that does not follow",
      { ...right, members: { ...right.members, "boot.img": { ...boot, digest: wrong } } },
      /digest of boot\.img that does not follow/,
    ],
    [
      "with too many chunks",
      { ...right, members: { ...right.members, "boot.img": { ...boot, chunks: [...boot.chunks, wrong] } } },
      /2 chunks for the 6000 bytes/,
    ],
    ["without chunks", { ...right, members: { ...right.members, "boot.img": { ...boot, chunks: [] } } }, /MANIFEST\.json is not valid/],
    [
      "with a hash in capitals",
      { ...right, members: { ...right.members, "boot.img": { ...boot, digest: boot.digest.toUpperCase() } } },
      /MANIFEST\.json is not valid/,
    ],
    ["with a size of 0", { ...right, members: { ...right.members, "boot.img": { ...boot, bytes: 0 } } }, /MANIFEST\.json is not valid/],
    ["that is null", null, /MANIFEST\.json is not valid/],
  ];
  const at = (order: readonly EntryName[], place: string): readonly BadImageCase[] =>
    cases.map(([name, value, says]) => ({
      name: `a manifest ${name}, ${place}`,
      bytes: rawTar(order.map((each) => (each === "MANIFEST.json" ? { name: each, content: JSON.stringify(value) } : good[each]))),
      says,
    }));
  return [
    ...at(usualOrder, "first"),
    ...at(["VERSION.TXT", "boot.img", "root.img", "MANIFEST.json"], "last"),
    {
      name: "a manifest that is no JSON",
      bytes: rawTar([VERSION, { name: "MANIFEST.json", content: "{" }, BOOT, ROOT]),
      says: /MANIFEST\.json is not valid/,
    },
    { name: "an empty manifest", bytes: rawTar([VERSION, { name: "MANIFEST.json" }, BOOT, ROOT]), says: /MANIFEST\.json is not valid/ },
  ];
}

function versions(): readonly BadImageCase[] {
  return ["", "\n", "2.0 0", "2.0.0\n2.0.1\n", "2.0.0\u0000", "\u001b[2J", "ü", "x".repeat(257), " 2.0.0"].map((version) => ({
    name: `the version ${JSON.stringify(version.slice(0, 20))}`,
    bytes: rawTar([{ name: "VERSION.TXT", content: version }, BOOT, ROOT]),
    says: /VERSION\.TXT is not valid/,
  }));
}

function bombs(): readonly BadImageCase[] {
  const zeros = Buffer.alloc(64 * 1024 * 1024);
  return [
    ...formats.slice(1).map((format) => ({
      name: `${format} of 64 MiB of zeros in boot.img`,
      bytes: compressions[format](rawTar([VERSION, { name: "boot.img", content: zeros }])),
      says: /boot\.img is larger than its partition/,
    })),
    {
      name: "tar.zst of 64 MiB of zeros behind the end",
      bytes: compressions["tar.zst"](Buffer.concat([imageTar(smallImage), zeros])),
      says: /more than 1048576 bytes of padding/,
    },
    {
      name: "a VERSION.TXT of 1 MiB",
      bytes: rawTar([{ name: "VERSION.TXT", content: Buffer.alloc(1024 * 1024, "1") }]),
      says: /1048576 bytes, expected at most 4096/,
    },
    {
      name: "a MANIFEST.json of 9 MiB",
      bytes: compressions["tar.gz"](rawTar([{ name: "MANIFEST.json", content: Buffer.alloc(9 * 1024 * 1024, " ") }])),
      says: /expected at most 8388608/,
    },
    {
      name: "tar.zst with a window of 128 MiB",
      bytes: zstdCompressSync(Buffer.concat([imageTar(smallImage), noise(1000, "w")]), {
        params: { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_contentSizeFlag]: 0 },
      }),
      says: /too much memory|after the end/,
    },
  ];
}
