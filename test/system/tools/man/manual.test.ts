import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { manual } from "../../../../tools/man/manual.ts";

const folder = mkdtempSync(join(tmpdir(), "manual-"));
afterAll(() => rmSync(folder, { recursive: true }));

const pages = [...manual({ version: "1.2.3", date: "2026-10-05" })].filter(([, text]) => !text.startsWith(".so"));
for (const [name, text] of pages) writeFileSync(join(folder, name), text);

test.each(pages.map(([name]) => name))("groff and mandoc find nothing wrong with %s", (name) => {
  const env = { PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8", MANWIDTH: "80" };
  const man = spawnSync("man", ["--warnings", "--local-file", join(folder, name)], { env, encoding: "utf8" });
  expect(man).toMatchObject({ status: 0, stderr: "" });
  expect(man.stdout.split("\n").length).toBeGreaterThan(100);
  // Style is about the length of the source's lines, which no one reads.
  const mandoc = spawnSync("mandoc", ["-T", "lint", "-W", "warning", join(folder, name)], { env, encoding: "utf8" });
  expect(mandoc).toMatchObject({ status: 0, stdout: "" });
});
