/** Takes the place of src/system/disks/direct-file.ts: writes to a slot are effects like any other. */
import * as real from "../../../src/system/disks/direct-file.ts";
import { requireOwn } from "./bounds.ts";
import { effect } from "./hook.ts";

export * from "../../../src/system/disks/direct-file.ts";

export async function openDirect(path: string, bytes: number, access: "read" | "write"): Promise<real.DirectFile> {
  if (access === "write") requireOwn(path);
  const file = await real.openDirect(path, bytes, access);
  return {
    ...file,
    write: async (buffer, offset) => effect(`write ${path} at ${offset}`, async () => file.write(buffer, offset)),
    sync: async () => effect(`sync ${path}`, async () => file.sync()),
  };
}
