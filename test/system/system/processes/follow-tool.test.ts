import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Bell } from "../../../../src/base/notifier.ts";
import { followTool } from "../../../../src/system/processes/follow-tool.ts";

const heard = async (bell: Bell, within = 10_000): Promise<boolean> => bell.heard(AbortSignal.timeout(within));

test("what a tool writes is told, it is started again when it ends, and it ends with us", async () => {
  const folder = mkdtempSync(join(tmpdir(), "follow-"));
  const pids = join(folder, "pids");
  const quit = join(folder, "quit");
  const script = `echo $$ >> ${pids}; echo started; while [ ! -e ${quit} ]; do sleep 0.05; done`;
  const started = (): readonly string[] => readFileSync(pids, "utf8").trim().split("\n");
  const ending = new AbortController();
  const bell = new Bell();
  followTool("bash", ["-c", script], ending.signal, bell.ring);
  expect(await heard(bell)).toBe(true);
  expect(started()).toHaveLength(1);
  writeFileSync(quit, "");
  while (existsSync(`/proc/${started()[0]}`)) await heard(bell, 50);
  rmSync(quit);
  while (started().length < 2) await heard(bell, 50);
  ending.abort();
  while (existsSync(`/proc/${started()[1]}`)) await heard(bell, 50);
  expect(started()).toHaveLength(2);
  rmSync(folder, { recursive: true });
});

test("a tool that is not there is no reason to fail", async () => {
  const ending = new AbortController();
  const bell = new Bell();
  followTool("there-is-no-such-tool", [], ending.signal, bell.ring);
  expect(await heard(bell, 500)).toBe(false);
  ending.abort();
});
