/** Put in place by the build (tools/build.ts): the version of package.json and the commit that the sources stand at. */
declare const BUILT_VERSION: string | undefined;

/** What `--version` prints. Running from sources there is no build, and so no version to claim. */
export const version = typeof BUILT_VERSION === "undefined" ? "development" : BUILT_VERSION;
