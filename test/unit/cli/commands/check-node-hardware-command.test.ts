import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { machineLines } from "../../../../src/cli/commands/check-node-hardware-command.ts";
import { checkMachine } from "../../../../src/setupos/check-machine.ts";
import { NODE_FOLDER } from "../../../support/node-folders.ts";
import { GIB, type NodeMachine, nodeHost, nodeMachine, nvme, STICK } from "../../../support/node-machines.ts";

async function linesOn(machine: Partial<NodeMachine>): Promise<readonly string[]> {
  const host = nodeHost(nodeMachine(machine), { "/stick/config.ini": NODE_FOLDER["config.ini"] });
  return machineLines(await checkMachine(host, "/stick", { token: undefined, triesPorts: false }));
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
  expect(none).toEqual(
    expect.arrayContaining(["/dev/nvme0n1  5.8 TiB", "  taken as system drive; nothing is found on it", "memory       588 GiB"]),
  );
});

test("what is on a drive is shown below it, in lines that fit a screen; and the token is asked for", async () => {
  const volumes = ["config", "A_boot", "A_root", "A_var", "B_boot", "B_root", "B_var", "guestos"];
  const lines = await linesOn({
    disks: [STICK, nvme(0), nvme(1)],
    signatures: { "/dev/nvme0n1": [["LVM2_member", 0x218]], "/dev/nvme1n1": [["ext4", 0x438]] },
    groups: { "/dev/nvme0n1": { name: "hostlvm", uuid: "group", changes: 3, own: "a", others: [], volumes } },
  });
  expect(lines.slice(-11)).toEqual([
    "/dev/nvme0n1  5.8 TiB  SAMSUNG MZWLR6T4HBLA-00007  serial S6EWNA0R100",
    "  left: a node is on it; on it is:",
    "    /dev/nvme0n1  5.8 TiB  physical volume of hostlvm, with config, A_boot,",
    "      A_root, A_var, B_boot, B_root, B_var, guestos",
    "/dev/nvme1n1  5.8 TiB  SAMSUNG MZWLR6T4HBLA-00007  serial S6EWNA0R101",
    "  taken as data drive; lost with it:",
    "    /dev/nvme1n1  5.8 TiB  ext4",
    "/dev/sda  14.6 GiB  Ultra Fit  serial 4C53",
    "  left: this system runs from it: / is on it",
    "",
    "2 mistakes.",
  ]);
  expect(lines.join(" ").replaceAll(/\s+/g, " ")).toMatch(/lose all of it: --replace (\S+), or replace_installed=\1 in config\.ini/);
});
