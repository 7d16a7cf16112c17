import { expect, test } from "vitest";
import { BootConfig, ExtraUnit } from "../../../src/config/boot-config.ts";
import { configuredLayout } from "../../../src/config/layout/configured-layout.ts";
import { guestosLayout, type Layout, volumeBytes } from "../../../src/config/layout/layout.ts";
import { parseYaml } from "../../../src/config/text/yaml-file.ts";
import { problemOf } from "../../support/problem-of.ts";

const FILE = "/etc/guestos-boot/config.yaml";

const parse = async (text: string | Uint8Array): Promise<BootConfig> => (await parseYaml(Buffer.from(text), FILE, BootConfig)).value;

/** Functions of a layout as what they make of the slots. */
function flat(layout: Layout): unknown {
  const { boot, root, var: varNames, ...names } = layout.partitions;
  return { ...layout, partitions: { ...names, slots: [boot, root, varNames].map((name) => [name("A"), name("B")]) }, mappings: undefined };
}

test.each(["# nothing yet\n", "---\n", "{}", "layout:\nunits:\nextraUnits:\n", "layout:\n  partitions:\n  volumes:\n    shared-data:\n"])(
  "%j says nothing, and the layout is the usual one",
  async (text) => {
    const config = await parse(text);
    expect(config.units).toEqual({});
    expect(config.extraUnits).toEqual({});
    expect(flat(configuredLayout(guestosLayout, config.layout))).toEqual(flat(guestosLayout));
  },
);

test("names and sizes go into the layout", async () => {
  const { layout } = await parse(`
layout:
  partitions: { store: data, var: "sys-{slot}.var" }
  volumeGroup: vg0
  volumes:
    shared-swap: { least: 1 GiB, most: 1 GiB }
    shared-data: { share: 1/2 }
  versionFile: /usr/lib/version
`);
  const made = configuredLayout(guestosLayout, layout);
  expect([made.partitions.store, made.partitions.var("A"), made.partitions.var("B"), made.partitions.root("A")]).toEqual([
    "data",
    "sys-A.var",
    "sys-B.var",
    "A_root",
  ]);
  expect([made.volumeGroup, made.versionFile]).toEqual(["vg0", "/usr/lib/version"]);
  const sizes = made.volumes.map(({ name, size }) => [name, volumeBytes(size, 64 * 1024 ** 3) / 1024 ** 3]);
  expect(sizes).toEqual([
    ["shared-crypto", 1],
    ["shared-swap", 1],
    ["shared-backup", 16],
    ["shared-data", 32],
  ]);
});

test.each<readonly [string, number, number, string | RegExp, string | RegExp]>([
  // What is no YAML, or more than data.
  ["layout: [\nunits: {}\n", 2, 1, "this is not valid YAML", "keys and values"],
  ["units:\n\tvar: {}\n", 2, 1, "this is not valid YAML", "keys and values"],
  ["units: {}\nunits: {}\n", 2, 1, "this is not valid YAML", "keys and values"],
  ["layout:\n  volumeGroup: !name store\n", 2, 16, "this is not valid YAML", "keys and values"],
  ["units: {}\n---\nunits: {}\n", 2, 1, "this is not valid YAML", "keys and values"],
  ["units:\n  var: &v { off: true }\n  volumes: *v\n", 3, 12, "a value refers to another one", "the value itself"],
  ["units: *nobody\n", 1, 8, "a value refers to another one", "the value itself"],
  ["1: 2\n", 1, 1, "this cannot be a key", "a word"],
  ["? [a, b]\n: 1\n", 1, 3, "this cannot be a key", "a word"],
  ["units:\n  __proto__: { off: true }\n", 2, 3, "this cannot be a key", "a word"],
  ["units: {}\nx\u0007: 1\n", 2, 2, "a line has a control character", "printable"],
  ["units: {}\r\n", 1, 10, "a line has a control character", "Unix line ends"],
  // Unknown keys, with the nearest one.
  ["unit: {}\n", 1, 1, "there is no such key", "perhaps units"],
  ["layout:\n  partitions:\n    sotre: x\n", 3, 5, "there is no such key in layout.partitions", "perhaps store"],
  ["units:\n  var: { timeuot: 20 }\n", 2, 10, "there is no such key in units.var", "perhaps timeout"],
  ["layout:\n  volumes:\n    shared-data:\n      smallest: 1 GiB\n", 4, 7, /in layout\.volumes\.shared-data$/, "one of least, share, most"],
  [
    "layout:\n  partitions:\n    config: other\n",
    3,
    5,
    "there is no such key in layout.partitions",
    "one of esp, grub, store, boot, root, var",
  ],
  // Wrong types.
  ["just words\n", 1, 1, "the file is not usable", "keys with values below it"],
  ["- units\n", 1, 1, "the file is not usable", "keys with values below it"],
  ["units: []\n", 1, 8, "units is not usable", "names of units, with settings below each"],
  ["units:\n  var:\n", 2, 3, "units.var is not usable", "keys with values below it"],
  ["units:\n  var: { off: yes }\n", 2, 15, "units.var.off is not usable", "true or false"],
  ["units:\n  var: { timeout: 20s }\n", 2, 19, "units.var.timeout is not usable", "a whole number of seconds from 10 to 3600"],
  ["layout:\n  volumeGroup: 7\n", 2, 16, "layout.volumeGroup is not usable", "a name of letters"],
  [
    "extraUnits:\n  one:\n    executable: /x\n    title: One\n    requires: var\n",
    5,
    15,
    "extraUnits.one.requires is not usable",
    "a list",
  ],
  [
    "extraUnits:\n  one:\n    executable: /x\n    title: One\n    requires: [var, 3]\n",
    5,
    21,
    "extraUnits.one.requires.1 is not usable",
    "a name of lower-case",
  ],
  // Out of range, and what is not safe.
  ["units:\n  var: { timeout: 9 }\n", 2, 19, "units.var.timeout is not usable", "from 10 to 3600"],
  ["units:\n  var: { timeout: 10.5 }\n", 2, 19, "units.var.timeout is not usable", "from 10 to 3600"],
  ["units:\n  var: { timeout: .inf }\n", 2, 19, "units.var.timeout is not usable", "from 10 to 3600"],
  ["units:\n  var: { retryFor: -1 }\n", 2, 20, "units.var.retryFor is not usable", "from 0 to 1800"],
  ["units:\n  var: { onFailure: degrade }\n", 2, 21, "units.var.onFailure is not usable", /^stop, or nothing/],
  ["layout:\n  volumes:\n    shared-data: { least: 200 MiB }\n", 3, 27, /least is not usable$/, "a size of at least 320 MiB"],
  ["layout:\n  volumes:\n    shared-data: { least: 20 GB }\n", 3, 27, /least is not usable$/, "a size of at least 320 MiB"],
  ["layout:\n  volumes:\n    shared-data: { share: 5/4 }\n", 3, 27, /share is not usable$/, "a fraction of at most 1"],
  ["layout:\n  volumes:\n    shared-swap: { least: 2 GiB, most: 1 GiB }\n", 3, 40, /most is not usable$/, "a size that is not below least"],
  ["layout:\n  partitions: { store: A_boot }\n", 2, 15, "layout.partitions is not usable", "would be named A_boot"],
  ["layout:\n  partitions: { grub: config }\n", 2, 15, "layout.partitions is not usable", "would be named config"],
  ["layout:\n  partitions: { var: var }\n", 2, 22, "layout.partitions.var is not usable", /\{slot\} in it/],
  ["layout:\n  partitions: { store: ../x }\n", 2, 24, "layout.partitions.store is not usable", "a partition name"],
  ["layout:\n  versionFile: /a/../b\n", 2, 16, "layout.versionFile is not usable", "an absolute path"],
  // Extra units.
  ["extraUnits:\n  Bad_Name: { executable: /x, title: One }\n", 2, 3, "a name is not usable", "a name of lower-case"],
  ["extraUnits:\n  one: { title: One }\n", 2, 3, "extraUnits.one.executable is not usable", "an absolute path"],
  ["extraUnits:\n  one: { executable: x, title: One }\n", 2, 22, "extraUnits.one.executable is not usable", "an absolute path"],
  ["extraUnits:\n  one: { executable: /x, title: One, stage: middle }\n", 2, 45, "extraUnits.one.stage is not usable", "early or late"],
])("%j is refused at %i:%i", async (text, line, column, what, expected) => {
  const problem = await problemOf(async () => parse(text));
  expect(problem).toMatchObject({ where: { file: FILE } });
  expect({ where: problem.where, what: problem.what, found: problem.found, expected: problem.expected }).toEqual({
    where: { file: FILE, line, column },
    what: typeof what === "string" ? what : expect.stringMatching(what),
    found: expect.stringMatching(/./),
    expected: typeof expected === "string" ? expect.stringContaining(expected) : expect.stringMatching(expected),
  });
  expect(problem.todo).toBeDefined();
});

test("all mistakes are told at once, and the first one's place", async () => {
  const problem = await problemOf(async () => parse("units:\n  var: { timeout: 1, of: true }\nlayuot: {}\n"));
  expect(problem).toMatchObject({ what: "there are 3 mistakes in the file", where: { file: FILE, line: 2, column: 19 } });
  expect(problem.found).toContain('3:1 there is no such key: "layuot", expected perhaps layout');
});

test("what is too long, no text, or made to exhaust a parser ends in an error as well", async () => {
  expect((await problemOf(async () => parse("#".repeat(70_000)))).what).toBe("the file is too long");
  expect((await problemOf(async () => parse(Buffer.from([0x61, 0xff, 0x0a])))).found).toBe("bytes that are not UTF-8");
  for (const deep of ["[", "- ", "? ", "{a: "]) {
    expect((await problemOf(async () => parse(deep.repeat(15_000)))).where).toMatchObject({ file: FILE });
  }
});

test("an extra unit is late, degrades and has a minute, unless it says otherwise", async () => {
  const { value } = await parseYaml(Buffer.from("title: Do one thing\n"), "unit.yaml", ExtraUnit);
  expect(value).toEqual({ title: "Do one thing", stage: "late", requires: [], after: [], owns: [], timeout: 60, onFailure: "degrade" });
  expect((await problemOf(async () => parseYaml(Buffer.from("# x\n"), "unit.yaml", ExtraUnit))).what).toBe("title is not usable");
  expect((await problemOf(async () => parseYaml(Buffer.from('title: "a\\e[2Jb"\n'), "unit.yaml", ExtraUnit))).expected).toContain(
    "one line",
  );
});

test.each(["", "\n", " \n\n"])("a file of nothing (%j) was cut off, and does not say that the defaults are meant", async (text) => {
  expect(await problemOf(async () => parseYaml(Buffer.from(text), "config.yaml", BootConfig))).toMatchObject({
    what: "the file is empty",
    where: { file: "config.yaml", line: 1, column: 1 },
    expected: "keys and values, or a comment that begins with #",
  });
});
