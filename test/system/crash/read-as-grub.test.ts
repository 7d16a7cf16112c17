import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tool } from "../../../lab/tool.ts";
import { readAsGrub } from "../../crash/read-as-grub.ts";

test("a file that GRUB does not find is none, and a disk that is not there an error", async () => {
  const folder = await mkdtemp(join(tmpdir(), "read-as-grub-"));
  try {
    const [disk, file] = [join(folder, "disk"), join(folder, "file")];
    await writeFile(file, "a block");
    await tool("mkfs.vfat", ["-C", "-F", "16", "-s", "1", disk, "4096"]);
    await tool("mcopy", ["-i", disk, file, "::grubenv"]);
    expect(Buffer.from(readAsGrub(disk, "grubenv") ?? []).toString()).toBe("a block");
    expect(readAsGrub(disk, "nothing")).toBeUndefined();
    expect(() => readAsGrub(join(folder, "nothing"), "grubenv")).toThrow(/can't open/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
