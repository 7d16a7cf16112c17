import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

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
  ["endless", "canary".repeat(2000), "too long for a passphrase"],
])("a passphrase that is %s ends with 12 and is not repeated", (_, input, why) => {
  const { status, output } = setBy(input);
  expect(output).toContain(why);
  expect(output).not.toContain("canary");
  expect(status).toBe(12);
});

test("at a terminal it is asked for twice and not shown; two that differ are refused, and Ctrl-C gives up", () => {
  const typed = (keys: string): { readonly status: number | null; readonly shown: string } => {
    const script = `( sleep 4; printf '${keys}' ; sleep 4 ) | script --quiet --return --command "$0 $1 recovery-passphrase set" /dev/null`;
    const { status, stdout } = spawnSync("sh", ["-c", script, process.execPath, program], { encoding: "utf8" });
    return { status, shown: stdout };
  };
  const differ = typed(String.raw`canary number one, 123\rcanary number two, 123\r`);
  expect(differ.shown).toContain("The same once more");
  expect(differ.shown).toContain("not the same");
  expect(differ.shown).not.toContain("canary number");
  expect(differ.status).toBe(12);
  expect(typed(String.raw`canary\003`).status).toBe(130);
});
