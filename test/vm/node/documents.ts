import { describe, expect, test } from "vitest";
import { onANode } from "../../support/documented/on-a-node.ts";
import { inTerminal } from "../support/in-terminal.ts";
import { BOOT_TIMEOUT, untilBooted } from "../support/node.ts";
import { NAME, node } from "./story.ts";
import { filled, serialConsole } from "../../support/documented/elsewhere.ts";

describe("what the documents name", () => {
  test("what the documents name for a running node can be typed there", () =>
    node.use(async (vm) => {
      for (const { command, says, first, afterwards } of onANode) {
        if (first !== undefined) await vm.shell.ok(first);
        const { status, stdout, stderr } = await vm.shell.run(command, { timeout: BOOT_TIMEOUT });
        expect([command, status], `${stdout}${stderr}`).toEqual([command, 0]);
        expect(stdout, command).toMatch(says);
        if (afterwards !== undefined) await vm.shell.ok(afterwards);
      }
    }));

  test("the serial console can be typed into, and left again", () =>
    node.use(async (vm) => {
      await untilBooted(vm);
      await using terminal = inTerminal(filled(serialConsole, { default: NAME }));
      // This variant of the image logs root in there.
      terminal.keys.write("\recho $((40 + 2)) of $(id --user --name)\r");
      await expect.poll(terminal.shown, { timeout: BOOT_TIMEOUT, interval: 200 }).toMatch(/^42 of root\r?$/m);
      expect(vm.serial.text).toContain("42 of root");
      // Ctrl-]
      terminal.keys.write("\u001d");
      expect(await terminal.ended).toBe(0);
    }));
});
