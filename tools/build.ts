/** Builds dist/: the program, and what is installed beside it. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { writeDocuments } from "./documents.ts";
import { buildExecutable } from "./executable.ts";

const root = join(import.meta.dirname, "..");
/** What decides about the program's bytes: the version names the commit that last changed one of these. */
const inputs = [
  "src",
  "package.json",
  "package-lock.json",
  "tools/build.ts",
  "tools/code-cache.ts",
  "tools/executable.ts",
  "tools/rehearsal.ts",
  "tools/start.ts",
];
const MAX_BYTES = 130 * 1024 * 1024;

const version = versionText();
const built = join(root, "build/executable/guestos-boot");
const size = await buildExecutable({
  entry: join(root, "src/cli/main.ts"),
  output: built,
  version,
  rehearsal: join(root, "tools/rehearsal.ts"),
});
if (size > MAX_BYTES) throw new Error(`guestos-boot has ${size} bytes, and may have ${MAX_BYTES}`);
mkdirSync(join(root, "dist"), { recursive: true });
renameSync(built, join(root, "dist/guestos-boot"));
writeDocuments({
  executable: join(root, "dist/guestos-boot"),
  metafile: `${built}.parts/program.js.meta.json`,
  version,
  folder: join(root, "dist"),
});
console.log(`dist/guestos-boot ${version}: ${(size / 1024 / 1024).toFixed(1)} MiB`);

/** package.json's version, with the commit as build metadata (semver.org, 10) where the sources are in a repository. */
function versionText(): string {
  const { version: release } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const commit = git("log", "-1", "--format=%h", "--abbrev=12", "--", ...inputs);
  if (commit === "") return release;
  return `${release}+${commit}${git("status", "--porcelain", "--", ...inputs) === "" ? "" : ".modified"}`;
}

function git(...args: readonly string[]): string {
  try {
    return execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    // No git, or no repository (an unpacked release): nothing is added to the version.
    return "";
  }
}
