import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Of V8's gc(): all of the heap, and what is empty then goes back to the kernel. */
const THOROUGHLY = { type: "major", execution: "sync", flavor: "last-resort" };

let collect: (() => void) | undefined;

/**
 * Gives the memory of all that is no longer used back to the kernel; takes some hundredths of a second.
 *
 * For a process that sleeps most of the time: V8 lets garbage lie until it needs the room, and in a process that does so little
 * that is tens of MiB later.
 */
export function freeMemory(): void {
  collect ??= collector();
  collect();
}

/** From now on V8 only interprets. Its compilers would take several MiB for making faster what a process that sleeps has little of. */
export function interpretOnly(): void {
  for (const compiler of ["opt", "maglev", "sparkplug"]) setFlagsFromString(`--no-${compiler}`);
}

function collector(): () => void {
  // Contexts that are made under this option have the function.
  setFlagsFromString("--expose-gc");
  const gc: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  if (typeof gc !== "function") throw new TypeError("this V8 has no gc()");
  return () => void Reflect.apply(gc, undefined, [THOROUGHLY]);
}
