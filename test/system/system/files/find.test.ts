import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { deleteOldFiles, hasOldFiles } from "../../../../src/system/files/find.ts";
import { systemHost } from "../../../../src/system/host.ts";

const host = systemHost({ signal: new AbortController().signal });
const MOMENT = 1_700_000_000;

test("old files go; young ones, folders, links and what links and mounts lead to stay", async () => {
  const root = mkdtempSync(join(tmpdir(), "spool-"));
  const folder = join(root, "spool");
  const put = (name: string, age: number): string => {
    const path = join(root, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, "x");
    utimesSync(path, MOMENT - age, MOMENT - age);
    return path;
  };
  const old = [put("spool/a", 10), put("spool/deep/er/b c\n", 1), put("spool/-delete", 0)];
  const kept = [put("spool/young", -1), put("outside/file", 100), put("other/on-another", 100)];
  symlinkSync("../outside", join(folder, "link"));
  symlinkSync("../outside/file", join(folder, "link-to-file"));
  const same = join(folder, "mount[*] of the same");
  const another = join(folder, "another");
  mkdirSync(same);
  mkdirSync(another);
  try {
    execFileSync("mount", ["--bind", join(root, "outside"), same]);
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", another]);
    kept.push(put("spool/another/file", 100));
    const files = { folder, before: MOMENT, except: [same, another] };
    expect(await hasOldFiles(host, files)).toBe(true);
    await deleteOldFiles(host, files);
    expect(await hasOldFiles(host, files)).toBe(false);
    expect(old.filter((path) => existsSync(path))).toEqual([]);
    expect(kept.filter((path) => !existsSync(path))).toEqual([]);
    expect(readdirSync(folder).toSorted()).toEqual(["another", "deep", "link", "link-to-file", "mount[*] of the same", "young"]);
    // Also where no one names it: it is another file system.
    await deleteOldFiles(host, { ...files, except: [same] });
    expect(existsSync(join(another, "file"))).toBe(true);
  } finally {
    for (const path of [same, another]) execFileSync("umount", [path]);
    rmSync(root, { recursive: true });
  }
});
