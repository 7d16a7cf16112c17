import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { canary } from "../../support/canaries.ts";

const program = join(import.meta.dirname, "../../../src/cli/main.ts");
const setBy = (input: string): { readonly status: number | null; readonly output: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, "recovery-passphrase", "set", "--json"], {
    input,
    encoding: "utf8",
  });
  return { status, output: stdout + stderr };
};

test.each([
  ["short", "canary\n", "too few characters"],
  ["empty", "", "too few characters"],
  ["endless", canary("a passphrase", "canary".repeat(2000)), "too long for a passphrase"],
])("a passphrase that is %s ends with 12 and is not repeated", (_, input, why) => {
  const { status, output } = setBy(input);
  expect(output).toContain(why);
  expect(output).not.toContain("canary");
  expect(status).toBe(12);
});

/** Types each of the lines once the question for it is shown: what is typed before is echoed by the kernel. */
async function typed(lines: readonly (readonly [question: string, keys: string])[]): Promise<{ status: number | null; shown: string }> {
  const command = `${process.execPath} ${program} recovery-passphrase set`;
  const child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], { stdio: ["pipe", "pipe", "inherit"] });
  const left = [...lines];
  let shown = "";
  child.stdout.on("data", (chunk) => {
    shown += String(chunk);
    const [next] = left;
    if (next === undefined || !shown.includes(next[0])) return;
    left.shift();
    child.stdin.write(next[1]);
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  return { status, shown };
}

test("at a terminal it is asked for twice and not shown; two that differ are refused, and Ctrl-C gives up", async () => {
  const differ = await typed([
    ["not shown", `${canary("a passphrase", "canary number one, 123")}\r`],
    ["Repeat it", `${canary("a passphrase", "canary number two, 123")}\r`],
  ]);
  expect(differ.shown).toContain("not the same");
  expect(differ.shown).not.toContain("canary number");
  expect(differ.status).toBe(12);
  expect((await typed([["not shown", "canary\u0003"]])).status).toBe(130);
});
