import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Slot } from "../../src/config/layout/layout.ts";
import { guestosLayout } from "../../src/config/layout/layout.ts";
import { type GuestPlaces, guestPlaces } from "../../src/guest/places.ts";
import { testLayout } from "./test-layout.ts";
import { type LastAct, tinyKernel } from "./tiny-guest.ts";

const MIB = 1024 * 1024;
const PARTITIONS = ["esp", "grub", "config", "A_boot", "B_boot"] as const;
/** Each has 8 MiB, from the first one on. */
const startOf = (name: (typeof PARTITIONS)[number]): number => 1 + 8 * PARTITIONS.indexOf(name);

function tool(program: string, args: readonly string[], input?: string): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", ...(input === undefined ? {} : { input }) });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
  return stdout;
}

function sized(file: string, bytes: number): void {
  writeFileSync(file, "");
  truncateSync(file, bytes);
}

/** The disk of a tiny guest, as a file: both slots with a kernel, and the boot loader's block. */
class GuestDisk {
  readonly path: string;
  readonly #folder: string;

  constructor(folder: string, block: Uint8Array) {
    this.#folder = folder;
    this.path = join(folder, "guest-disk");
    sized(this.path, 48 * MIB);
    const lines = PARTITIONS.map((name) => `start=${startOf(name)}MiB, size=8MiB, name=${name}`);
    tool("sfdisk", ["--quiet", this.path], `label: gpt\n${lines.join("\n")}\n`);
    const grub = join(folder, "grub.part");
    sized(grub, 8 * MIB);
    tool("mkfs.vfat", [grub]);
    writeFileSync(join(folder, "grubenv"), block);
    tool("mcopy", ["-i", grub, join(folder, "grubenv"), "::grubenv"]);
    this.put("grub", grub);
    for (const slot of ["A", "B"] as const) this.slot(slot, bootFiles(slot, "hang"));
  }

  /** Writes the boot partition of a slot anew, with those files. */
  slot(slot: Slot, files: Readonly<Record<string, string | Uint8Array>>): void {
    const content = join(this.#folder, `${slot}_boot`);
    rmSync(content, { recursive: true, force: true });
    mkdirSync(content);
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(content, name), bytes);
    this.folder(slot, content);
  }

  /** The same, with all that is in a folder. */
  folder(slot: Slot, content: string): void {
    const image = join(this.#folder, `${slot}_boot.part`);
    rmSync(image, { force: true });
    tool("mkfs.ext4", ["-q", "-O", "^has_journal", "-d", content, image, "8M"]);
    this.put(`${slot}_boot`, image);
  }

  /** Flips a bit of a file's inode in the boot partition of a slot, beside the checksum that the inode has. */
  damage(slot: Slot, file: string): void {
    const image = join(this.#folder, `${slot}_boot.part`);
    const [, block = "", offset = ""] = /block (\d+), offset 0x([\da-f]+)/.exec(tool("debugfs", ["-R", `imap ${file}`, image])) ?? [];
    const [, size = ""] = /^Block size: +(\d+)$/m.exec(tool("dumpe2fs", ["-h", image])) ?? [];
    // A byte of its i_ctime.
    const at = Number(block) * Number(size) + Number.parseInt(offset, 16) + 12;
    const bytes = readFileSync(image);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    writeFileSync(image, bytes);
    this.put(`${slot}_boot`, image);
  }

  /** Writes down what the kernel is to do where it finds damage in the boot partition of a slot: "panic", say. */
  onDamage(slot: Slot, does: string): void {
    const image = join(this.#folder, `${slot}_boot.part`);
    tool("tune2fs", ["-e", does, image]);
    this.put(`${slot}_boot`, image);
  }

  put(name: (typeof PARTITIONS)[number], file: string): void {
    tool("dd", [`if=${file}`, `of=${this.path}`, "bs=1M", `seek=${startOf(name)}`, "conv=notrunc", "status=none"]);
  }

  /** The boot loader's block, read without the kernel: as it is on the disk. */
  block(): Uint8Array {
    const out = join(this.#folder, "grubenv.read");
    tool("mcopy", ["-n", "-o", "-i", `${this.path}@@${startOf("grub") * MIB}`, "::grubenv", out]);
    return readFileSync(out);
  }

  setBlock(block: Uint8Array): void {
    writeFileSync(join(this.#folder, "grubenv"), block);
    tool("mcopy", ["-D", "o", "-i", `${this.path}@@${startOf("grub") * MIB}`, join(this.#folder, "grubenv"), "::grubenv"]);
  }
}

export function guestDisk(folder: string, block: Uint8Array): GuestDisk {
  return new GuestDisk(folder, block);
}

/** What the boot partition of a slot holds. Its guest writes its slot, and what it says, and does one thing more. */
export function bootFiles(slot: Slot, last: LastAct, says = ""): Readonly<Record<string, string | Uint8Array>> {
  return {
    vmlinuz: tinyKernel(`slot ${slot}\n${says}`, last),
    "initrd.img": "initrd",
    boot_args: `# of both slots\nBOOT_ARGS_A="console=ttyS0 dfinity.system=A"\nBOOT_ARGS_B='console=ttyS0 dfinity.system=B' # comment\n`,
  };
}

/** The places of a guest below that folder. */
export function testPlaces(folder: string): GuestPlaces {
  const places = guestPlaces(testLayout(folder, guestosLayout));
  return {
    ...places,
    disk: join(folder, "guest-disk"),
    serialLog: join(folder, "serial.log"),
    libvirt: { ...places.libvirt, pids: join(folder, "pids") },
  };
}
