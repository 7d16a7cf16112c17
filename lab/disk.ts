import { mkdir, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { ProblemError } from "../src/base/problem.ts";
import { tool } from "./tool.ts";

export interface DiskOptions {
  /** The image that the disk starts as. It must not change as long as the disk is used. */
  readonly backing: string;
  /** The qcow2 file to make; one that is there is replaced. */
  readonly path: string;
  /** As for qemu-img: "16G". The backing image's own size when absent; never smaller than that. */
  readonly size?: string;
  /** Copy instead of refer: for a disk that outlives the image it was made from. */
  readonly copy?: boolean;
}

/** Makes a qcow2 disk from an image, enlarged as a host enlarges it: what is new is behind the backup GPT. */
export async function makeDisk({ backing, path, size, copy = false }: DiskOptions): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  const { format, bytes } = await diskFacts(backing);
  if (copy) {
    await tool("qemu-img", ["convert", "-f", format, "-O", "qcow2", backing, path], { timeout: 600_000 });
    if (size !== undefined) await tool("qemu-img", ["resize", "-q", "-f", "qcow2", path, size]);
  } else {
    const wanted = size ?? String(bytes);
    await tool("qemu-img", ["create", "-q", "-f", "qcow2", "-b", resolve(backing), "-F", format, path, wanted]);
  }
  return path;
}

/** Format and virtual size (bytes) of a disk image. */
export async function diskFacts(path: string): Promise<{ readonly format: string; readonly bytes: number }> {
  const { stdout } = await tool("qemu-img", ["info", "--output=json", "--force-share", path]);
  const facts: unknown = JSON.parse(stdout);
  if (typeof facts === "object" && facts !== null && "format" in facts && "virtual-size" in facts) {
    const { format, "virtual-size": bytes } = facts;
    if (typeof format === "string" && typeof bytes === "number") return { format, bytes };
  }
  throw new ProblemError({ code: "lab-disk-facts", what: `cannot read the facts of ${path}`, found: stdout });
}
