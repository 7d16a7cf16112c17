import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { step } from "./hook.ts";

const { open, rename, rm, mkdir, readdir } = fs;
const creates = (flags: unknown): boolean => typeof flags === "string" && /^[wa]/.test(flags);

/** The methods of a file handle, which no module exports. */
const handle = await open("/dev/null");
const methods = Object.getPrototypeOf(handle) as fs.FileHandle;
const { writeFile, chmod } = methods;
/** Of its overloads, the one that is used. */
const write = methods.write as (
  this: fs.FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number | null,
) => Promise<unknown>;
await handle.close();

/** Makes every change to a file that Node is asked for a step of the effect that it belongs to. */
export function hookFileSteps(): void {
  Object.assign(fs, {
    open: async (...args: Parameters<typeof open>) => {
      if (creates(args[1])) await step();
      return open(...args);
    },
    rename: async (...args: Parameters<typeof rename>) => {
      await step();
      return rename(...args);
    },
    mkdir: async (...args: Parameters<typeof mkdir>) => {
      await step();
      return mkdir(...args);
    },
    rm: async (...args: Parameters<typeof rm>) => {
      const [path, options] = args;
      const first = options?.recursive === true ? (await readdir(String(path)).catch(() => []))[0] : undefined;
      await step(async () => (first === undefined ? undefined : rm(join(String(path), first), { recursive: true })));
      return rm(...args);
    },
  });
  Object.assign(methods, {
    async writeFile(this: fs.FileHandle, data: string | Uint8Array) {
      const bytes = Buffer.from(data);
      if (bytes.length > 0) await step(async () => write.call(this, bytes, 0, Math.ceil(bytes.length / 2), null));
      return writeFile.call(this, data);
    },
    async write(this: fs.FileHandle, buffer: Uint8Array, offset = 0, length = buffer.byteLength - offset, position: number | null = null) {
      await step(async () => write.call(this, buffer, offset, Math.ceil(length / 2), position));
      return write.call(this, buffer, offset, length, position);
    },
    async chmod(this: fs.FileHandle, mode: number) {
      await step();
      return chmod.call(this, mode);
    },
  });
  syncBuiltinESMExports();
}
