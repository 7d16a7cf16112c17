import type { FoundMark, RunMark } from "../boot/run-mark.ts";
import type { Layout } from "../config/layout/layout.ts";
import { readUnfinishedRun, writeUnfinishedRun } from "../config/state/unfinished-run.ts";
import type { Host } from "../system/host.ts";
import { mountAt } from "../system/disks/mounts.ts";
import { oneLine, toProblem } from "../base/problem.ts";

/**
 * The mark of a run, on the config partition, once that is mounted: without the mount, the path is a folder of the read-only root.
 *
 * @param complain called once, with the first failure
 */
export function runMark(host: Host, layout: Layout, complain: (text: string) => void): RunMark {
  const file = layout.config.unfinishedRun;
  const isMounted = async (): Promise<boolean> => (await mountAt(host, layout.mountPoints.config)) !== undefined;
  let hasComplained = false;
  const attempt = async <T>(work: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (!hasComplained) complain(oneLine(toProblem(error)));
      hasComplained = true;
      return otherwise;
    }
  };
  const find = async (): Promise<FoundMark> => {
    if (!(await isMounted())) return { kind: "out-of-reach" };
    const before = await readUnfinishedRun(host, file);
    return before === undefined ? { kind: "nothing" } : { kind: "unfinished", before };
  };
  return {
    find: async () => attempt<FoundMark>(find, { kind: "unreadable" }),
    write: async (run) => attempt(async () => ((await isMounted()) ? writeUnfinishedRun(host, file, run) : undefined), undefined),
    remove: async () => attempt(async () => ((await isMounted()) ? host.remove(file) : undefined), undefined),
  };
}
