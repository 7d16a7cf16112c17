import { mkdir, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { ProblemError } from "../src/base/problem.ts";
import { tool } from "./tool.ts";

export interface DiskOptions {
  /** The image that the disk starts as. It must not change as long as the disk is used. */
  readonly backing: string;
  /** The file to make; one that is there is replaced. */
  readonly path: string;
  /** As for qemu-img: "16G". The backing image's own size when absent; never smaller than that. */
  readonly size?: string;
  /** Copy instead of refer: for a disk that outlives the image it was made from. A raw disk is always a copy. */
  readonly copy?: boolean;
  /** qcow2 when absent. */
  readonly format?: "qcow2" | "raw";
}

/** Makes a disk from an image, enlarged as a host enlarges it: what is new is behind the backup GPT. */
export async function makeDisk({ backing, path, size, copy = false, format: wanted = "qcow2" }: DiskOptions): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  const { format, bytes } = await diskFacts(backing);
  if (copy || wanted === "raw") {
    await tool("qemu-img", ["convert", "-f", format, "-O", wanted, backing, path], { timeout: 600_000 });
    if (size !== undefined) await tool("qemu-img", ["resize", "-q", "-f", wanted, path, size]);
  } else {
    await tool("qemu-img", ["create", "-q", "-f", "qcow2", "-b", resolve(backing), "-F", format, path, size ?? String(bytes)]);
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
