import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import config from "../../oxlint.config.ts";

/** What one of the project's own rules (tools/lint) says of those lines: the numbers of the lines that it refuses, and its words. */
export function refusedBy(
  rule: string,
  lines: readonly string[],
): { readonly lines: readonly number[]; readonly words: readonly string[] } {
  const folder = mkdtempSync(join(tmpdir(), "own-rule-"));
  try {
    const [file, settings] = [join(folder, "linted.ts"), join(folder, "oxlintrc.json")];
    writeFileSync(file, `${lines.join("\n")}\n`);
    const plugin = join(process.cwd(), "tools/lint/guestos.ts");
    writeFileSync(settings, JSON.stringify({ jsPlugins: [plugin], categories: { correctness: "off" }, rules: { [rule]: "error" } }));
    const { stdout } = spawnSync("node_modules/.bin/oxlint", ["--config", settings, "--format", "json", file], { encoding: "utf8" });
    const { diagnostics } = JSON.parse(stdout) as {
      readonly diagnostics: readonly {
        readonly message: string;
        readonly labels: readonly { readonly span: { readonly line: number } }[];
      }[];
    };
    const refused = diagnostics.flatMap(({ labels }) => labels.map(({ span }) => span.line));
    return { lines: refused.toSorted((one, two) => one - two), words: [...new Set(diagnostics.map(({ message }) => message))] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The files that `make check` holds to it. */
export function heldTo(rule: string): readonly (readonly string[])[] {
  return (config.overrides ?? []).filter(({ rules }) => Reflect.get(rules ?? {}, rule) === "error").map(({ files }) => files);
}
