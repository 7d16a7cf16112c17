import { execFileSync } from "node:child_process";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");

/** What decides about what is packed, besides the program. */
const inputs = ["src", "etc", "share", "docs", "tools", "package.json", "package-lock.json", "CHANGELOG.md", "LICENSE"];

/** For sources without a repository, such as an unpacked release: 2026-01-01, as in the image. */
const NO_REPOSITORY = 1_767_225_600;

/** When the sources last changed, in seconds since 1970: every time stamp in what is built (reproducible-builds.org, SOURCE_DATE_EPOCH). */
export function sourceDate(): number {
  const given = process.env["SOURCE_DATE_EPOCH"];
  if (given !== undefined && /^\d{1,10}$/.test(given)) return Number(given);
  try {
    const time = execFileSync("git", ["log", "-1", "--format=%ct", "--", ...inputs], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return Number(time.trim()) || NO_REPOSITORY;
  } catch {
    return NO_REPOSITORY;
  }
}
