import { expect, test } from "vitest";
import { isConflict } from "../../../../src/boot/unit.ts";
import type { Command } from "../../../../src/system/command.ts";
import { backupSpool } from "../../../../src/units/injection/backup-spool.ts";
import { fakeHost, type FakeHost } from "../../../support/fake-host.ts";
import { testMachine } from "../../../support/test-machine.ts";

const CONF = "backup_retention_time_secs=7200\nbackup_purging_interval_secs=600\n";
const MOUNTED =
  "2 1 254:6 / /var/lib/ic/backup rw - ext4 /dev/mapper/x rw\n3 2 254:6 /a /var/lib/ic/backup/b[1]\\040c rw - ext4 /dev/x rw\n";

/** @param found what find prints */
function node(
  found: string,
  { conf = CONF, mountinfo = MOUNTED, uptime = 7200, isClockSet = false } = {},
): { readonly host: FakeHost; readonly commands: Command[] } {
  const commands: Command[] = [];
  const host = fakeHost({
    files: {
      "/boot/config/backup.conf": conf,
      "/proc/self/mountinfo": mountinfo,
      "/proc/uptime": `${uptime}.00 1.00\n`,
      ...(isClockSet ? { "/run/systemd/timesync/synchronized": "" } : {}),
    },
  });
  const run: FakeHost["run"] = async (command) => {
    commands.push(command);
    return { status: 0, stdout: found, stderr: "" };
  };
  return { host: { ...host, run }, commands };
}

test("old files are searched in the spool alone, without links and other mounts", async () => {
  const { host, commands } = node("");
  expect(await backupSpool.plan(testMachine(host))).toEqual([]);
  const args = commands[0]?.args ?? [];
  const moment = Number(args.at(args.indexOf("-newermt") + 1)?.slice(1));
  expect(args).toEqual([
    ...["-P", "/var/lib/ic/backup", "-xdev", "-ignore_readdir_race"],
    ...["!", "-path", "/var/lib/ic/backup/b\\[1\\] c", "!", "-path", "/var/lib/ic/backup/b\\[1\\] c/*"],
    ...["-type", "f", "!", "-newermt", `@${moment}`, "-print0", "-quit"],
  ]);
  expect(Date.now() / 1000 - moment).toBeGreaterThanOrEqual(7200);
  expect(Date.now() / 1000 - moment).toBeLessThan(7200 + 61);
});

test("they are deleted by the same selection", async () => {
  const { host, commands } = node("/var/lib/ic/backup/old\0");
  const plan = await backupSpool.plan(testMachine(host));
  if (isConflict(plan)) throw new Error(plan.conflict.what);
  expect(plan.map(({ description }) => description)).toEqual(["delete files below /var/lib/ic/backup that are older than 7200 s"]);
  await plan[0]?.run();
  expect(commands[1]?.args.slice(0, -1)).toEqual(commands[0]?.args.slice(0, -2));
  expect(commands[1]?.args.at(-1)).toBe("-delete");
});

test.each([
  ["it was not set, and the node has not run for as long as files are kept", { uptime: 7199 }, 0],
  ["it was not set, and what was there before is old enough by the kernel's own clock", { uptime: 7200 }, 1],
  ["it was set from the network (systemd-timesyncd.service(8))", { uptime: 10, isClockSet: true }, 1],
])("by a clock that may be ahead no backup is deleted: %s", async (_, facts, actions) => {
  const { host } = node("/var/lib/ic/backup/old\0", facts);
  const machine = testMachine(host);
  expect(await backupSpool.plan(machine)).toHaveLength(actions);
  expect(machine.notes).toEqual(actions === 0 ? [expect.stringContaining("the clock has not been set from the network")] : []);
});

test("where the spool is not mounted, nothing is searched", async () => {
  const { host, commands } = node("x", { mountinfo: "1 0 253:5 / / ro - ext4 /dev/vda5 ro\n" });
  expect(await backupSpool.plan(testMachine(host))).toEqual([]);
  expect(commands).toEqual([]);
});

test("the interval is that of backup.conf, and an hour without one", async () => {
  expect(await backupSpool.inspectEvery?.(testMachine(node("").host))).toBe(600);
  expect(await backupSpool.inspectEvery?.(testMachine(fakeHost()))).toBe(3600);
});

test("a wrong backup.conf deletes nothing", async () => {
  const { host, commands } = node("x", { conf: "backup_retention_time_secs=soon\n" });
  await expect(backupSpool.plan(testMachine(host))).rejects.toMatchObject({
    problem: { where: { file: "/boot/config/backup.conf", line: 1 } },
  });
  expect(commands).toEqual([]);
});
