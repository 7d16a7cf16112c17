import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Fixture } from "../../support/fixture-process.ts";
import { completingProgram, type ShellName, typed } from "../../support/typed-in-a-shell.ts";

const share = join(import.meta.dirname, "../../../share/completions");

test.each<readonly [ShellName, string, string]>([
  ["bash", "guestos-boot --unit pat\t--wa\t", "--unit patient --wait"],
  ["bash", "guestos-boot --unit=pat\t", "--unit=patient"],
  ["bash", "guestos-boot upgrade verify --sig\t./a-fi\t", "upgrade verify --signature ./a-file"],
  ["zsh", "guestos-boot --unit pat\t--wa\t", "--unit patient --wait"],
  ["zsh", "guestos-boot --unit=pat\t", "--unit=patient"],
  ["zsh", "guestos-boot upgrade verify --sig\t./a-fi\t", "upgrade verify --signature ./a-file"],
])("%s at a terminal completes %j", async (shell, line, called) => {
  const fixture = new Fixture();
  fixture.touch("a-file");
  expect(await typed(shell, line, fixture)).toBe(called);
});

test.each<ShellName>(["bash", "zsh"])("%s completes the number of a boot that left a record", async (shell) => {
  const fixture = new Fixture();
  await fixture.run();
  expect(await typed(shell, "guestos-boot status --boot \t", fixture)).toBe("status --boot 0");
});

test("bash's candidates are those of the program, and the same for manageboot", () => {
  const fixture = new Fixture();
  const env = completingProgram(fixture);
  const script = `source ${share}/guestos-boot.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _guestos_boot; echo "\${COMPREPLY[*]}"`;
  const reply = (...words: readonly string[]): string =>
    execFileSync("bash", ["-c", script, "bash", ...words], { env, encoding: "utf8" }).trim();
  expect(reply("guestos-boot", "why", "")).toBe("first strict slow patient system-bus lenient");
  expect(reply("guestos-boot", "graph", "--format", "")).toBe("text dot mermaid svg");
  expect(reply("guestos-boot", "graph", "--format", "=", "m")).toBe("mermaid");
  expect(reply("manageboot", "upgrade-")).toBe("upgrade-install upgrade-commit");
  expect(execFileSync("bash", ["-c", `source ${share}/guestos-boot.bash; complete -p manageboot`], { env, encoding: "utf8" })).toBe(
    "complete -F _guestos_boot manageboot\n",
  );
});

test("fish shows each candidate with what it is", async () => {
  const fixture = new Fixture();
  await fixture.run();
  writeFileSync(fixture.path("a-file"), "");
  const env = completingProgram(fixture);
  const candidates = (line: string): readonly string[] =>
    execFileSync("fish", ["--no-config", "-c", 'set fish_complete_path $argv[1]; complete --do-complete "$argv[2]"', share, line], {
      env,
      cwd: fixture.root,
      encoding: "utf8",
    })
      .split("\n")
      .slice(0, -1);
  expect(candidates("guestos-boot stat")).toEqual(["status\tshow how this boot went, or one before it"]);
  expect(candidates("guestos-boot --unit pat")).toEqual(["patient\tHold on to what it does for as long as a file named hold is there"]);
  expect(candidates("guestos-boot status --boot ")).toEqual(["0\tthis boot"]);
  expect(candidates("guestos-boot upgrade commit --no")).toEqual(["--no-reboot\tdo not restart the machine"]);
  expect(candidates("guestos-boot upgrade verify a-f").map((line) => line.split("\t")[0])).toEqual(["a-file"]);
  expect(candidates("manageboot upgrade-c").map((line) => line.split("\t")[0])).toEqual(["upgrade-commit"]);
});
