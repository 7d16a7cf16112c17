import { execFileSync, spawn, spawnSync } from "node:child_process";
import { argon2Sync, createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { constants, tmpdir } from "node:os";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildExecutable, interpreterOptions } from "../../../tools/executable.ts";

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

test("it has its own interpreter options, and the environment gives it none", () => {
  expect(probe({ NODE_OPTIONS: "--title=changed --this-is-no-option" }).interpreterOptions).toEqual(interpreterOptions);
});

test("SIGUSR1 opens no debugger, and does not end it", async () => {
  const child = spawn(executable, ["--stay"], { stdio: "pipe" });
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaints += text));
  await once(child.stdout, "data");
  const [, caught = ""] = /^SigCgt:\s*(\w+)$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8")) ?? [];
  expect(BigInt(`0x${caught}`) & (1n << BigInt(constants.signals.SIGUSR1 - 1))).toBe(0n);
  child.kill("SIGUSR1");
  child.stdin.end();
  expect(await once(child, "close")).toEqual([0, null]);
  expect(complaints).toBe("");
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
