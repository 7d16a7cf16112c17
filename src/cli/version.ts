/** Put in place by the build (tools/build.ts): the version of package.json and the commit that the sources stand at. */
declare const BUILT_VERSION: string | undefined;

/** What `--version` prints. Running from sources there is no build, and so no version to claim. */
export const version = typeof BUILT_VERSION === "undefined" ? "development" : BUILT_VERSION;

/**
 * Answers the commonest question of scripts, which must cost no more than Node itself: nothing else is loaded for this one.
 *
 * @returns whether that was the question
 */
export function answersVersion(args: readonly string[]): boolean {
  if (args.length !== 1 || args[0] !== "--version") return false;
  process.stdout.write(`guestos-boot ${version}\n`);
  return true;
}
