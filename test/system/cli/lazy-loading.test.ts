import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");

/** Prints, at the end, the packages that were loaded. */
const watcher = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from "node:module";
  const packages = new Set();
  registerHooks({
    load(url, context, next) {
      const name = /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1];
      if (name !== undefined) packages.add(name);
      return next(url, context);
    },
  });
  process.on("exit", () => process.stderr.write(JSON.stringify([...packages])));
`)}`;

function loadedBy(...args: readonly string[]): readonly string[] {
  const { stderr } = spawnSync(process.execPath, ["--import", watcher, join(root, "src/cli/main.ts"), ...args], { encoding: "utf8" });
  return JSON.parse(stderr.slice(stderr.lastIndexOf("["))) as string[];
}

test("--version loads nothing", () => {
  expect(loadedBy("--version")).toEqual([]);
});

test.each([["--help"], ["help", "run"], ["status", "--help"], ["frobnicate"]])(
  "%s %s loads the parser of the command line alone",
  (...args) => {
    expect(loadedBy(...args.filter((word) => word !== undefined))).toEqual(["commander"]);
  },
);

test("a status loads no tools, no bus and no metrics", () => {
  const loaded = loadedBy("status");
  expect(loaded).toContain("zod");
  expect(loaded).not.toContain("dbus-next");
  expect(loaded).not.toContain("prom-client");
});

test("where there is no configuration file, no one loads what would read it", () => {
  for (const args of [["list"], ["verify"]]) expect(loadedBy(...args)).not.toContain("yaml");
});
