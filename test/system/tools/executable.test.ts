import { execFileSync, spawnSync } from "node:child_process";
import { argon2Sync, createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildExecutable } from "../../../tools/executable.ts";

const folder = mkdtempSync(join(tmpdir(), "executable-"));
const entry = join(import.meta.dirname, "../../support/executable-probe.ts");
const executable = join(folder, "probe");
let size = 0;

beforeAll(async () => {
  size = await buildExecutable({ entry, output: executable, version: "1.2.3" });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Facts {
  readonly version: string;
  readonly args: readonly string[];
  readonly key: string;
  readonly dbus: string;
  readonly interpreterOptions: readonly string[];
}

/** Runs it where there is no package and no Node to fall back on. */
function probe(env: Readonly<Record<string, string>>, ...args: readonly string[]): Facts {
  return JSON.parse(execFileSync(executable, args, { cwd: "/", env, encoding: "utf8" })) as Facts;
}

test("it runs alone, and finds its arguments and its version", () => {
  expect(probe({}, "--unit", "network")).toMatchObject({ args: ["--unit", "network"], version: "1.2.3", dbus: "function" });
});

test("argon2's addon works from inside, and leaves nothing behind", () => {
  const key = argon2Sync("argon2id", {
    message: Buffer.alloc(32, 1),
    nonce: Buffer.alloc(16, 2),
    memory: 32,
    passes: 3,
    parallelism: 4,
    tagLength: 32,
  });
  expect(probe({}).key).toBe(key.toString("hex"));
  expect(readdirSync("/dev/shm").filter((name) => name.startsWith("guestos-boot-"))).toEqual([]);
});

test("it says nothing on standard error, no warning of an experiment either", () => {
  expect(spawnSync(executable, [], { encoding: "utf8" }).stderr).toBe("");
});

test("the environment gives it no interpreter options", () => {
  expect(probe({ NODE_OPTIONS: "--title=changed --this-is-no-option" }).interpreterOptions).toEqual([]);
});

test("the same sources give the same bytes, wherever they are built", async () => {
  const again = join(folder, "another/place");
  mkdirSync(join(folder, "another"));
  await buildExecutable({ entry, output: again, version: "1.2.3" });
  expect(digest(again)).toBe(digest(executable));
});

function digest(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

test("it has at most 130 MiB", () => {
  expect(size).toBeLessThanOrEqual(130 * 1024 * 1024);
});
