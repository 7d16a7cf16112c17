import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildExecutable } from "../../../tools/executable.ts";

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
}

/** Starts the program as the executable does, but where one can look: what that consists of lies beside it. */
function start(...args: readonly string[]): Start {
  const look = `
    const { readFileSync, writeSync } = require("node:fs");
    const { Script } = require("node:vm");
    const cachedData = readFileSync("program.cache");
    const script = new Script(readFileSync("program.js", "utf8"), { filename: "guestos-boot", cachedData });
    const before = new Set(process.moduleLoadList);
    const loaded = () => process.moduleLoadList.filter((name) => !before.has(name));
    process.on("exit", () => writeSync(3, JSON.stringify({ rejected: script.cachedDataRejected, loaded: loaded() })));
    script.runInThisContext()(require, { exports: {} });`;
  const { output } = spawnSync(process.execPath, ["-e", look, "guestos-boot", ...args], {
    cwd: `${executable}.parts`,
    encoding: "utf8",
    // Not standard error: what a pipe there needs of Node is not ours.
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  return JSON.parse(output[3] ?? "") as Start;
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

test("the executable starts the same program", () => {
  const { stdout, stderr, status } = spawnSync(executable, ["list"], { encoding: "utf8" });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  expect(stdout).toMatch(/^hostname +early/m);
  expect(spawnSync(executable, ["--version"], { encoding: "utf8" }).stdout).toBe("guestos-boot 1.2.3\n");
});
