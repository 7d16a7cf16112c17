import { sparseHeader } from "../../../image/update/update-tar.ts";
import { BOOT, type BadImageCase, ROOT, VERSION } from "./case.ts";
import { paxRecord, rawTar } from "../raw-tar.ts";
import { noise } from "../update-images.ts";

export function sparse(): readonly BadImageCase[] {
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

export function pax(): readonly BadImageCase[] {
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
