import { dirname } from "node:path";
import { activate, type Action } from "../../boot/unit.ts";
import { bindingOf } from "../../system/disks/bind-source.ts";
import { differingFiles, readTree, type TreeFile, writeTree } from "../../system/files/copy-tree.ts";
import { bindMount, mounts, unmount } from "../../system/disks/mounts.ts";
import { ProblemError } from "../../base/problem.ts";
import type { Machine } from "../machine.ts";
import { boundOptions } from "../disks/mount-options.ts";

/** A folder below /etc with files that differ between nodes. The root is read-only, so a copy on a tmpfs is bound over it. */
export interface RuntimeFolder {
  /** The folder of the read-only root, such as /etc/ssh. */
  readonly target: string;
  /** Its copy on the tmpfs. */
  readonly source: string;
  /** Files of the image that the copy must not have, by path within the folder. */
  readonly omit: (path: string) => boolean;
  /** The files that the node adds. Called when they are needed, because an earlier action of the same plan may make them. */
  readonly files: () => Promise<readonly TreeFile[]>;
  /** These files in the operator's words: "the host keys". */
  readonly content: string;
}

/**
 * The actions after which a folder of the root holds the node's own files beside the image's.
 *
 * Once it is bound, the mount hides the image's files: they are copied before that, and not compared again. The node's files are compared
 * each time.
 *
 * @param willChange true when earlier actions of the plan change the result of `files`
 * @throws ProblemError when the image has no such folder: on a read-only root it cannot be made
 */
export async function planRuntimeFolder({ host }: Machine, folder: RuntimeFolder, willChange: boolean): Promise<readonly Action[]> {
  const { target, source, content } = folder;
  const binding = bindingOf(await mounts(host), source, target);
  const differing = async (): Promise<readonly TreeFile[]> => {
    const image = binding === "bound" ? [] : await readTree(host, target, folder.omit);
    if (image === undefined) throw noTarget(target);
    return differingFiles(host, source, [...image, ...(await folder.files())]);
  };
  const stands = (await differing()).length === 0 && !willChange && binding !== "stale";
  return [
    // The copy was removed: the mount is empty now, and hides the image's files, which have to be copied.
    ...(binding === "stale" ? [activate(`unmount the remains of ${source} from ${target}`, async () => unmount(host, target))] : []),
    ...(stands ? [] : [activate(`copy ${content} to ${source}`, async () => writeTree(host, source, await differing()))]),
    ...(binding === "bound" ? [] : [activate(`bind ${source} over ${target}`, async () => bindMount(host, source, target, boundOptions))]),
  ];
}

/** The actions after which a file of the root holds `text`. @throws ProblemError when the image has no such file */
export async function planRuntimeFile({ host }: Machine, source: string, target: string, text: string): Promise<readonly Action[]> {
  if ((await host.stat(target)) === undefined) throw noTarget(target);
  const stands = (await host.readText(source)) === text;
  const binding = bindingOf(await mounts(host), source, target);
  if (stands && binding === "bound") return [];
  const bind = async (): Promise<void> => {
    // Checked again: writing the file renames it into place, which makes a good mount stale.
    if (bindingOf(await mounts(host), source, target) === "stale") await unmount(host, target);
    await bindMount(host, source, target, boundOptions);
  };
  return [
    ...(stands
      ? []
      : [
          activate(`write ${source}`, async () => {
            await host.makeFolder(dirname(source), { mode: 0o755 });
            await host.writeFile(source, text, { mode: 0o644, uid: 0, gid: 0 });
          }),
        ]),
    activate(`bind ${source} over ${target}`, bind),
  ];
}

function noTarget(path: string): ProblemError {
  return new ProblemError({
    code: "image-path-missing",
    what: `the image has no ${path}`,
    expected: "something to mount over: the root is read-only, it cannot be made now",
    todo: "use a complete image",
  });
}
