import { existsSync } from "node:fs";
import { getAsset, getAssetKeys, getRawAsset } from "node:sea";
import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";
import { translatedArguments } from "../src/cli/manageboot.ts";
import { answersVersion } from "../src/cli/version.ts";
import type { Program } from "./code-cache.ts";

/** What src/cli/monitor-main.ts is called in the executable (tools/executable.ts). */
const RESIDENT = "resident.js";

const args = translatedArguments(process.argv0, process.argv.slice(2));
if (!answersVersion(args)) {
  if (isResident()) startResident();
  else start();
}

/**
 * `monitor` and nothing else, by root: everything that can be wrong with a command line is left to the program. So is a configuration
 * file, which may say that things are named otherwise, or are off.
 */
function isResident(): boolean {
  return (
    !existsSync("/etc/guestos-boot/config.yaml") &&
    args.length === 1 &&
    args[0] === "monitor" &&
    process.getuid?.() === 0 &&
    getAssetKeys().includes(RESIDENT)
  );
}

/**
 * It stays for as long as the node runs: the program and its cache would take another fifth of the memory. Too small for a cache of its own.
 *
 * V8 only interprets it. It has little to do, and V8's compilers would take 5 MiB for making that faster.
 */
function startResident(): void {
  for (const compiler of ["opt", "maglev", "sparkplug"]) setFlagsFromString(`--no-${compiler}`);
  (new Script(getAsset(RESIDENT, "utf8"), { filename: "guestos-boot" }).runInThisContext() as Program)(require, { exports: {} });
}

/**
 * Takes the program and its code cache (tools/code-cache.ts) out of the executable, and starts it.
 *
 * V8 refuses a cache that another V8 made, or the same one with other options. The program is compiled as it runs then, which is
 * slower and nothing else.
 */
function start(): void {
  // ASCII (tools/executable.ts), so that nothing has to be decoded, and a character is a byte in memory.
  const source = Buffer.from(getRawAsset("program.js")).toString("latin1");
  const script = new Script(source, {
    filename: "guestos-boot",
    cachedData: new Uint8Array(getRawAsset("program.cache")),
  });
  (script.runInThisContext() as Program)(require, { exports: {} });
}
