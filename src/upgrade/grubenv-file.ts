import type { Host } from "../system/host.ts";
import { ProblemError } from "../base/problem.ts";
import { GRUBENV_BYTES, SECTOR } from "./grubenv.ts";

/**
 * Writes a block so that GRUB finds either the old or the new state at every moment, whatever part has reached the disk. The write is in
 * place, with one sync, and read back. The file is on VFAT, where a rename is not atomic.
 *
 * Where both sectors change, the first one is written alone, ahead of both: it holds the boot state, and a disk may write the two in any
 * order. Only where no file of the right length exists is a new file written beside and renamed. It is then written once more in place,
 * because only the file's own sync after the rename makes its directory entry durable.
 *
 * @param before the current bytes of the file
 * @throws ProblemError when the content read back differs
 */
export async function writeGrubenv(host: Host, file: string, before: Uint8Array | undefined, block: Uint8Array): Promise<void> {
  if (before?.length !== GRUBENV_BYTES) {
    await host.writeFile(file, block, { mode: 0o644 });
  } else if (differ(before, block, 0, SECTOR) && differ(before, block, SECTOR, GRUBENV_BYTES)) {
    await host.writeInPlace(file, block.subarray(0, SECTOR));
  }
  await host.writeInPlace(file, block);
  const found = await host.readBytes(file);
  if (found !== undefined && Buffer.compare(found, block) === 0) return;
  throw new ProblemError({
    code: "grubenv-not-written",
    what: "the boot loader's environment block is not what was just written",
    where: { file },
    found: found === undefined ? "no such file" : `${found.length} other bytes`,
    todo: "check for disk errors (dmesg); the machine may start another system than the one that is wanted",
  });
}

function differ(one: Uint8Array, two: Uint8Array, from: number, to: number): boolean {
  return Buffer.compare(one.subarray(from, to), two.subarray(from, to)) !== 0;
}
