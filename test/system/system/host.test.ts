import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { CommandError } from "../../../src/system/command.ts";
import type { Ending } from "../../../src/system/ending.ts";
import { systemHost } from "../../../src/system/host.ts";
import { toProblem } from "../../../src/base/problem.ts";

const top = mkdtempSync(join(tmpdir(), "host-"));
afterAll(() => rmSync(top, { recursive: true }));

const host = systemHost({ signal: new AbortController().signal });
let folder = top;
beforeEach(() => {
  folder = mkdtempSync(join(top, "case-"));
});

const at = (name: string): string => join(folder, name);
const modeOf = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8);
const codeOf = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "none",
    (error: unknown) => (error instanceof Error && "code" in error ? error.code : error),
  );

test("what is not there is undefined, for every way of reading", async () => {
  for (const path of [at("absent"), at("absent/below")]) {
    expect([
      await host.readText(path),
      await host.readBytes(path),
      await host.readAt(path, 0, 1),
      await host.list(path),
      await host.readLink(path),
      await host.stat(path),
    ]).toEqual(Array.from({ length: 6 }));
  }
});

test("below a file nothing can be: that is not there either", async () => {
  writeFileSync(at("file"), "");
  const path = at("file/below");
  expect([
    await host.readText(path),
    await host.readAt(path, 0, 1),
    await host.list(path),
    await host.readLink(path),
    await host.stat(path),
  ]).toEqual(Array.from({ length: 5 }));
});

test("what could not be inspected is an error that names the path, and never 'not there'", async () => {
  writeFileSync(at("file"), "");
  symlinkSync("loop", at("loop"));
  expect(await codeOf(host.readText(folder))).toBe("EISDIR");
  expect(await codeOf(host.readBytes(folder))).toBe("EISDIR");
  expect(await codeOf(host.readAt(folder, 0, 1))).toBe("EISDIR");
  expect(await codeOf(host.list(at("file"))), "a file where a folder should be").toBe("ENOTDIR");
  expect(await codeOf(host.readLink(at("file"))), "a file where a link should be").toBe("EINVAL");
  expect(await codeOf(host.readText(at("loop")))).toBe("ELOOP");
  expect(await codeOf(host.readText(at("x".repeat(300))))).toBe("ENAMETOOLONG");
  const error: unknown = await host.readText(folder).catch((reason: unknown) => reason);
  expect(toProblem(error).what).toBe(`cannot read ${folder}`);
});

test("a folder that may not be searched could not be inspected", () => {
  const hidden = at("hidden");
  mkdirSync(hidden);
  writeFileSync(join(hidden, "file"), "text");
  chmodSync(hidden, 0o700);
  for (let above = folder; above !== tmpdir(); above = join(above, "..")) chmodSync(above, 0o755);
  const reads = ["readText", "readBytes", "list", "readLink", "stat"].map((verb) => `await code(host.${verb}(path))`);
  const answer = asProcess(
    `process.setuid(65534);
     const code = (work) => work.then(() => "none", (error) => error.code);
     const path = ${JSON.stringify(join(hidden, "file"))};
     console.log([${reads.join(", ")}, await code(host.readAt(path, 0, 1))].join());`,
  );
  expect(answer.stdout.trim()).toBe(Array.from({ length: 6 }, () => "EACCES").join());
});

test("reading gives what is there: text, bytes, names in order, links, facts", async () => {
  writeFileSync(at("b"), Buffer.from([0xff, 0, 1]), { mode: 0o604 });
  mkdirSync(at("a"), { mode: 0o711 });
  symlinkSync("/nowhere", at("c"));
  expect(await host.readBytes(at("b"))).toEqual(Buffer.from([0xff, 0, 1]));
  expect(await host.list(folder)).toEqual(["a", "b", "c"]);
  expect(await host.readLink(at("c"))).toBe("/nowhere");
  expect(await host.stat(at("b"))).toEqual({ kind: "file", mode: 0o604, uid: 0, gid: 0, size: 3 });
  expect(await host.stat(at("a"))).toMatchObject({ kind: "folder", mode: 0o711 });
  expect(await host.stat(at("c"))).toMatchObject({ kind: "link" });
  expect(await host.stat("/dev/null")).toMatchObject({ kind: "other" });
  expect(await host.readText("/proc/self/mountinfo")).toContain(" / ");
});

test("how full a file system is, is what df(1) says of it", async () => {
  const df = (column: string): number =>
    Number(
      spawnSync("df", ["--block-size=1", `--output=${column}`, top])
        .stdout.toString()
        .split("\n")[1],
    );
  const { total, free } = await host.space(top);
  expect(total).toBe(df("size"));
  // Others write there too.
  expect(Math.abs(free - df("avail"))).toBeLessThan(total / 100);
});

test("a read at an offset is as long as the file allows", async () => {
  writeFileSync(at("file"), "0123456789");
  expect(Buffer.from((await host.readAt(at("file"), 4, 3)) ?? []).toString()).toBe("456");
  expect(Buffer.from((await host.readAt(at("file"), 8, 100)) ?? []).toString()).toBe("89");
  expect(await host.readAt(at("file"), 10, 5)).toHaveLength(0);
});

test("a file is replaced whole, with exactly that mode and owner, and nothing is left beside it", async () => {
  writeFileSync(at("file"), "old and longer", { mode: 0o666 });
  await host.writeFile(at("file"), "new", { mode: 0o640, uid: 12, gid: 34 });
  expect(readFileSync(at("file"), "utf8")).toBe("new");
  expect(await host.stat(at("file"))).toEqual({ kind: "file", mode: 0o640, uid: 12, gid: 34, size: 3 });
  await host.writeFile(at("file"), new Uint8Array([1, 2]), { mode: 0o4711 });
  expect(await host.stat(at("file"))).toEqual({ kind: "file", mode: 0o4711, uid: 0, gid: 0, size: 2 });
  await host.writeFile(at("secret"), "key", { mode: 0o400 });
  expect(modeOf(at("secret"))).toBe("400");
  expect(readdirSync(folder)).toEqual(["file", "secret"]);
});

test("mode and owner do not depend on the umask", async () => {
  const before = process.umask(0o777);
  try {
    await host.writeFile(at("file"), "", { mode: 0o644 });
    await host.makeFolder(at("one/two"), { mode: 0o770, uid: 12, gid: 34 });
  } finally {
    process.umask(before);
  }
  expect([modeOf(at("file")), modeOf(at("one")), modeOf(at("one/two"))]).toEqual(["644", "755", "770"]);
  expect(await host.stat(at("one/two"))).toMatchObject({ uid: 12, gid: 34 });
  expect(await host.stat(at("one"))).toMatchObject({ uid: 0, gid: 0 });
});

test("a link in the place of the file is replaced, and what it leads to is not touched", async () => {
  writeFileSync(at("shadow"), "precious", { mode: 0o600 });
  symlinkSync("shadow", at("file"));
  await host.writeFile(at("file"), "new", { mode: 0o644, uid: 12 });
  expect(lstatSync(at("file")).isFile()).toBe(true);
  expect(readFileSync(at("shadow"), "utf8")).toBe("precious");
  expect([modeOf(at("shadow")), statSync(at("shadow")).uid]).toEqual(["600", 0]);
});

test("a write that fails says which file, and leaves the old one and no half of the new one", async () => {
  mkdirSync(at("taken/full"), { recursive: true });
  expect(await codeOf(host.writeFile(at("taken"), "new", { mode: 0o600 }))).toBe("EISDIR");
  expect(await codeOf(host.writeFile(at("absent/file"), "new", { mode: 0o600 }))).toBe("ENOENT");
  expect(readdirSync(folder)).toEqual(["taken"]);
  const small = at("small");
  mkdirSync(small);
  expect(spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", small]).status).toBe(0);
  writeFileSync(join(small, "file"), "old");
  const error: unknown = await host
    .writeFile(join(small, "file"), new Uint8Array(200_000), { mode: 0o600 })
    .catch((reason: unknown) => reason);
  expect(toProblem(error)).toMatchObject({ what: `cannot write ${join(small, "file")}`, found: expect.stringContaining("ENOSPC") });
  expect(readdirSync(small)).toEqual(["file"]);
  expect(readFileSync(join(small, "file"), "utf8")).toBe("old");
  spawnSync("umount", [small]);
});

test("a write in place changes those bytes alone, and makes nothing that is not there", async () => {
  writeFileSync(at("file"), "0123456789", { mode: 0o604 });
  await host.writeInPlace(at("file"), "abc", 4);
  expect(readFileSync(at("file"), "utf8")).toBe("0123abc789");
  await host.writeInPlace(at("file"), new Uint8Array([0x58]));
  expect(readFileSync(at("file"), "utf8")).toBe("X123abc789");
  expect(modeOf(at("file"))).toBe("604");
  expect(await codeOf(host.writeInPlace(at("absent"), "x"))).toBe("ENOENT");
  expect(existsSync(at("absent"))).toBe(false);
  const name = readFileSync("/proc/sys/kernel/hostname", "utf8");
  await host.writeInPlace("/proc/sys/kernel/hostname", name);
  expect(readFileSync("/proc/sys/kernel/hostname", "utf8")).toBe(name);
});

test("a folder that is there stays as it is, and anything else of that name is an error", async () => {
  mkdirSync(at("there"), { mode: 0o711 });
  await host.makeFolder(at("there"), { mode: 0o700 });
  expect(modeOf(at("there"))).toBe("711");
  symlinkSync("there", at("link"));
  await host.makeFolder(at("link"), { mode: 0o700 });
  writeFileSync(at("file"), "");
  expect(await codeOf(host.makeFolder(at("file"), { mode: 0o700 }))).toBe("EEXIST");
  expect(await codeOf(host.makeFolder(at("file/below"), { mode: 0o700 }))).toBe("EEXIST");
});

test("folders made at the same time below the same parent are all made", async () => {
  const names = Array.from({ length: 20 }, (_, index) => at(`a/b/${index}`));
  await Promise.all(names.map((name) => host.makeFolder(name, { mode: 0o700 })));
  expect(names.map(modeOf)).toEqual(names.map(() => "700"));
  expect(modeOf(at("a/b"))).toBe("755");
});

test("removing takes a file, a folder with all that is in it, or a link and not what it leads to; nothing there is fine", async () => {
  mkdirSync(at("full/of/things"), { recursive: true });
  writeFileSync(at("full/of/things/file"), "");
  mkdirSync(at("kept"));
  writeFileSync(at("kept/file"), "");
  symlinkSync("../kept", at("full/link"));
  symlinkSync("kept", at("link"));
  for (const name of ["full", "link", "absent", "absent/below", "kept/file/below"]) await host.remove(at(name));
  expect(readdirSync(folder)).toEqual(["kept"]);
  expect(readdirSync(at("kept"))).toEqual(["file"]);
});

test("with a file goes what a write of it that was cut off has left, also where that is all there is", async () => {
  for (const name of ["one", ".one.new", ".two.new", ".other.new"]) writeFileSync(at(name), "");
  for (const name of ["one", "two"]) await host.remove(at(name));
  expect(readdirSync(folder)).toEqual([".other.new"]);
});

test("a rename replaces what is there, and one of nothing is an error", async () => {
  mkdirSync(at("one"));
  mkdirSync(at("two"));
  writeFileSync(at("one/file"), "new");
  writeFileSync(at("two/file"), "old");
  await host.rename(at("one/file"), at("two/file"));
  expect(readFileSync(at("two/file"), "utf8")).toBe("new");
  expect(await codeOf(host.rename(at("one/file"), at("two/file")))).toBe("ENOENT");
});

test("mode and owner are set on what is there, and never through a link", async () => {
  writeFileSync(at("file"), "", { mode: 0o644 });
  await host.setAttributes(at("file"), { mode: 0o600, uid: 12, gid: 34 });
  expect(await host.stat(at("file"))).toMatchObject({ mode: 0o600, uid: 12, gid: 34 });
  await host.setAttributes(at("file"), { mode: 0o640 });
  expect(await host.stat(at("file"))).toMatchObject({ mode: 0o640, uid: 12, gid: 34 });
  symlinkSync("file", at("link"));
  expect(await codeOf(host.setAttributes(at("link"), { mode: 0o777 }))).toBe("ELOOP");
  expect(readlinkSync(at("link"))).toBe("file");
  expect(modeOf(at("file"))).toBe("640");
});

test("each tool run is told to the observer, with its ending", async () => {
  const seen: [string, Ending][] = [];
  const observed = systemHost({
    signal: new AbortController().signal,
    onTool:
      ({ program }) =>
      (ending) =>
        seen.push([program, ending]),
  });
  await observed.run({ program: "true", args: [] });
  await expect(observed.run({ program: "false", args: [] })).rejects.toThrow(CommandError);
  await expect(observed.run({ program: "no-such-tool", args: [] })).rejects.toThrow("is not installed");
  expect(seen).toEqual([
    ["true", { kind: "exited", status: 0 }],
    ["false", { kind: "exited", status: 1 }],
    ["no-such-tool", { kind: "not-found" }],
  ]);
});

test("a file gets its owner, then its mode, then its content, is synced, renamed, and the folder synced", () => {
  const calls = traced(`await host.writeFile(${JSON.stringify(at("key"))}, "canary", { mode: 0o640, uid: 12, gid: 34 });`);
  expect(calls.map((call) => call.replaceAll(folder, "FOLDER").replaceAll(/\b(?:\d+<[^>]*>|AT_FDCWD(?:<[^>]*>)?)/g, "FD"))).toEqual([
    'openat(FD, "FOLDER/.key.new", O_WRONLY|O_CREAT|O_EXCL|O_TRUNC|O_CLOEXEC, 0600) = FD',
    "fchown(FD, 12, 34) = 0",
    "fchmod(FD, 0640) = 0",
    'write(FD, "canary", 6) = 6',
    "fsync(FD) = 0",
    'rename("FOLDER/.key.new", "FOLDER/key") = 0',
    'openat(FD, "FOLDER", O_RDONLY|O_CLOEXEC) = FD',
    "fsync(FD) = 0",
  ]);
});

test("what a power cut left of a write is replaced by the next one", async () => {
  writeFileSync(at(".torn.new"), "half", { mode: 0o644 });
  await host.writeFile(at("torn"), "whole", { mode: 0o600 });
  expect(await host.readText(at("torn"))).toBe("whole");
  expect(modeOf(at("torn"))).toBe("600");
  expect((await host.list(folder))?.filter((name) => name.includes("torn"))).toEqual(["torn"]);
});

test("what is renamed, removed or made is durable: the folders that hold the names are synced after it", () => {
  mkdirSync(at("one"));
  mkdirSync(at("two"));
  writeFileSync(at("one/file"), "");
  const path = (name: string): string => JSON.stringify(at(name));
  const calls = traced(
    `await host.rename(${path("one/file")}, ${path("two/file")}); await host.remove(${path("two/file")}); await host.makeFolder(${path("three/four")}, { mode: 0o700 });
     await host.writeInPlace(${JSON.stringify(at("disk"))}, "x");`,
    () => writeFileSync(at("disk"), ""),
  );
  const steps = calls.flatMap((call) => {
    const synced = /^fsync\(\d+<([^>]*)>\) = 0/.exec(call)?.[1];
    if (synced !== undefined) return [`sync ${basename(synced)}`];
    return /^(rename|unlink|mkdir|pwrite)/.exec(call)?.[1] ?? [];
  });
  expect(steps).toEqual([
    "rename",
    "sync two",
    "sync one",
    "unlink",
    "sync two",
    "mkdir",
    `sync ${basename(folder)}`,
    "mkdir",
    "sync three",
    "pwrite",
    "sync disk",
  ]);
});

/** Runs a piece of a module in a process of its own, with a `host`. */
function asProcess(script: string, wrapper: readonly string[] = []): { readonly stdout: string; readonly stderr: string } {
  const module = `import { systemHost } from ${JSON.stringify(join(import.meta.dirname, "../../../src/system/host.ts"))};
    const host = systemHost({ signal: new AbortController().signal });
    ${script}`;
  // env, so that there is always a program to put the wrapper behind.
  const { stdout, stderr, status } = spawnSync("env", [...wrapper, process.execPath, "--input-type=module", "-e", module], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] },
  });
  if (status !== 0) throw new Error(stderr);
  return { stdout, stderr };
}

/** The system calls of a script that concern names, owners, modes, contents and syncs in this test's folder, in order. */
function traced(script: string, prepare: () => void = () => {}): readonly string[] {
  prepare();
  const log = join(top, "strace");
  asProcess(script, [
    "strace",
    "-f",
    "-y",
    "-o",
    log,
    "-e",
    "trace=openat,fchown,fchmod,write,pwrite64,fsync,fdatasync,rename,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,chown,chmod",
  ]);
  return unfinishedJoined(readFileSync(log, "utf8"))
    .filter((call) => call.includes(folder) && !/ENOENT/.test(call))
    .filter((call) => !/O_RDONLY.*O_DIRECTORY/.test(call));
}

/** strace cuts a call in two when another thread makes one in between: here they are one again, where the call ended. */
function unfinishedJoined(log: string): readonly string[] {
  const begun = new Map<string, string>();
  return log.split("\n").flatMap((line) => {
    const [, thread = "", call = ""] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const first = /^(.*) <unfinished \.\.\.>$/.exec(call)?.[1];
    if (first !== undefined) {
      begun.set(thread, first);
      return [];
    }
    const rest = /^<\.\.\. \w+ resumed>(.*)$/.exec(call)?.[1];
    const whole = rest === undefined ? call : `${begun.get(thread) ?? ""}${rest}`;
    return whole === "" ? [] : [whole.replace(/\)\s+= /, ") = ")];
  });
}
