/**
 * `node tools/code-cache.ts PROGRAM CACHE [REHEARSAL]`: compiles a bundled program and leaves V8's code cache for it.
 *
 * Functions are compiled when they are first called, and a cache holds those that have been: REHEARSAL, a module, runs the program
 * as it is run most often. The same program and rehearsal give the same bytes.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";

/** What the bundle evaluates to (tools/executable.ts). */
export type Program = (load: NodeJS.Require, module: { readonly exports: object }) => void;
/** Runs a program any number of times, in the way that a rehearsal finds useful. */
export type Rehearsal = (program: Program, load: NodeJS.Require) => Promise<void>;

const [programFile = "", cacheFile = "", rehearsalFile] = process.argv.slice(2);
const script = new Script(readFileSync(programFile, "utf8"), { filename: "guestos-boot" });
const program = script.runInThisContext() as Program;
if (rehearsalFile !== undefined) {
  const { rehearse } = (await import(pathToFileURL(rehearsalFile).href)) as { readonly rehearse: Rehearsal };
  await rehearse(program, createRequire(import.meta.url));
}
// A cache is valid under the options that it was made under: those that tools/executable.ts starts us with, taken back.
setFlagsFromString("--min-semi-space-size=0");
setFlagsFromString("--max-semi-space-size=0");
writeFileSync(cacheFile, script.createCachedData());
