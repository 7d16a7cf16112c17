import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Notifier } from "../../../../src/base/notifier.ts";
import { followTool } from "../../../../src/system/processes/follow-tool.ts";

const heard = async (notifier: Notifier, within = 10_000): Promise<boolean> => notifier.notified(AbortSignal.timeout(within));

test("what a tool writes is told, it is started again when it ends, and it ends with us", async () => {
  const folder = mkdtempSync(join(tmpdir(), "follow-"));
  const pids = join(folder, "pids");
  const quit = join(folder, "quit");
  const script = `echo $$ >> ${pids}; echo started; while [ ! -e ${quit} ]; do sleep 0.05; done`;
  const started = (): readonly string[] => readFileSync(pids, "utf8").trim().split("\n");
  const ending = new AbortController();
  const notifier = new Notifier();
  void followTool("bash", ["-c", script], ending.signal, notifier.notify);
  expect(await heard(notifier)).toBe(true);
  expect(started()).toHaveLength(1);
  writeFileSync(quit, "");
  while (existsSync(`/proc/${started()[0]}`)) await heard(notifier, 50);
  rmSync(quit);
  while (started().length < 2) await heard(notifier, 50);
  ending.abort();
  while (existsSync(`/proc/${started()[1]}`)) await heard(notifier, 50);
  expect(started()).toHaveLength(2);
  rmSync(folder, { recursive: true });
});

test("a tool that is not there is no reason to fail", async () => {
  const ending = new AbortController();
  const notifier = new Notifier();
  void followTool("there-is-no-such-tool", [], ending.signal, notifier.notify);
  expect(await heard(notifier, 500)).toBe(false);
  ending.abort();
});

test("a tool is run as every other one is: in that environment, and stopped with all that it started", async () => {
  const folder = mkdtempSync(join(tmpdir(), "follow-"));
  const pids = join(folder, "pids");
  const environment = join(folder, "environment");
  const ending = new AbortController();
  const notifier = new Notifier();
  // What is started hears no SIGTERM, and neither is it the tool itself.
  const script = `env > ${environment}; (trap '' TERM; sh -c 'echo $PPID' > ${pids}; echo; while :; do sleep 1; done) & wait`;
  const over = followTool("bash", ["-c", script], ending.signal, notifier.notify);
  while (!existsSync(pids) || readFileSync(pids, "utf8") === "") await heard(notifier, 50);
  ending.abort();
  await over;
  const state = (): string => {
    try {
      return /^State:\s+(\S)/m.exec(readFileSync(`/proc/${Number(readFileSync(pids, "utf8"))}/status`, "utf8"))?.[1] ?? "";
    } catch {
      return "gone";
    }
  };
  // It was killed then; how soon it is gone, the kernel says.
  while (!["gone", "Z"].includes(state())) await heard(notifier, 50);
  expect(readFileSync(environment, "utf8")).toMatch(/^LC_ALL=C$/m);
  expect(readFileSync(environment, "utf8")).toMatch(/^PATH=\/usr\/local\/sbin:\/usr\/local\/bin:\/usr\/sbin:\/usr\/bin:\/sbin:\/bin$/m);
  rmSync(folder, { recursive: true });
});
