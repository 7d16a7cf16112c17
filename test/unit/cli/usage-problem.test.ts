import { expect, test } from "vitest";
import { main } from "../../../src/cli/program.ts";

test.each([
  [["rnu"], 'there is no command "rnu"', "did you mean run?"],
  [["upgrade", "comit"], 'there is no command "upgrade comit"', "did you mean commit?"],
  [["analyze", "blam"], 'there is no command "analyze blam"', "did you mean blame?"],
  [["recovery-passphrase", "rmove"], 'there is no command "recovery-passphrase rmove"', "did you mean remove?"],
  [["upgrade", "confirm", "x"], "too many arguments for 'confirm'. Expected 0 arguments but got 1: x", "see guestos-boot --help"],
])("%j is refused with the name that was meant", async (args, what, todo) => {
  const lines: string[] = [];
  const terminal = { print: () => undefined, complain: (text: string) => void lines.push(text), colour: false };
  expect(await main(args, terminal, async () => Promise.reject(new Error("nothing is run")))).toBe(2);
  expect(lines).toEqual([`guestos-boot: ${what}\n  to do    ${todo}`]);
});
