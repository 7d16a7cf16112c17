import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { bootCosts } from "../support/boot-trace.ts";
import { untilBooted } from "../support/node.ts";
import { rebooted } from "./story.ts";

/**
 * What a boot with nothing to do may cost. A change that needs more changes the figure here, and says why in the commit.
 *
 * The 12 tools are those of second-boot.ts; beside them are the program, its lock (flock), and head, which waits for its end.
 */
const PROGRAMS = { "guestos-boot": 1, flock: 1, head: 1, mount: 6, cryptsetup: 2, vgchange: 1, swapon: 1, nft: 2 };
/** Files, folders and devices that the program itself opens, one as often as it is opened. */
const OPENED = 1453;
/** Each time that devices appear while the program waits for one, it reads those of all disks again. */
const OPENED_BY_A_SCAN = 64;
/** A second search for a medium, where a drive was awaited: 1495 in another boot. */
const OPENED_BY_A_SEARCH = 42;
/** What is read while a drive is awaited, five times a second: how often is a matter of the kernel's time, and not of the program's work. */
const OF_A_WAIT = /^\/sys\/bus\/(pci|usb)\/devices/;
/** The same of its tools: libraries, locales, devices. 278 in each of two boots; Debian's packages decide, so a few more are none of ours. */
const MOST_OPENED_BY_TOOLS = 290;
/**
 * Bytes: 2 MiB of xfs's log, which it writes whenever it is mounted, and 128 KiB. The rest was 45,568 bytes in two boots, and 67,072 in
 * another: marks of file systems, and the record, whose length varies with its times; ext4 writes metadata as its journal's turn comes.
 */
const MOST_WRITTEN = 2 * 1024 * 1024 + 128 * 1024;
/**
 * Bytes. Never the same: 62.8, 68.6 and 68.7 MiB in three boots. Most are pages of the executable, which the kernel reads ahead as far as it has
 * time, and what systemd or udev has read by then is not read again.
 */
const MOST_READ = 72 * 1024 * 1024;

describe("the costs of a boot with nothing to do", () => {
  test("it starts these programs and no others", () =>
    rebooted.use(async (vm) => {
      await untilBooted(vm);
      const { programs } = await bootCosts(vm);
      const counts = Object.entries(Object.groupBy(programs, (path) => basename(path)));
      expect(Object.fromEntries(counts.map(([name, paths]) => [name, paths?.length])), programs.join("\n")).toEqual(PROGRAMS);
    }));

  test("it opens no more files", ({ annotate }) =>
    rebooted.use(async (vm) => {
      const { opened: all, openedBelow } = await bootCosts(vm);
      const opened = all.filter((path) => !OF_A_WAIT.test(path));
      await annotate(`files opened: ${opened.length} by the program, ${openedBelow.length} by its tools`);
      expect(opened.length).toBeGreaterThan(0);
      expect(opened.length, often(opened)).toBeLessThanOrEqual(OPENED + OPENED_BY_A_SCAN + OPENED_BY_A_SEARCH);
      expect(openedBelow.length, often(openedBelow)).toBeLessThanOrEqual(MOST_OPENED_BY_TOOLS);
    }));

  test("it reads and writes no more of the disk", ({ annotate }) =>
    rebooted.use(async (vm) => {
      const { read, written } = await bootCosts(vm);
      await annotate(`read ${read} bytes, written ${written}`);
      for (const bytes of [read, written]) expect(bytes).toBeGreaterThan(0);
      expect(written, "bytes written").toBeLessThanOrEqual(MOST_WRITTEN);
      expect(read, "bytes read").toBeLessThanOrEqual(MOST_READ);
    }));
});

/** What to inspect when there are more. */
function often(paths: readonly string[]): string {
  const counts = Object.entries(Object.groupBy(paths, (path) => path)).map(([path, all]) => [path, all?.length ?? 0] as const);
  const lines = counts.toSorted(([, left], [, right]) => right - left).map(([path, count]) => `${String(count).padStart(5)} ${path}`);
  return [`${paths.length} in all`, ...lines].join("\n");
}
