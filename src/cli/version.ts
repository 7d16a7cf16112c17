/** Defined by the build (tools/build.ts): the version of package.json and the commit of the sources. */
declare const BUILT_VERSION: string | undefined;

/** The version that `--version` prints. A program that runs from sources was not built, and has no version. */
export const version = typeof BUILT_VERSION === "undefined" ? "development" : BUILT_VERSION;

/**
 * Answers `--version`, the most common question of scripts, at no more cost than Node itself: no other module is loaded for it.
 *
 * @returns whether that was the question
 */
export function answersVersion(args: readonly string[]): boolean {
  if (args.length !== 1 || args[0] !== "--version") return false;
  process.stdout.write(`guestos-boot ${version}\n`);
  return true;
}
