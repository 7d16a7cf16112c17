import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import config from "../../../../oxlint.config.ts";

const folder = mkdtempSync(join(tmpdir(), "paths-of-units-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What oxlint says of those lines, by the lines' numbers. */
function complaints(lines: readonly string[]): readonly number[] {
  const [file, settings] = [join(folder, "unit.ts"), join(folder, "oxlintrc.json")];
  writeFileSync(file, `${lines.join("\n")}\n`);
  writeFileSync(
    settings,
    JSON.stringify({
      jsPlugins: [join(process.cwd(), "tools/lint/paths-of-units.ts")],
      categories: { correctness: "off" },
      rules: { "guestos/no-absolute-path": "error" },
    }),
  );
  const { stdout, stderr } = spawnSync("node_modules/.bin/oxlint", ["--config", settings, "--format", "json", file], { encoding: "utf8" });
  const { diagnostics } = JSON.parse(stdout) as {
    readonly diagnostics: readonly { readonly message: string; readonly labels: readonly { readonly span: { readonly line: number } }[] }[];
  };
  for (const { message } of diagnostics) expect(message, stderr).toContain("take it from the layout");
  return diagnostics.flatMap(({ labels }) => labels.map(({ span }) => span.line)).toSorted((one, two) => one - two);
}

test("a path in a unit is an error, but for what it owns and the names of devices", () => {
  const refused = ['export const a = "/proc/sys/vm/swappiness";', "export const b = `/etc/${a}`;", 'export const c = { file: "/x" };'];
  const taken = [
    'export const unit = { owns: ["/etc/ssh", `/run/${a}`] };',
    "export const device = `/dev/mapper/${a}`;",
    "export const below = `${a}/log`;",
    'export const slash = "/";',
  ];
  expect(complaints([...refused, ...taken])).toEqual([1, 2, 3]);
});

test("make lint holds all units to it", () => {
  const held = config.overrides
    ?.filter(({ rules }) => Reflect.get(rules ?? {}, "guestos/no-absolute-path") === "error")
    .map(({ files }) => files);
  expect(held).toEqual([["src/units/**"]]);
});
