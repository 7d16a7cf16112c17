import { getRawAsset } from "node:sea";
import { Script } from "node:vm";
import { translatedArguments } from "../src/cli/manageboot.ts";
import { answersVersion } from "../src/cli/version.ts";
import type { Program } from "./code-cache.ts";

if (!answersVersion(translatedArguments(process.argv0, process.argv.slice(2)))) start();

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
