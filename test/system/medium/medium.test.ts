import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import { parseUdevData, searchMedia } from "../../../src/medium/medium.ts";
import { machineWithDisks } from "../../support/disks.ts";

/**
 * Media that other tools make, by mkfs.vfat(8) and with bytes changed where that one never leaves them so; what udev knows of them
 * is what libblkid says. Only the kernel's mount is played: test/vm/media.test.ts has it.
 */
let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "medium-"));
});
afterAll(() => rmSync(root, { recursive: true }));

/** FAT32 begins at 65,525 clusters (3.5), which are one sector here. */
const MEBIBYTES = { 12: 1, 16: 4, 32: 36 } as const;
type Bits = keyof typeof MEBIBYTES;

/** Where label and type are in the boot sector (Microsoft's FAT specification, 3.2 and 3.3). */
const PLACES = { 12: { label: 43, type: 54 }, 16: { label: 43, type: 54 }, 32: { label: 71, type: 82 } } as const;

interface Medium {
  readonly label?: string;
  /** No entry for the label in the root folder. */
  readonly withoutEntry?: boolean;
  /** Blanks for "FAT16   ". */
  readonly blankType?: boolean;
  readonly bootLabel?: string;
}

function makeMedium(bits: Bits, { label, withoutEntry = false, blankType = false, bootLabel }: Medium): string {
  const file = join(mkdtempSync(join(root, "image-")), "medium.img");
  const name = label === undefined ? [] : ["-n", label];
  const made = spawnSync("mkfs.vfat", ["-F", String(bits), "-s", "1", ...name, "-C", file, String(MEBIBYTES[bits] * 1024)], {
    encoding: "utf8",
  });
  if (made.status !== 0) throw new Error(made.stderr);
  const bytes = readFileSync(file);
  const places = PLACES[bits];
  if (withoutEntry) {
    // ATTR_VOLUME_ID (6.1): a name of eleven characters, and 8.
    const entry = bytes.indexOf(`${(label ?? "").padEnd(11)}\x08`);
    if (entry === -1) throw new Error("the label has no entry");
    bytes.fill(0, entry, entry + 32);
  }
  if (blankType) bytes.write(" ".repeat(8), places.type);
  if (bootLabel !== undefined) bytes.write(bootLabel.padEnd(11), places.label);
  writeFileSync(file, bytes);
  return file;
}

/** What udev's own blkid keeps: it knows no LABEL_FATBOOT. */
function udevOf(file: string): Readonly<Record<string, string>> {
  const { stdout } = spawnSync("blkid", ["-p", "-o", "udev", file], { encoding: "utf8" });
  return Object.fromEntries(Object.entries(parseUdevData(stdout.replaceAll(/^(?=ID_)/gm, "E:"))));
}

const MOUNT = "mount -t vfat -o ro,umask=0077,nodev,nosuid,noexec -- /dev/vdb /run/guestos-boot/medium";
const TAR = "/run/guestos-boot/medium/ic-bootstrap.tar";

async function search(file: string, removable: boolean) {
  const sector = readFileSync(file).subarray(0, 4096);
  const host = machineWithDisks(
    { vdb: { removable, udev: udevOf(file) } },
    { "/dev/vdb": sector, [TAR]: "the tar" },
    { [MOUNT]: "", "umount -- /run/guestos-boot/medium": "" },
  );
  const { found, seen } = await searchMedia(host, guestosLayout, async () => "");
  return found.length > 0 ? "found" : seen.find((text) => text.includes("vdb"));
}

const UNKNOWN = "vdb (neither removable, nor of that serial or label)";

test.each<readonly [string, Medium, { readonly fixed: string; readonly removable: string }]>([
  ["the label CONFIG", { label: "CONFIG" }, { fixed: "found", removable: "found" }],
  ["the label config", { label: "config" }, { fixed: "found", removable: "found" }],
  ["the label in its boot sector alone", { label: "CONFIG", withoutEntry: true }, { fixed: "found", removable: "found" }],
  ["the label config in its boot sector alone", { label: "config", withoutEntry: true }, { fixed: "found", removable: "found" }],
  ["a blank type", { label: "CONFIG", blankType: true }, { fixed: "found", removable: "found" }],
  [
    "a blank type, and the label in its boot sector alone",
    { label: "CONFIG", withoutEntry: true, blankType: true },
    { fixed: "found", removable: "found" },
  ],
  ["another label, and CONFIG left in its boot sector", { label: "OTHER", bootLabel: "CONFIG" }, { fixed: UNKNOWN, removable: "found" }],
  ["no label", {}, { fixed: UNKNOWN, removable: "found" }],
  ["no label and a blank type", { blankType: true }, { fixed: UNKNOWN, removable: "found" }],
])("a VFAT with %s", async (_, medium, { fixed, removable }) => {
  for (const bits of [12, 16, 32] as const) {
    const file = makeMedium(bits, medium);
    expect(await search(file, false), `FAT${bits}, fixed`).toBe(fixed);
    expect(await search(file, true), `FAT${bits}, removable`).toBe(removable);
  }
});

test.each([
  ["ext4", ["mkfs.ext4", "-q", "-L", "config"]],
  ["swap", ["mkswap", "--label", "CONFIG"]],
] as const)("a file system that is no VFAT is not mounted, whatever its label: %s", async (_, [program, ...args]) => {
  const file = join(mkdtempSync(join(root, "image-")), "other.img");
  writeFileSync(file, Buffer.alloc(8 * 1024 ** 2));
  expect(spawnSync(program, [...args, file]).status).toBe(0);
  expect(await search(file, false)).toMatch(/^\/dev\/vdb \(label config; no VFAT on it\)$/i);
});

test("a VFAT that wipefs(8) has taken the marks from is none, though the kernel would still mount it", async () => {
  const file = makeMedium(16, { label: "CONFIG" });
  expect(spawnSync("wipefs", ["--quiet", "--all", file]).status).toBe(0);
  expect(await search(file, true)).toBe("/dev/vdb (removable; no VFAT on it)");
});

test("a partition table alone is no VFAT", async () => {
  const file = join(mkdtempSync(join(root, "image-")), "table.img");
  writeFileSync(file, Buffer.alloc(8 * 1024 ** 2));
  expect(spawnSync("sfdisk", ["--quiet", file], { input: "label: dos\nstart=2048\n" }).status).toBe(0);
  expect(await search(file, true)).toBe("/dev/vdb (removable; no VFAT on it)");
});
