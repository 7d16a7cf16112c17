import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Options of V8's gc(): the whole heap, and empty memory goes back to the kernel. */
const THOROUGHLY = { type: "major", execution: "sync", flavor: "last-resort" };

let collect: (() => void) | undefined;

/**
 * Returns unused memory to the kernel; takes some hundredths of a second.
 *
 * For a process that sleeps most of the time: V8 keeps garbage until it needs the space. In a process with so little to do, that is tens of
 * MiB later.
 */
export function freeMemory(): void {
  collect ??= collector();
  collect();
}

/** From now on V8 only interprets. Its compilers would take several MiB to speed up a process that has little to do. */
export function interpretOnly(): void {
  for (const compiler of ["opt", "maglev", "sparkplug"]) setFlagsFromString(`--no-${compiler}`);
}

function collector(): () => void {
  // Contexts made under this option have the function.
  setFlagsFromString("--expose-gc");
  const gc: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  if (typeof gc !== "function") throw new TypeError("this V8 has no gc()");
  return () => void Reflect.apply(gc, undefined, [THOROUGHLY]);
}
