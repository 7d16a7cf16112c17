import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, expect, test } from "vitest";
import { type Command, CommandError, runCommand } from "../../../src/system/command.ts";
import { Secret } from "../../../src/base/secret.ts";

const never = new AbortController().signal;
const shell = (script: string, more: Partial<Command> = {}): Command => ({ program: "sh", args: ["-c", script], ...more });

const folder = mkdtempSync(join(tmpdir(), "command-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function errorOf(command: Command, signal = never): Promise<CommandError> {
  const error: unknown = await runCommand(command, signal).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof CommandError)) throw new Error(`no CommandError, but ${inspect(error)}`);
  return error;
}

/** True for a process that runs, false for one that is gone or only waits for its parent to take its status. */
function alive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

const pidIn = (path: string): number => Number(readFileSync(path, "utf8"));

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !condition();) {
    if (Date.now() > end) throw new Error("waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("of words that may not be kept nothing is in the answer or in the error", async () => {
  const keptWords = (words: string): string => words.replaceAll("canary", "");
  const script = "echo 'the canary sings' >&2; exit $0";
  expect(await runCommand({ ...shell(script), args: ["-c", script, "0"], keptWords }, never)).toMatchObject({ stderr: "the  sings\n" });
  const error = await errorOf({ ...shell(script), args: ["-c", script, "1"], keptWords });
  expect(error.stderr).toBe("the  sings\n");
  expect(error.problem.found).toBe("the  sings");
});

test("a tool that exits well gives its output, both kinds, as it is", async () => {
  expect(await runCommand(shell("echo out; echo err >&2"), never)).toEqual({ status: 0, stdout: "out\n", stderr: "err\n" });
});

test("a status that counts as an answer is returned, and any other is an error with the tool's last words", async () => {
  expect((await runCommand(shell("exit 2", { okStatuses: [0, 2] }), never)).status).toBe(2);
  const error = await errorOf(shell("echo one >&2; echo two >&2; exit 3", { okStatuses: [0, 2], todo: "check it" }));
  expect(error.ending).toEqual({ kind: "exited", status: 3 });
  expect(error.problem).toEqual({
    code: "tool-failed",
    what: expect.stringContaining("failed with exit status 3"),
    found: "one / two",
    todo: "check it",
  });
  expect((await errorOf(shell("exit 0", { okStatuses: [1] }))).ending).toEqual({ kind: "exited", status: 0 });
});

test("a tool that a signal ends says which", async () => {
  expect((await errorOf(shell("kill -SEGV $$"))).ending).toEqual({ kind: "signalled", signal: "SIGSEGV" });
});

test("a tool that is not there is not found", async () => {
  expect((await errorOf({ program: "no-such-tool-anywhere", args: [] })).ending).toEqual({ kind: "not-found" });
  expect((await errorOf({ program: join(folder, "absent"), args: [] })).problem.what).toContain("is not installed");
});

test("a folder, and a file that may not be executed, cannot be started, and neither can one with more arguments than the kernel takes", async () => {
  const plain = join(folder, "plain");
  writeFileSync(plain, "#!/bin/sh\n", { mode: 0o644 });
  for (const program of [folder, plain])
    expect((await errorOf({ program, args: [] })).ending).toMatchObject({
      kind: "not-started",
      reason: expect.stringContaining("EACCES"),
    });
  expect((await errorOf({ program: "true", args: ["x".repeat(3_000_000)] })).ending).toMatchObject({
    kind: "not-started",
    reason: expect.stringContaining("E2BIG"),
  });
});

test("a tool that takes too long is told to stop", async () => {
  const error = await errorOf(shell("echo waiting >&2; sleep 1000", { timeout: 200 }));
  expect(error.ending).toEqual({ kind: "timed-out", after: 200 });
  expect(error.problem).toMatchObject({ what: expect.stringContaining("did not end within 0.2 s and was stopped"), found: "waiting" });
});

test("a tool that ignores SIGTERM is killed two seconds later", async () => {
  const start = performance.now();
  const error = await errorOf(shell("trap '' TERM; while :; do sleep 1000; done", { timeout: 200 }));
  expect(error.ending).toEqual({ kind: "timed-out", after: 200 });
  expect(performance.now() - start).toBeGreaterThan(2_000);
});

test("a tool that ends by itself on SIGTERM has nevertheless been stopped", async () => {
  expect((await errorOf(shell("trap 'exit 0' TERM; sleep 1000 & wait", { timeout: 200 }))).ending.kind).toBe("timed-out");
});

test("stopping a tool stops what it started, also what ignores SIGTERM and holds no pipe", async () => {
  const pid = join(folder, "grandchild");
  const controller = new AbortController();
  const ended = errorOf(
    shell(`(trap '' TERM; sh -c 'echo $PPID' > ${pid}; while :; do sleep 1; done) > /dev/null 2>&1 & wait`),
    controller.signal,
  );
  await until(() => existsSync(pid) && pidIn(pid) > 0);
  expect(alive(pidIn(pid))).toBe(true);
  controller.abort();
  expect((await ended).ending).toEqual({ kind: "cancelled" });
  // It was killed when the answer came; how soon it is gone, the kernel says.
  await until(() => !alive(pidIn(pid)));
});

test("a run that is cancelled before it begins starts nothing", async () => {
  const trace = join(folder, "trace");
  expect((await errorOf({ program: "touch", args: [trace] }, AbortSignal.abort())).ending).toEqual({ kind: "cancelled" });
  expect(existsSync(trace)).toBe(false);
});

test("a daemon that a tool leaves behind with the tool's own output does not hold up the tool's answer", async () => {
  const pid = join(folder, "daemon");
  const { stdout, status } = await runCommand(
    shell(`setsid sh -c 'echo $$ > ${pid}; exec sleep 1000' & echo answer; while ! [ -s ${pid} ]; do sleep 0.01; done`, {
      timeout: 30_000,
    }),
    never,
  );
  expect({ stdout, status }).toEqual({ stdout: "answer\n", status: 0 });
  expect(alive(pidIn(pid))).toBe(true);
  process.kill(pidIn(pid));
});

test("a tool that is stopped ends also when something out of reach holds its output", async () => {
  const pid = join(folder, "escaped");
  const error = await errorOf(shell(`setsid sh -c 'echo $$ > ${pid}; exec sleep 1000' & sleep 1000`, { timeout: 500 }));
  expect(error.ending.kind).toBe("timed-out");
  process.kill(pidIn(pid));
});

test("input goes in whole, and output comes out whole, when both are larger than a pipe", async () => {
  const input = randomBytes(1_500_000).toString("base64");
  expect((await runCommand({ program: "cat", args: [], input }, never)).stdout).toBe(input);
  expect((await runCommand({ program: "wc", args: ["-c"], input: new Uint8Array(300_000) }, never)).stdout).toBe("300000\n");
});

test("without input a tool reads an empty one", async () => {
  expect((await runCommand({ program: "cat", args: [] }, never)).stdout).toBe("");
});

test("a tool that does not read its input has done nothing wrong", async () => {
  const input = new Uint8Array(2_000_000);
  expect((await runCommand(shell("exec <&-; echo done", { input }), never)).stdout).toBe("done\n");
  expect((await errorOf(shell("exit 7", { input }))).ending).toEqual({ kind: "exited", status: 7 });
});

test("a secret reaches the tool byte by byte, and nothing else: no error, however it is printed", async () => {
  const bytes = Buffer.from([0, 1, 255, 10, 13, ...Buffer.from("canary-5f1d")]);
  const input = new Secret(bytes);
  expect((await runCommand({ program: "od", args: ["-An", "-tx1"], input }, never)).stdout.replaceAll(/\s/g, "")).toBe(
    bytes.toString("hex"),
  );
  const error = await errorOf({ program: "false", args: [], input });
  const printed = [
    inspect(error, { depth: 20, showHidden: true }),
    JSON.stringify(error),
    String(error.stack),
    JSON.stringify(error.problem),
    String(error.command.input),
  ].join();
  expect(printed).not.toContain("canary");
  expect(printed).not.toContain("255");
  expect(printed).toContain("[secret]");
});

test("the environment is the allow-list and what the command adds, whatever ours is", async () => {
  process.env["GUESTOS_BOOT_CANARY"] = "seen";
  const { stdout } = await runCommand({ program: "env", args: [], env: { DM_DISABLE_UDEV: "1" } }, never);
  delete process.env["GUESTOS_BOOT_CANARY"];
  expect(stdout.trim().split("\n").toSorted()).toEqual([
    "DM_DISABLE_UDEV=1",
    "LC_ALL=C",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  ]);
});

test.each(["exec yes", "yes & wait; exit 0", "yes >&2"])(
  "more output than anyone can want is an error, also of a tool that then ends well: %s",
  async (script) => {
    const error = await errorOf(shell(script));
    expect(error.ending).toEqual({ kind: "signalled", signal: "SIGTERM" });
    expect(error.problem.found).toContain("stopped, because it wrote more than 8192 KiB");
  },
);

test("a tool is the leader of a process group of its own", async () => {
  const { stdout } = await runCommand(shell("cut -d' ' -f1,5 /proc/$$/stat"), never);
  const [pid, group] = stdout.trim().split(" ");
  expect(group).toBe(pid);
});
