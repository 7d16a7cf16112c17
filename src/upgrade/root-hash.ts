import type { Slot } from "../config/layout/layout.ts";
import { CommandError } from "../system/command.ts";
import type { Host } from "../system/host.ts";
import { BadImage } from "./bad-image.ts";
import type { Place, SlotPlaces } from "./slot-places.ts";

/** What the kernel's command line of a slot says of its root (docs/image.md, "A root that is verified"). */
export interface RootHash {
  /** SHA-256 of the top of the hash tree, 64 lowercase hexadecimal digits. */
  readonly hash: string;
  /** Bytes from the partition's beginning to veritysetup's superblock, behind which the tree is. */
  readonly offset: number;
}

/** Where the images of IC-OS have their tree, whose command line does not say it (dfinity/ic, initramfs-tools/guestos/…/verity-root). */
const IC_OS_OFFSET = 10_603_200_512;
/** ext4: s_magic of the superblock (Documentation/filesystems/ext4/super.rst). */
const EXT4_MAGIC = { offset: 1024 + 0x38, bytes: Buffer.from([0x53, 0xef]) };
/** Bytes of a block of the tree. */
const BLOCK = 4096;
/** Bytes; the host reads no more of it either. */
const MAX_BOOT_ARGS = 64 * 1024;
/** Milliseconds for a root of 10 GiB on a slow disk. */
const VERIFY_TIMEOUT = 60 * 60_000;

/**
 * Finds the root hash in the file `boot_args` of a boot partition: of the line that GRUB takes, and of that of a host that boots the kernel
 * itself. The last line of a name counts, and the last word of a line, as for their readers.
 *
 * @returns `undefined` where no line has one, as in images from before there was a hash tree
 * @throws BadImage for a hash or an offset that is none, or where the two lines differ
 */
export function rootHashIn(bootArgs: string, slot: Slot): RootHash | undefined {
  const lines = bootArgs.split("\n").map((line) => line.trim());
  const values = [`boot_args_${slot}=`, `BOOT_ARGS_${slot}=`]
    .map((name) => lines.findLast((line) => line.startsWith(name))?.slice(name.length))
    .filter((value) => value !== undefined);
  const [first, ...others] = values.map(wordsOf);
  if (first === undefined) return undefined;
  const differs = others.find((other) => other.hash !== first.hash || other.offset !== first.offset);
  if (differs !== undefined) throw notValid(`${text(first)} in one line, ${text(differs)} in the other`);
  if (first.hash === undefined) return undefined;
  const { hash, offset = String(IC_OS_OFFSET) } = first;
  if (!/^[0-9a-f]{64}$/.test(hash) || !/^[1-9]\d{0,14}$/.test(offset) || Number(offset) % BLOCK !== 0) throw notValid(text(first));
  return { hash, offset: Number(offset) };
}

interface Words {
  readonly hash: string | undefined;
  readonly offset: string | undefined;
}

function wordsOf(value: string): Words {
  const words = value.split(/[\s"']+/);
  const last = (name: string): string | undefined => words.findLast((word) => word.startsWith(name))?.slice(name.length);
  return { hash: last("root_hash="), offset: last("root_hash_offset=") };
}

function text({ hash, offset }: Words): string {
  const words = [hash === undefined ? [] : [`root_hash=${hash}`], offset === undefined ? [] : [`root_hash_offset=${offset}`]].flat();
  return words.length === 0 ? "none" : words.join(" ").slice(0, 200);
}

function notValid(found: string): BadImage {
  return new BadImage({
    code: "root-hash-not-valid",
    what: "the kernel's command line in boot.img has no valid root hash",
    found,
    expected: "root_hash= with a SHA-256, root_hash_offset= with a multiple of 4096 bytes, the same in each line of the slot",
  });
}

/**
 * Verifies the root of a slot, as it is on the disk, with the hash that its kernel will be given: every block, by veritysetup(8).
 *
 * @returns the hash; `undefined` where the image has none
 * @throws BadImage where a block or the tree does not match. ProblemError where that cannot be found out
 */
export async function verifyRoot(host: Host, { boot, root }: SlotPlaces, slot: Slot): Promise<RootHash | undefined> {
  const expected = rootHashIn(await bootArgsOn(host, boot), slot);
  if (expected === undefined) return undefined;
  const { hash, offset } = expected;
  const args = ["verify", root.path, root.path, hash, `--hash-offset=${offset}`];
  try {
    await host.run({ program: "veritysetup", args, timeout: VERIFY_TIMEOUT });
  } catch (error) {
    // Anything else, such as a disk that cannot be read, is no fault of the image.
    if (!(error instanceof CommandError) || !/Verification .*failed|not a valid VERITY device/.test(error.stderr)) throw error;
    throw new BadImage(
      {
        code: "root-hash-differs",
        what: "root.img does not match the root hash in boot.img",
        found: error.problem.found ?? "",
        expected: `root_hash=${hash}, with the hash tree at byte ${offset}`,
      },
      error,
    );
  }
  return expected;
}

/**
 * @returns the file's text; an empty one where the partition holds no ext4, or no such file
 * @throws BadImage where the file system cannot be read
 */
async function bootArgsOn(host: Host, { path }: Place): Promise<string> {
  const magic = await host.readAt(path, EXT4_MAGIC.offset, EXT4_MAGIC.bytes.length);
  if (magic === undefined || !EXT4_MAGIC.bytes.equals(magic)) return "";
  const { stdout, stderr } = await host.run({ program: "debugfs", args: ["-R", "cat /boot_args", path], maxOutput: MAX_BOOT_ARGS });
  // It ends with 0 whatever happened; its first line is its version.
  const complaints = stderr.split("\n").filter((line) => line !== "" && !/^debugfs \d/.test(line));
  if (complaints.length === 0) return stdout;
  if (complaints.every((line) => line.includes("File not found"))) return "";
  throw new BadImage({ code: "boot-args-unreadable", what: "the file boot_args in boot.img cannot be read", found: complaints.join("; ") });
}
