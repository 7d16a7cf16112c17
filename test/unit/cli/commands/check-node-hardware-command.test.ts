import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { machineLines } from "../../../../src/cli/commands/check-node-hardware-command.ts";
import { checkMachine } from "../../../../src/setupos/check-machine.ts";
import { fakeHost } from "../../../support/fake-host.ts";
import { NODE_FOLDER } from "../../../support/node-folders.ts";
import { asFakeMachine, GIB, type NodeMachine, nodeMachine, nvme, STICK } from "../../../support/node-machines.ts";

async function linesOn(machine: Partial<NodeMachine>): Promise<readonly string[]> {
  const fake = asFakeMachine(nodeMachine(machine));
  const host = fakeHost({ ...fake, files: { ...fake.files, "/stick/config.ini": NODE_FOLDER["config.ini"] } });
  return machineLines(await checkMachine(host, "/stick"));
}

test("docs/setupos.md shows what is said of a machine, word for word", async () => {
  const [, shown = ""] = /^```text\n(mistake: there is not enough memory\n[^]*?)```$/m.exec(readFileSync("docs/setupos.md", "utf8")) ?? [];
  const lines = await linesOn({ memory: 480 * GIB });
  // The document shows the first of five drives alike.
  const others = lines.findIndex((line) => line.startsWith("/dev/nvme1n1"));
  expect(`${lines.toSpliced(others, 4 * 2).join("\n")}\n`).toBe(shown);
});

test("a good machine has no mistakes; what is not known is no good machine", async () => {
  expect((await linesOn({})).at(-1)).toBe("No mistakes.");
  expect((await linesOn({ lsblk: { status: 1 } })).slice(-3)).toEqual(["drives       not known", "", "No mistakes and 1 not known."]);
  const none = await linesOn({ lshw: { status: 1 }, disks: [STICK, nvme(0, { model: null, serial: null })], memory: 600 * GIB });
  expect(none).toEqual(expect.arrayContaining(["/dev/nvme0n1  5.8 TiB", "  taken", "memory       588 GiB"]));
});
