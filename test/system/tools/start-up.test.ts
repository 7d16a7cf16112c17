import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildExecutable, interpreterOptions } from "../../../tools/executable.ts";

const root = join(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "start-up-"));
const executable = join(folder, "guestos-boot");

async function build(output: string): Promise<void> {
  const [entry, rehearsal] = [join(root, "src/cli/main.ts"), join(root, "tools/rehearsal.ts")];
  await buildExecutable({ entry, output, version: "1.2.3", rehearsal });
}

beforeAll(async () => build(executable), 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Start {
  readonly rejected: boolean;
  /** Parts of Node, as process.moduleLoadList names them. */
  readonly loaded: readonly string[];
  /** How often V8 has collected garbage, where it says so (--trace-gc). */
  readonly collections: number;
}

/** Starts the program as the executable does, but where it can be inspected: its parts are beside it. */
function start(...args: readonly string[]): Start {
  return watchedStart("", args);
}

/** @param watch runs before the program, and its part of Node does not count as loaded */
function watchedStart(watch: string, args: readonly string[]): Start {
  const script = `
    const { readFileSync, writeSync } = require("node:fs");
    const { Script } = require("node:vm");
    const cachedData = readFileSync("program.cache");
    const script = new Script(readFileSync("program.js", "utf8"), { filename: "guestos-boot", cachedData });
    ${watch}
    const before = new Set(process.moduleLoadList);
    const loaded = () => process.moduleLoadList.filter((name) => !before.has(name));
    process.on("exit", () => writeSync(3, JSON.stringify({ rejected: script.cachedDataRejected, loaded: loaded() })));
    script.runInThisContext()(require, { exports: {} });`;
  const stdout = openSync(join(folder, "stdout"), "w");
  const { output } = spawnSync(process.execPath, [...interpreterOptions, "-e", script, "guestos-boot", ...args], {
    cwd: `${executable}.parts`,
    encoding: "utf8",
    // A file, and not standard error: what a pipe there needs of Node is not ours.
    stdio: ["ignore", stdout, "ignore", "pipe"],
  });
  closeSync(stdout);
  const collections = readFileSync(join(folder, "stdout"), "utf8").match(/ ms: (Scavenge|Mark-Compact) /g)?.length ?? 0;
  return { ...(JSON.parse(output[3] ?? "") as Omit<Start, "collections">), collections };
}

test("V8 takes the code that the rehearsal has compiled", () => {
  expect(start("list").rejected).toBe(false);
});

test("a rehearsal leaves the same code each time", async () => {
  const again = join(folder, "again");
  await build(again);
  expect(readFileSync(`${again}.parts/program.cache`).equals(readFileSync(`${executable}.parts/program.cache`))).toBe(true);
});

test.each(["crypto", "child_process", "net", "zlib", "v8", "worker_threads"])("naming the units does not load %s", (part) => {
  expect(start("list").loaded).not.toContain(`NativeModule ${part}`);
});

test("under the executable's options, V8 takes the code cache of Node's own modules", () => {
  const script = `
    const { internalBinding } = require("internal/test/binding");
    require("node:crypto");
    const { compiledWithCache, compiledWithoutCache } = internalBinding("builtins").getCacheUsage();
    console.log(JSON.stringify({ taken: compiledWithCache.has("crypto"), refused: [...compiledWithoutCache] }));`;
  const { stdout } = spawnSync(process.execPath, [...interpreterOptions, "--expose-internals", "-e", script], { encoding: "utf8" });
  expect(JSON.parse(stdout)).toEqual({ taken: true, refused: [] });
});

test("naming the units ends before V8 collects garbage for the second time", () => {
  // Not as an option of the start: V8 takes no code cache that was made under other options.
  expect(watchedStart('require("node:v8").setFlagsFromString("--trace-gc");', ["list"]).collections).toBeLessThan(2);
});

test("the executable starts the same program", () => {
  const { stdout, stderr, status } = spawnSync(executable, ["list"], { encoding: "utf8" });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  expect(stdout).toMatch(/^hostname +early/m);
  expect(spawnSync(executable, ["--version"], { encoding: "utf8" }).stdout).toBe("guestos-boot 1.2.3\n");
});
