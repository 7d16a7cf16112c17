import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Notifier } from "../../../../src/base/notifier.ts";
import { type FileWatch, watchFiles } from "../../../../src/system/files/watch-files.ts";

let root: string;
let ending: AbortController;
let notifier: Notifier;
let files: FileWatch;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "watch-"));
  ending = new AbortController();
  notifier = new Notifier();
  files = watchFiles(ending.signal, notifier.notify);
});
afterEach(() => {
  ending.abort();
  rmSync(root, { recursive: true });
});

const at = (name: string): string => join(root, name);

/** Whether something is told within a time that is long for an event, in milliseconds. */
async function told(within: number): Promise<boolean> {
  const signal = AbortSignal.timeout(within);
  return await notifier.notified(signal);
}

async function expectTold(change: () => void): Promise<void> {
  // What was told before does not count.
  await told(30);
  change();
  expect(await told(5_000), String(change)).toBe(true);
  files.set([at("a/rules"), at("b/more/*.nft")]);
}

test("writing, replacing by rename, removing and making again are told", async () => {
  mkdirSync(at("a"));
  writeFileSync(at("a/rules"), "1");
  files.set([at("a/rules")]);
  await expectTold(() => writeFileSync(at("a/rules"), "2"));
  writeFileSync(at("a/.new"), "3");
  await expectTold(() => renameSync(at("a/.new"), at("a/rules")));
  await expectTold(() => unlinkSync(at("a/rules")));
  await expectTold(() => writeFileSync(at("a/rules"), "4"));
  await expectTold(() => renameSync(at("a/rules"), at("a/elsewhere")));
});

test("folders that come, go and are replaced are told, and what is in them then is watched", async () => {
  files.set([at("a/rules"), at("b/more/*.nft")]);
  await expectTold(() => mkdirSync(at("a")));
  await expectTold(() => writeFileSync(at("a/rules"), "1"));
  await expectTold(() => mkdirSync(at("b")));
  await expectTold(() => mkdirSync(at("b/more")));
  await expectTold(() => writeFileSync(at("b/more/x.nft"), "1"));
  mkdirSync(at("new"));
  writeFileSync(at("new/rules"), "2");
  await expectTold(() => renameSync(at("a"), at("old")));
  await expectTold(() => renameSync(at("new"), at("a")));
  await expectTold(() => writeFileSync(at("a/rules"), "3"));
  await expectTold(() => rmSync(at("a"), { recursive: true }));
});

test("where a link leads is watched as well", async () => {
  mkdirSync(at("a"));
  mkdirSync(at("c"));
  writeFileSync(at("c/real"), "1");
  symlinkSync("../c/real", at("a/rules"));
  files.set([at("a/rules")]);
  await expectTold(() => writeFileSync(at("c/real"), "2"));
});

test("other files in the same folders are not told", async () => {
  mkdirSync(at("a"));
  files.set([at("a/rules")]);
  await told(30);
  writeFileSync(at("a/other"), "1");
  writeFileSync(at("other"), "1");
  expect(await told(300)).toBe(false);
});

test("what is no longer watched, and what was watched when it ended, leaves no descriptor and no watch", async () => {
  const watches = (): number => {
    // One line a watch (proc(5), /proc/pid/fdinfo).
    const texts = readdirSync("/proc/self/fdinfo").map((name) => {
      try {
        return readFileSync(`/proc/self/fdinfo/${name}`, "utf8");
      } catch {
        // The descriptor of the listing itself.
        return "";
      }
    });
    return texts.join("\n").match(/^inotify /gm)?.length ?? 0;
  };
  const before = watches();
  mkdirSync(at("a/b/c"), { recursive: true });
  for (let round = 0; round < 20; round += 1) {
    files.set([at("a/b/c/rules")]);
    files.set([at("rules")]);
  }
  files.set([at("a/b/c/rules")]);
  expect(watches()).toBeGreaterThan(before);
  ending.abort();
  expect(watches()).toBe(before);
});
