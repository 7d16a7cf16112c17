import { constants, zstdCompressSync } from "node:zlib";
import { CHUNK_BYTES } from "../../../src/upgrade/manifest.ts";
import { BOOT, type BadImageCase, good, ROOT, VERSION } from "./case.ts";
import { rawTar } from "../raw-tar.ts";
import { compressions, type EntryName, formats, imageTar, manifestOf, noise, smallImage, usualOrder } from "../update-images.ts";

export function manifests(): readonly BadImageCase[] {
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

export function versions(): readonly BadImageCase[] {
  return ["", "\n", "2.0 0", "2.0.0\n2.0.1\n", "2.0.0\u0000", "\u001b[2J", "ü", "x".repeat(257), " 2.0.0"].map((version) => ({
    name: `the version ${JSON.stringify(version.slice(0, 20))}`,
    bytes: rawTar([{ name: "VERSION.TXT", content: version }, BOOT, ROOT]),
    says: /VERSION\.TXT is not valid/,
  }));
}

export function bombs(): readonly BadImageCase[] {
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
