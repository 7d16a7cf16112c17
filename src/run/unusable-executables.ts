import { type Problem, toProblem } from "../base/problem.ts";

/** Problems that would otherwise show only when the program is run. */
export async function unusableExecutables(paths: readonly string[]): Promise<readonly Problem[]> {
  if (paths.length === 0) return [];
  const [{ requireRootsExecutable }, { systemHost }] = await Promise.all([
    import("../system/files/owned-by-root.ts"),
    import("../system/host.ts"),
  ]);
  const host = systemHost();
  const found = paths.map(async (path) =>
    requireRootsExecutable(host, path).then(
      () => [],
      (error: unknown) => [toProblem(error)],
    ),
  );
  return (await Promise.all(found)).flat();
}
