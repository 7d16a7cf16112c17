import { readFileSync, statSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { documentedCommands } from "../../support/documented/commands.ts";
import { type Here, here } from "../../support/documented/here.ts";
import { makeImageTree } from "../../support/documented/image-tree.ts";
import { placesOf, recordedNode } from "../../support/documented/recorded-node.ts";
import { namespaceRoot } from "../../support/namespace.ts";
import { installed, proven } from "../../support/slot-machine.ts";
import { type PrivateBus, privateBus } from "../../support/private-bus.ts";

/** No disk here has the partitions of a node: files take their place, and everything else of an install is what it is. */
const place = vi.hoisted(() => ({ root: "" }));
vi.mock("../../../src/upgrade/slot-places.ts", () => ({ unusedSlotPlaces: async () => placesOf(place.root) }));

/** The kernel's command line, bound over the real one in the namespace of the tests. */
const cmdline = join(namespaceRoot(), "cmdline");
let bus: PrivateBus;

beforeAll(async () => {
  // Every command listens for signals until its process ends, and here that of all of them is one.
  process.setMaxListeners(rows.length);
  bus = await privateBus();
  await bus.serve("org.freedesktop.login1", () => "empty");
  writeFileSync(cmdline, "dfinity.system=A\n");
  if (spawnSync("mount", ["--bind", cmdline, "/proc/cmdline"]).status !== 0) throw new Error("cannot bind over /proc/cmdline");
});
afterAll(async () => {
  spawnSync("umount", ["/proc/cmdline"]);
  await bus.stop();
});

const TRIAL = { alternative: "B", cycle: "failsafe_check", trial: "B" } as const;
const shared = recordedNode();
const documented = documentedCommands();
const rows = Object.entries(here);

/** Lines of a document, in their order: "…" is for other lines, and in a line for what changes with the chain. */
function isShown(lines: readonly string[], printed: string): void {
  const found = printed.split("\n");
  let at = 0;
  for (const line of lines.filter((candidate) => candidate !== "…" && candidate !== "")) {
    const pieces = line.split("…").map((piece) => RegExp.escape(piece));
    const asShown = new RegExp(`^${pieces.join(".+")}$`);
    const next = found.findIndex((candidate, index) => index >= at && asShown.test(candidate));
    expect(next, `${line}\nis not what is printed:\n${printed}`).toBeGreaterThanOrEqual(at);
    at = next + 1;
  }
}

test.each(rows.filter(([, row]) => row.inTree !== true))("%s works", async (command, row: Here) => {
  const node = row.decides === true ? recordedNode(row.onTrial === true ? TRIAL : undefined) : shared;
  writeFileSync(cmdline, `dfinity.system=${row.onTrial === true ? "B" : "A"}\n`);
  place.root = node.root;
  const { status, stdout, stderr } = await node.run(command);
  expect([status, stderr], stdout).toEqual([0, expect.not.stringContaining("guestos-boot:")]);
  if (row.writes !== undefined) expect(statSync(join(node.folder, row.writes)).size > 0 || row.writes.endsWith(".deb")).toBe(true);
  if (row.asShown !== true) return;
  const shown = documented.filter((each) => each.command === command && each.shown.length > 0);
  expect(shown).not.toEqual([]);
  for (const each of shown) isShown(each.shown, stdout);
});

test.each(
  [...new Set(documented.filter(({ command }) => here[command]?.inTree === true).map(({ at }) => at))].filter((at) =>
    at.startsWith("docs/"),
  ),
)("what %s does in an image's tree works, line by line, and verify takes what the document says", async (at) => {
  const node = recordedNode();
  makeImageTree(join(node.folder, "tree"));
  for (const { block, name, mode } of blocksOf(at.split(":")[0] ?? "")) writeFileSync(join(node.folder, name), block, { mode });
  for (const { command } of documented.filter((each) => each.at === at && here[each.command]?.inTree === true)) {
    const { status, stdout, stderr } = await node.run(command);
    expect([command, status, stderr], stdout).toEqual([command, 0, ""]);
    if (command.includes("list")) expect(stdout).toMatch(/^greeting /m);
  }
});

/** The files that a document gives as its examples, by the names that its commands call them. */
function blocksOf(file: string): readonly { readonly name: string; readonly block: string; readonly mode: number }[] {
  const text = readFileSync(file, "utf8");
  const block = (language: string): string => new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, "s").exec(text)?.[1] ?? "";
  const yaml = { name: file === "docs/boot-config.md" ? "config.yaml" : "unit.yaml", block: block("yaml"), mode: 0o644 };
  return [yaml, { name: "greeting", block: block("bash"), mode: 0o755 }];
}

test("a medium with mistakes is refused in the words that are shown", async () => {
  const { shown } =
    documented.find(({ shown: [first] }) => first === "guestos-boot: there are 2 mistakes in the file") ?? expect.unreachable();
  const node = recordedNode();
  writeFileSync(join(node.folder, "node7/network.conf"), "ipv4_address=banana\nhostnme=node-7\n");
  const { status, stdout, stderr } = await node.run("guestos-boot config-image --out config.img ./node7");
  expect([status, stdout]).toEqual([12, ""]);
  isShown(shown, stderr);
});

test("a node on trial is shown as it is told", async () => {
  const { shown } =
    documented.find(({ command, shown: [first] }) => command === "guestos-boot upgrade" && first !== undefined) ?? expect.unreachable();
  const node = recordedNode(TRIAL);
  writeFileSync(cmdline, "dfinity.system=B\n");
  writeFileSync(join(node.root, "opt/ic/share/version.txt"), "0.2.0\n");
  for (const [slot, record, version] of [
    ["A", proven, "0.1.0"],
    ["B", installed, "0.2.0"],
  ] as const) {
    writeFileSync(join(node.root, `boot/config/slots/${slot}.json`), JSON.stringify({ ...record, version }));
  }
  const { status, stdout } = await node.run("guestos-boot upgrade");
  expect(status).toBe(0);
  isShown(shown, stdout);
});
